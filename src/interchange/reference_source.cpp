#include "interchange/reference_source.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "core/error.h"
#include "core/text.h"
#include "interchange/reference_networks.h"
#include "interchange/train_opt.h"
#include "io/pth.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

// A file "<epoch>_net_<role>.pth" of the reference.
struct ReferenceFile {
  fs::path path;
  std::string epoch;  // "latest", "200"
  std::string role;   // "G_A"; "" when the name does not follow the reference's
};

constexpr std::array kRoles = {"G_A", "G_B", "D_A", "D_B", "G", "D"};

ReferenceFile parse_name(const fs::path& path) {
  const std::string stem = path.stem().string();
  const std::size_t net = stem.rfind("_net_");
  ReferenceFile file{path, "", ""};
  if (net == std::string::npos) return file;
  const std::string role = stem.substr(net + 5);
  if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end()) return file;
  file.epoch = stem.substr(0, net);
  file.role = role;
  return file;
}

// "latest" is newer than any number, a number than other words.
std::pair<int, std::int64_t> age_of(const std::string& epoch) {
  if (epoch == "latest") return {2, 0};
  const bool digits =
      !epoch.empty() && epoch.size() < 10 && epoch.find_first_not_of("0123456789") == std::string::npos;
  return digits ? std::pair<int, std::int64_t>{1, std::stoll(epoch)} : std::pair<int, std::int64_t>{0, 0};
}

std::vector<ReferenceFile> newest_files(const fs::path& folder) {
  std::map<std::string, std::vector<ReferenceFile>> epochs;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(folder, ec)) {
    ReferenceFile file = parse_name(entry.path());
    if (entry.path().extension() == ".pth" && !file.role.empty())
      epochs[file.epoch].push_back(std::move(file));
  }
  if (epochs.empty())
    fail(
        "{}: is no model: it has no model.safetensors, no checkpoint of torsor and no weights of the "
        "reference "
        "(*_net_G_A.pth and the like)",
        folder.string());
  auto newest = std::max_element(epochs.begin(), epochs.end(), [](const auto& x, const auto& y) {
    return age_of(x.first) < age_of(y.first);
  });
  std::sort(newest->second.begin(), newest->second.end(),
            [](const auto& x, const auto& y) { return x.role > y.role; });  // generators first
  return newest->second;
}

class ReferenceReader {
 public:
  ReferenceReader(const fs::path& source, NetworkHints hints) : hints_(std::move(hints)) {
    set_.source = source.string();
    set_.what = "reference weights";
    set_.info.type = "reference";
  }

  void add(const ReferenceFile& file) {
    TensorMap weights = read_pth(file.path);
    if (is_discriminator(weights))
      add_discriminator(file, std::move(weights));
    else
      add_generator(file, std::move(weights));
  }

  WeightSet finish() {
    describe_domains();
    describe_preprocessing();
    if (!hints_.recorded)
      note(
          "there is no train_opt.txt beside the weights: directions are taken as trained with --direction "
          "AtoB");
    else
      set_.info.training = Json{{"reference", hints_.recorded->values}};
    return std::move(set_);
  }

 private:
  void note(const std::string& line) { set_.notes.push_back(line); }
  bool swapped() const { return hints_.recorded && hints_.recorded->is_b_to_a(); }

  void add_generator(const ReferenceFile& file, TensorMap weights) {
    Recognised<GeneratorOptions> found = infer_generator(std::move(weights), file.path.string(), hints_);
    const GeneratorOptions& o = found.options;
    for (const std::string& line : found.notes) note(line);
    const std::string name = generator_name(file.role);
    note(fmt::format("{}: {}, ngf {}, norm {}, {} to {} channels{}", file.path.filename().string(), o.net_g,
                     o.ngf, o.norm, o.in_channels, o.out_channels, o.dropout ? ", dropout" : ""));
    put(generator_info(name, o), std::move(found.weights), file);
  }

  void add_discriminator(const ReferenceFile& file, TensorMap weights) {
    if (file.role == "D") {
      note(file.path.filename().string() +
           ": left out: a pix2pix discriminator judges pairs, which unpaired training has none of");
      return;
    }
    Recognised<DiscriminatorOptions> found =
        infer_discriminator(std::move(weights), file.path.string(), hints_);
    put(discriminator_info(discriminator_name(file.role), found.options), std::move(found.weights), file);
  }

  std::string generator_name(const std::string& role) const {
    if (role == "G_A") return swapped() ? "g_b_to_a" : "g_a_to_b";
    if (role == "G_B") return swapped() ? "g_a_to_b" : "g_b_to_a";
    if (role.empty() || !hints_.recorded || hints_.recorded->text("direction").empty()) return "g";
    return swapped() ? "g_b_to_a" : "g_a_to_b";
  }

  // The reference's D_A judges what G_A makes: B.
  std::string discriminator_name(const std::string& role) const {
    if (role == "D_A") return swapped() ? "d_a" : "d_b";
    if (role == "D_B") return swapped() ? "d_b" : "d_a";
    return "d";
  }

  void put(NetworkInfo info, TensorMap weights, const ReferenceFile& file) {
    if (set_.weights.contains(info.name))
      fail("{}: its file {} stands for the network {}, and so does another", set_.source,
           file.path.filename().string(), info.name);
    set_.weights[info.name] = std::move(weights);
    set_.info.networks.push_back(std::move(info));
  }

  void describe_domains() {
    for (const NetworkInfo& network : set_.info.networks) {
      if (network.kind != "generator") continue;
      const bool back = network.name == "g_b_to_a";
      const std::int64_t in = network.options.at("in_channels"), out = network.options.at("out_channels");
      set_.info.a.channels = back ? out : in;
      set_.info.b.channels = back ? in : out;
    }
    const std::string root = hints_.recorded ? hints_.recorded->text("dataroot") : "";
    const fs::path clean = fs::path(root).lexically_normal();
    const std::string name = (clean.has_filename() ? clean : clean.parent_path()).filename().string();
    set_.info.a.name = name.empty() ? "A" : name + "A";
    set_.info.b.name = name.empty() ? "B" : name + "B";
  }

  void describe_preprocessing() {
    if (!hints_.recorded) return;
    TransformOptions o;
    o.preprocess = hints_.recorded->text("preprocess");
    o.load_size = hints_.recorded->number("load_size").value_or(o.load_size);
    o.crop_size = hints_.recorded->number("crop_size").value_or(o.crop_size);
    o.flip = !hints_.recorded->flag("no_flip").value_or(false);
    if (!o.preprocess.empty()) set_.info.preprocessing = options_to_json(o);
  }

  NetworkHints hints_;
  WeightSet set_;
};

}  // namespace

WeightSet read_reference(const fs::path& path, const WeightChoice& choice) {
  const bool is_folder = fs::is_directory(path);
  const fs::path folder = is_folder ? path : path.parent_path();
  ReferenceReader reader(path, {choice, find_reference_options(folder.empty() ? fs::path(".") : folder)});
  for (const ReferenceFile& file : is_folder ? newest_files(path) : std::vector{parse_name(path)})
    reader.add(file);
  WeightSet set = reader.finish();
  if (set.info.networks.empty()) fail("{}: holds no network that torsor can take over", path.string());
  return set;
}

}  // namespace torsor
