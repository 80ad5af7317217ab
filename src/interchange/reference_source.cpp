#include "interchange/reference_source.h"

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "interchange/network_pick.h"
#include "interchange/network_search.h"
#include "interchange/reference_files.h"
#include "interchange/reference_networks.h"
#include "interchange/train_opt.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

// With --direction BtoA the model's A is the data's B.
std::string of_other_side(const std::string& name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kSides = {
      {{"g_a_to_b", "g_b_to_a"}, {"d_a", "d_b"}}};
  for (const auto& [one, other] : kSides) {
    if (name == one) return std::string(other);
    if (name == other) return std::string(one);
  }
  return name;
}

class ReferenceReader {
 public:
  ReferenceReader(const fs::path& source, NetworkHints hints) : hints_(std::move(hints)) {
    set_.source = source.string();
    set_.what = "reference weights";
    set_.info.type = "reference";
  }

  void add(const ReferenceFile& file) {
    const std::string source = file.path.string();
    if (file.role == "F") return add_features(source);
    Pick pick = pick_networks(networks_named(hints_.choice.network, find_networks(file.path), source),
                              file.role, source);
    for (const std::string& line : pick.notes) note(file.path.filename().string() + ": " + line);
    for (PickedNetwork& network : pick.networks) add(file, std::move(network));
  }

  WeightSet finish() {
    describe_domains();
    describe_preprocessing();
    if (hints_.recorded)
      set_.info.training = Json{{"reference", hints_.recorded->values}};
    else if (has_convention_)
      note(
          "there is no train_opt.txt beside the weights: directions are taken as trained with --direction "
          "AtoB");
    return std::move(set_);
  }

 private:
  void note(const std::string& line) { set_.notes.push_back(line); }
  bool swapped() const { return hints_.recorded && hints_.recorded->is_b_to_a(); }

  void add(const ReferenceFile& file, PickedNetwork picked) {
    const FoundNetwork& found = picked.found;
    if (!found.problem.empty()) fail("{}", found.problem);
    const std::string place = found.name == "." ? "" : ": " + found.name;
    const std::string source = file.path.string() + place, label = file.path.filename().string() + place;
    const bool is_generator = found.likeness != NetworkKind::discriminator;
    if (is_generator ? !name_tells_direction(found, file.role) : !file.role.empty()) has_convention_ = true;
    if (is_generator)
      add_generator(direction_in(file, picked.name), source, label, std::move(picked.found.weights));
    else
      add_discriminator(swapped() ? of_other_side(picked.name) : picked.name, source, label,
                        std::move(picked.found.weights));
  }

  void add_generator(const std::string& name, const std::string& source, const std::string& label,
                     TensorMap weights) {
    Recognised<GeneratorOptions> found = infer_generator(std::move(weights), source, hints_);
    for (const std::string& line : found.notes) note(line);
    note(fmt::format("{}: {}", label, describe_generator(found.options)));
    const Direction maps = name.starts_with("g_") ? Direction::named(name.substr(2)) : Direction();
    put(generator_info(maps, found.options), std::move(found.weights), source);
  }

  // Beside generators one of an unknown kind is left out.
  void add_discriminator(const std::string& name, const std::string& source, const std::string& label,
                         TensorMap weights) {
    std::optional<Recognised<DiscriminatorOptions>> found;
    try {
      found = infer_discriminator(std::move(weights), source, hints_);
    } catch (const Error& error) {
      if (set_.info.networks.empty()) throw;
      return note(std::string("left out: ") + error.what());
    }
    if (name != "d")
      return put(discriminator_info({name.substr(2)}, found->options), std::move(found->weights), source);
    const NetworkInfo* const generator = lone_generator();
    if (generator == nullptr)
      return put(discriminator_info({}, found->options), std::move(found->weights), source);
    const std::int64_t in = generator->options.at("in_channels"), out = generator->options.at("out_channels");
    if (found->options.in_channels == in + out)
      put_pair_discriminator(generator->maps, std::move(*found), source);
    else if (found->options.in_channels == out)
      put(discriminator_info(known({generator->maps.to}), found->options), std::move(found->weights), source);
    else
      note(
          fmt::format("{}: left out: it takes {} channels, neither the generator's output ({}) nor its input "
                      "and output together ({})",
                      label, found->options.in_channels, out, in + out));
  }

