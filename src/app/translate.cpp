// torsor translate
#include <ATen/Parallel.h>

#include <iostream>

#include "app/commands.h"
#include "app/engine_report.h"
#include "core/error.h"
#include "core/text.h"
#include "image/codec.h"
#include "infer/folder_translation.h"

namespace torsor::app {

namespace fs = std::filesystem;

namespace {

struct TranslateOptions {
  std::string direction;
  std::string norm_stats = "running";
  bool as_reference = false;
  std::string preprocess = "resize_and_crop";
  std::int64_t load_size = 256;
  std::int64_t crop_size = 256;
  std::string resize;
  std::int64_t batch_size = 1;
  std::int64_t threads = 0;
  std::string format;
  bool overwrite = false;
  bool skip_bad = false;
  bool verbose = false;
  PlacementOptions placement;
  WeightChoice choice;

  void describe(OptionSet& o);
};

void TranslateOptions::describe(OptionSet& o) {
  add_direction(o, direction, "a_to_b or b_to_a [a_to_b, or what the file holds]");
  add_norm_stats(o, norm_stats);
  o.add("resize", resize,
        "translate at this size: SIDE or WIDTHxHEIGHT; the output has it too [the input's size]");
  o.add("format", format, "write all outputs in this format (png, jpg, tif, webp, bmp) [the input's]")
      .check([](const std::string& v, const std::string& where) {
        if (!v.empty() && !has_image_extension("x." + v))
          fail_usage("{}: unknown value '{}'{} (one of {})", where, v, did_you_mean(v, image_extensions()),
                     join(image_extensions()));
      });
  o.add("batch_size", batch_size, "images of equal size translated together").range(1, 1024);
  o.add("overwrite", overwrite, "replace outputs that exist");
  o.add("skip_bad", skip_bad, "go on without images that cannot be read or scaled");
  o.add("threads", threads, "compute threads; 0 = all cores").range(0, 1024);
  placement.describe(o);
  o.add("verbose", verbose, "say which layers went through torsor's kernels and which through libtorch");
  choice.describe(o);
  o.group("As the reference");
  o.add("as_reference", as_reference,
        "reproduce what the reference's test.py writes with the three options below: its resize, batch "
        "statistics, truncation, output at the resized size");
  o.add("preprocess", preprocess, "the reference's preprocess mode")
      .choices({"resize_and_crop", "crop", "scale_width", "scale_width_and_crop", "none"});
  o.add("load_size", load_size, "side (or width) to resize to").range(1, 65536);
  o.add("crop_size", crop_size, "side of the crop").range(1, 65536);
}

Size parse_size(const std::string& text) {
  const auto cross = text.find('x');
  const auto number = [&](const std::string& digits) -> std::int64_t {
    if (digits.empty() || digits.size() > 5 || digits.find_first_not_of("0123456789") != std::string::npos ||
        std::stoll(digits) < 1)
      fail_usage(
          "--resize: '{}' is not a size; write SIDE or WIDTHxHEIGHT in pixels, for example 256 or 640x480",
          text);
    return std::stoll(digits);
  };
  if (cross == std::string::npos) return {number(text), number(text)};
  return {number(text.substr(0, cross)), number(text.substr(cross + 1))};
}

Treatment treatment_of(const TranslateOptions& options) {
  Treatment out;
  if (!options.resize.empty()) out.resize = parse_size(options.resize);
  if (options.as_reference)
    out.reference = {options.preprocess, options.load_size, options.crop_size, /*flip=*/false};
  out.batch_size = options.batch_size;
  out.bad_files = options.skip_bad ? BadFiles::skip : BadFiles::refuse;
  return out;
}

PlanOptions plan_options_of(const TranslateOptions& options) {
  return {options.format, options.overwrite ? ExistingOutputs::replace : ExistingOutputs::refuse};
}

class Console : public TranslationListener {
 public:
  void note(const std::string& file, const std::string& what) override {
    std::cerr << file + ": " + what + "\n";
  }
  void skipped(const std::string& reason) override { std::cerr << "warning: skipped: " + reason + "\n"; }
  void progress(std::int64_t done, std::int64_t total) override {
    if (total > 1 && done % 50 == 0) std::cout << fmt::format("{}/{}\n", done, total) << std::flush;
  }
};

int translate(const std::vector<std::string>& positionals) {
  const TranslateOptions& options = Bound<TranslateOptions>::instance().settings;
  const fs::path model = positionals[0], in = positionals[1], out = positionals[2];
  const Treatment treatment = treatment_of(options);
  std::vector<TranslationJob> jobs = plan_translation(in, out, plan_options_of(options));
  if (options.threads > 0) at::set_num_threads(static_cast<int>(options.threads));
  const std::string statistics = options.as_reference ? "batch" : options.norm_stats;
  const GeneratorRunner runner =
      GeneratorRunner::open(model, {options.direction, norm_statistics_of(statistics),
                                    resolve_placement(options.placement), options.choice});
  for (const std::string& note : runner.loaded().notes) std::cerr << note + "\n";

  if (options.verbose) watch_engine(*runner.loaded().generator);
  Console console;
  FolderTranslation translation(runner, std::move(jobs), treatment, console);
  translation.run(stop_flag());
  const std::string doubt = translation.doubt();
  if (!doubt.empty()) std::cerr << "warning: " + doubt + "\n";
  const std::int64_t written = translation.written(), skipped = translation.skipped();
  std::cout << fmt::format("{} image{} written to {}{}\n", written, written == 1 ? "" : "s", out.string(),
                           skipped > 0 ? fmt::format(", {} skipped", skipped) : "");
  if (options.verbose || engine_named(options.placement.engine) == Engine::check)
    std::cout << engine_report(runner.loaded().direction, *runner.loaded().generator);
  return stop_flag().requested() ? 128 + stop_flag().signal() : 0;
}

}  // namespace

Command translate_command() {
  return {"translate",
          "Translate an image or a folder of images",
          {{"MODEL", "run directory, torsor model file, or the reference's .pth"},
           {"IN", "image file or folder"},
           {"OUT", "image file or folder to write"}},
          &Bound<TranslateOptions>::instance().options,
          translate,
          {"torsor translate runs/zebras photos/horses translated",
           "torsor translate latest_net_G_A.pth horse.jpg zebra.jpg"}};
}

}  // namespace torsor::app
