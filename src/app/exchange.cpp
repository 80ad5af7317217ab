// torsor import and export
#include <iostream>

#include "app/commands.h"
#include "app/progress.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "interchange/network_search.h"
#include "interchange/onnx.h"
#include "interchange/reference_target.h"
#include "interchange/weight_source.h"
#include "metric/feature_extractor.h"
#include "metric/feature_file.h"

namespace torsor::app {

namespace fs = std::filesystem;

namespace {

void require_free(const fs::path& path, Existing existing) {
  std::error_code ec;
  if (existing == Existing::keep && fs::exists(path, ec))
    fail("{}: exists already; pass --overwrite to replace it, or choose another name", path.string());
}

void print_notes(const std::vector<std::string>& notes) {
  for (const std::string& note : notes) std::cout << "  " << note << '\n';
}

// Of a file, or of the files in a folder; 0 where that is not known.
std::uintmax_t bytes_at(const fs::path& path) {
  std::error_code ec;
  if (fs::is_regular_file(path, ec)) return fs::file_size(path, ec);
  std::uintmax_t out = 0;
  for (const auto& entry : fs::directory_iterator(path, ec))
    if (entry.is_regular_file(ec)) out += entry.file_size(ec);
  return out;
}

// What is being done with weights whose reading takes seconds; nothing of others.
class ImportProgress {
 public:
  explicit ImportProgress(const fs::path& weights) : bytes_(bytes_at(weights)) {}

  void begin(const std::string& what) {
    constexpr std::uintmax_t kLarge = 100'000'000;
    constexpr std::int64_t kSteps = 3;
    if (bytes_ < kLarge) return;
    const std::string text = fmt::format("{}, {}", what, human_bytes(static_cast<double>(bytes_)));
    display_.update({begun_++, kSteps, {text}}, ProgressDisplay::When::now);
  }
  void end() { display_.close(); }

 private:
  const std::uintmax_t bytes_;
  std::int64_t begun_ = 0;
  ProgressDisplay display_{Audience::people, Stream::error};
};

struct ImportOptions {
  std::string name_a, name_b, note, licence;
  WeightChoice choice;
  bool overwrite = false;

  void describe(OptionSet& o) {
    o.add("name_a", name_a, "name of domain A [what train_opt.txt says, else A]");
    o.add("name_b", name_b, "name of domain B");
    add_note_and_licence(o, note, licence);
    o.add("overwrite", overwrite, "replace an existing OUT");
    choice.describe(o);
  }
};

// Weights of a network whose features FID and its kin compare.
int import_features(FeatureWeights weights, const ImportOptions& o, const fs::path& out) {
  if (!o.name_a.empty() || !o.name_b.empty())
    fail_usage("--name-a, --name-b: {} has features, which are of no domain", weights.source);
  FeatureOptions options;
  options.features = weights.source;
  const auto extractor = make_extractor(options, c10::kCPU);  // refuses what is not all of that network
  weights.note = o.note;
  weights.licence = o.licence;
  if (out.has_parent_path()) make_folder(out.parent_path());
  write_feature_weights(out, weights);
  std::cout << fmt::format("{}: features of {}, from {}\n  hash {}\n", out.string(), weights.architecture,
                           weights.source, extractor->hash());
  return 0;
}

int import_weights(const std::vector<std::string>& positionals) {
  const ImportOptions& o = Bound<ImportOptions>::instance().settings;
  const fs::path out = positionals[1];
  if (out.extension() != ".safetensors") fail_usage("{}: end the name in .safetensors", out.string());
  require_free(out, o.overwrite ? Existing::replace : Existing::keep);
  ImportProgress progress(positionals[0]);
  progress.begin("looking whether it has features: " + positionals[0]);
  if (std::optional<FeatureWeights> features = recognise_feature_weights(positionals[0])) {
    progress.end();
    return import_features(std::move(*features), o, out);
  }
  progress.begin("reading " + positionals[0]);
  WeightSet set = open_weights(positionals[0], o.choice);
  if (!o.name_a.empty()) set.info.domains["a"].name = o.name_a;
  if (!o.name_b.empty()) set.info.domains["b"].name = o.name_b;
  if (!o.note.empty()) set.info.note = o.note;
  if (!o.licence.empty()) set.info.licence = o.licence;
  progress.begin("writing " + out.string());
  write_weights(out, set);
  progress.end();
  std::cout << fmt::format("{}: from {} ({})\n", out.string(), set.source, set.what);
  for (const NetworkInfo& network : set.info.networks)
    std::cout << fmt::format("  {:<9} {}\n", network.name, describe_network(network));
  print_notes(set.notes);
  return 0;
}

struct ExportOptions {
  std::string direction;
  WeightChoice choice;
  std::int64_t opset = kDefaultOpset;
  bool overwrite = false;