  // CUT's projections of its lone G's features.
  void add_features(const std::string& source) {
    const NetworkInfo* const generator = lone_generator();
    if (generator == nullptr)
      fail(
          "{}: holds CUT's patch features, which are of use beside its generator alone; give the folder with "
          "latest_net_G.pth",
          source);
    std::vector<FoundNetwork> found = find_networks(source);
    if (found.size() != 1)
      fail("{}: holds {} networks, expected CUT's network F alone", source, found.size());
    if (!found.front().problem.empty()) fail("{}", found.front().problem);
    const PatchFeatureOptions options = infer_patch_features(found.front().weights, source);
    put(features_info(generator->maps, options), std::move(found.front().weights), source);
  }

  // Of pix2pix, which gives it the input and the image as one stack.
  void put_pair_discriminator(const Direction& maps, Recognised<DiscriminatorOptions> found,
                              const std::string& source) {
    NetworkInfo info = discriminator_info(known({maps.from, maps.to}), found.options);
    if (!info.sees.empty()) info.name = kPairDiscriminator;
    put(std::move(info), std::move(found.weights), source);
  }

  static std::vector<std::string> known(std::vector<std::string> keys) {
    return keys.front().empty() ? std::vector<std::string>{} : keys;
  }

  // A lone D belongs to the lone G beside it.
  const NetworkInfo* lone_generator() const {
    const NetworkInfo* lone = nullptr;
    for (const NetworkInfo& network : set_.info.networks) {
      if (network.kind != kGeneratorKind) continue;
      if (lone != nullptr) return nullptr;
      lone = &network;
    }
    return lone;
  }

  // The direction of a lone G of the reference stands in train_opt.txt.
  std::string direction_in(const ReferenceFile& file, const std::string& name) const {
    const bool is_told = file.role == "G" && hints_.recorded && !hints_.recorded->text("direction").empty();
    const std::string own = name == "g" && is_told ? "g_a_to_b" : name;
    return swapped() ? of_other_side(own) : own;
  }

  void put(NetworkInfo info, TensorMap weights, const std::string& source) {
    if (set_.weights.contains(info.name))
      fail("{}: is a second {} of {}; give one of them alone", source, info.name, set_.source);
    set_.weights[info.name] = std::move(weights);
    set_.info.networks.push_back(std::move(info));
  }

  void describe_domains() {
    for (const NetworkInfo& network : set_.info.networks) {
      if (network.kind != kGeneratorKind) continue;
      const Direction maps = network.maps.is_known() ? network.maps : kAToB;
      set_.info.domains[maps.from].channels = network.options.at("in_channels");
      set_.info.domains[maps.to].channels = network.options.at("out_channels");
    }
    const std::string root = hints_.recorded ? hints_.recorded->text("dataroot") : "";
    const fs::path clean = fs::path(root).lexically_normal();
    const std::string name = (clean.has_filename() ? clean : clean.parent_path()).filename().string();
    set_.info.domains["a"].name = name.empty() ? "A" : name + "A";
    set_.info.domains["b"].name = name.empty() ? "B" : name + "B";
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
  bool has_convention_ = false;  // the reference's conventions say which way a network goes
};

}  // namespace

WeightSet read_reference(const fs::path& path, const WeightChoice& choice) {
  const bool is_folder = fs::is_directory(path);
  const fs::path folder = is_folder ? path : path.parent_path();
  ReferenceReader reader(path, {choice, find_reference_options(folder.empty() ? fs::path(".") : folder)});
  if (is_folder && !choice.network.empty())
    fail_usage("--network {}: {} is a folder; give the file in it that holds this network", choice.network,
               path.string());
  for (const ReferenceFile& file : is_folder ? newest_files(path) : std::vector{parse_file_name(path)})
    reader.add(file);
  WeightSet set = reader.finish();
  if (set.info.networks.empty()) fail("{}: holds no network that torsor can take over", path.string());
  return set;
}

}  // namespace torsor