  void describe(OptionSet& o) {
    add_direction(o, direction, "a_to_b or b_to_a, for one generator [a_to_b, or what the file holds]");
    o.add("opset", opset, "ONNX operator set to write").range(kOldestOpset, kNewestOpset);
    o.add("overwrite", overwrite, "replace existing files");
    choice.describe(o);
  }
};

std::string sides_text(const SizeRule& rule) {
  if (!rule.takes_others)
    return rule.minimum > rule.multiple
               ? fmt::format("multiples of {} from {} up", rule.multiple, rule.minimum)
               : fmt::format("multiples of {}", rule.multiple);
  return fmt::format("from {} up (the output's are rounded up to multiples of {})", rule.minimum,
                     rule.multiple);
}

int export_onnx(const WeightSet& set, const ExportOptions& o, const fs::path& out) {
  const LoadedGenerator generator = load_generator(set, o.direction);
  const OnnxExport done = write_onnx(generator, out, o.opset);
  std::cout << fmt::format(
      "written:\n  {}: {} as opset {}; any batch, sides {}\n    input: {}\n    output: {}\n  {}: inputs of "
      "{} "
      "and their outputs, for scripts/check-onnx.py {}\n",
      done.model.string(), generator.options.net_g, o.opset, sides_text(generator.generator->size_rule()),
      done.input, done.output, done.check.string(), join(done.sizes), done.model.string());
  return 0;
}

int print_reference(const ReferenceExport& done) {
  std::cout << "written:\n";
  for (const fs::path& file : done.files) std::cout << "  " << file.string() << '\n';
  print_notes(done.notes);
  return 0;
}

int export_weights(const std::vector<std::string>& positionals) {
  const ExportOptions& o = Bound<ExportOptions>::instance().settings;
  const fs::path out = positionals[1];
  const Existing existing = o.overwrite ? Existing::replace : Existing::keep;
  const std::string ending = out.extension().string();
  const bool is_folder = ending.empty();
  if (!is_folder && ending != ".pth" && ending != ".onnx")
    fail_usage(
        "{}: its ending names no format to export; end it in .onnx or .pth, or name a folder (all networks)",
        out.string());
  if (is_folder && !o.direction.empty())
    fail_usage(
        "--direction {}: a folder receives all networks; leave --direction out or name a file, OUT.pth",
        o.direction);
  if (!is_folder) require_free(out, existing);
  const WeightSet set = open_weights(positionals[0], o.choice);
  if (is_folder) return print_reference(write_reference_folder(set, out, existing));
  if (ending == ".pth") return print_reference(write_reference_generator(set, o.direction, out));
  return export_onnx(set, o, out);
}

}  // namespace

Command import_command() {
  return {"import",
          "Make a torsor model file of the reference's weights, or a file of features for evaluate",
          {{"IN",
            "the reference's folder checkpoints/<name>/, one .pth, or anything else with weights; "
            "EfficientNet-Lite0's or FID-Inception's .pth"},
           {"OUT", "model file to write, *.safetensors"}},
          &Bound<ImportOptions>::instance().options,
          import_weights,
          {"torsor import checkpoints/horse2zebra zebras.safetensors"}};
}

Command export_command() {
  return {"export",
          "Write a model's weights for other programs",
          {{"MODEL", "run directory, torsor model file, .pth or the reference's folder"},
           {"OUT", "*.onnx, or for the reference *.pth (one generator) or a folder (all networks)"}},
          &Bound<ExportOptions>::instance().options,
          export_weights,
          {"torsor export runs/zebras zebras.onnx", "torsor export runs/zebras checkpoints/zebras"}};
}

}  // namespace torsor::app
