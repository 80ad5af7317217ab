#include "audit/write_rival.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "audit/rivals.h"
#include "core/error.h"
#include "core/files.h"
#include "image/codec.h"
#include "interchange/weight_source.h"
#include "metric/kernel_distance.h"
#include "nn/moved.h"
#include "report/grid.h"
#include "theory/translators.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kComparedImages = 64, kShownImages = 6, kCheckedImages = 2;
constexpr double kSameAnswer = 1e-2;  // of one answer computed in two ways, maybe on two devices
constexpr double kSameMap = 1e-5;     // of a fitted colour map on colours that it was not fitted to

struct ChosenSymmetry {
  std::string id, domain;
  Symmetry symmetry;
};

// A symmetry as nn/moved.h stores it.
struct StoredMap {
  std::string name;         // of a spatial map, or kColourMap
  at::Tensor weight, bias;  // of kColourMap
};

ChosenSymmetry chosen_symmetry(const AuditMaterial& material, const Json& parts) {
  const std::string id = strongest_rival(parts, material.options().thresholds);
  if (id.empty())
    fail(
        "--write-rival: no symmetry is left that would matter, keeps the data's distribution as far as is "
        "known, and is not ruled out by pairs; there is no rival to write");
  for (const std::string domain : {"a", "b"})
    for (Symmetry& symmetry : battery_of(material, domain))
      if (id == fmt::format("symmetry:{}:{}", domain, symmetry.name)) {
        if (!symmetry.inverse)
          fail(
              "--write-rival: the rival '{}' has no way back, which the other generator needs; give the "
              "program of its inverse",
              symmetry.name);
        return {id, domain, std::move(symmetry)};
      }
  throw std::logic_error("a rival that is none of the battery: " + id);
}

at::Tensor random_probe(std::int64_t channels, std::int64_t side, Rng& rng) {
  at::Tensor out = at::empty({2, channels, side, side}, at::kFloat);
  for (std::int64_t i = 0; i < out.numel(); ++i)
    out.data_ptr<float>()[i] = static_cast<float>(rng.uniform(-1, 1));
  return out;
}

// The affine map of a pixel's channels that `map` is; undefined where it is another one.
StoredMap as_colours(const TensorMapping& map, std::int64_t channels, std::int64_t side, Rng& rng) {
  const at::Tensor zero = at::zeros({1, channels, 1, 1}, at::kFloat);
  const auto pixel = [&](const at::Tensor& x) {
    return map(x.expand({1, channels, side, side}).contiguous()).select(3, 0).select(2, 0).flatten();
  };
  const at::Tensor bias = pixel(zero);
  std::vector<at::Tensor> columns;
  for (std::int64_t c = 0; c < channels; ++c) {
    at::Tensor one = zero.clone();
    one[0][c] = 1;
    columns.push_back(pixel(one) - bias);
  }
  const at::Tensor weight = at::stack(columns, 1).view({channels, channels, 1, 1});
  const at::Tensor x = random_probe(channels, side, rng);
  const double error = (at::conv2d(x, weight, bias) - map(x)).abs().max().item<double>();
  return error < kSameMap ? StoredMap{kColourMap, weight, bias} : StoredMap{};
}

StoredMap as_stored(const TensorMapping& map, const std::string& name, std::int64_t channels,
                    std::int64_t side, Rng& rng) {
  const at::Tensor x = random_probe(channels, side, rng);
  const at::Tensor moved = map(x);
  for (const std::string& spatial : spatial_map_names())
    if (moved.equal(spatial_map(spatial, x))) return {spatial, {}, {}};
  StoredMap out = as_colours(map, channels, side, rng);
  if (out.name.empty())
    fail(
        "--write-rival: the rival '{}' is neither a move of pixels nor an affine change of their colours, so "
        "it "
        "cannot be a model file; leave it out of --symmetries to write the next one",
        name);
  return out;
}

TensorMap moved_weights(const TensorMap& weights, const StoredMap& map) {
  TensorMap out;
  for (const auto& [key, tensor] : weights) out.emplace_back(kMovedKey + key, tensor);
  if (map.name == kColourMap) {
    out.emplace_back(std::string(kColourKey) + "weight", map.weight);
    out.emplace_back(std::string(kColourKey) + "bias", map.bias);
  }
  return out;
}

// phi before and phi^-1 behind; of B the other way round.
void move_generator(WeightSet& set, NetworkInfo& network, const StoredMap& map, MapPlace place) {
  auto options = options_from_json<GeneratorOptions>(network.options, set.source + ": " + network.name);
  options.net_g = name_of_moved({place, map.name, options.net_g});
  network = generator_info(network.maps, options);
  for (auto* all : {&set.weights, &set.averaged})
    if (const auto found = all->find(network.name); found != all->end())
      found->second = moved_weights(found->second, map);
}

WeightSet rival_weights(const AuditMaterial& material, const ChosenSymmetry& chosen) {
  WeightSet set = open_weights(material.subject().source);
  const at::Tensor& images = material.images(chosen.domain).values;
  Rng rng = material.stream("rival");
  for (NetworkInfo& network : set.info.networks) {
    if (network.kind != kGeneratorKind || !network.maps.is_known()) continue;
    const TensorMapping& map = network.maps == kAToB ? chosen.symmetry.map : chosen.symmetry.inverse;
    move_generator(set, network, as_stored(map, chosen.symmetry.name, images.size(1), images.size(3), rng),
                   network.maps.from == chosen.domain ? MapPlace::before : MapPlace::after);
  }
  set.info.note = fmt::format("Not a trained model: a rival of {}, {}; written by torsor audit. {}",
                              material.subject().source, chosen.symmetry.text, set.info.note);
  return set;
}

// What the rival has to answer.
Translators rival_maps(const AuditMaterial& material, const ChosenSymmetry& chosen) {
  const CycleMaps& maps = material.subject().maps;
  if (chosen.domain == "a")
    return moved({maps.a_to_b, maps.b_to_a}, {chosen.symmetry.map, chosen.symmetry.inverse});
  return {[g = maps.a_to_b, psi = chosen.symmetry.map](const at::Tensor& x) { return psi(g(x)); },
          [f = maps.b_to_a, back = chosen.symmetry.inverse](const at::Tensor& y) { return f(back(y)); }};
}

const TensorMapping& of_direction(const Translators& maps, const Direction& direction) {
  return direction == kAToB ? maps.a_to_b : maps.b_to_a;
}

// A file that says one thing and computes another would be worse than none.
void check_rival(const AuditMaterial& material, const fs::path& file, const Translators& rival) {
  const AuditedRun read = open_audited_run(file, Placement{});
  for (const Direction& direction : material.directions()) {
    const at::Tensor x = material.images(direction.from).first(kCheckedImages).values;
    const double error =
        (read.generator(direction)(x) - of_direction(rival, direction)(x)).abs().max().item<double>();
    if (!(error < kSameAnswer))
      fail("{}: differs by {:.2g} from the rival that it was made of, {}; do not use it", file.string(),
           error, direction.name());
  }
}

Json losses_of(const AuditMaterial& material, const Translators& rival) {
  Json out = Json::object();
  if (!material.has_cycle()) return out;
  const std::int64_t count =
      std::min({kComparedImages, material.images("a").size(), material.images("b").size()});
  const AuditedRun& run = material.subject();
  CycleMaps moved_maps = run.maps;
  moved_maps.a_to_b = rival.a_to_b;
  moved_maps.b_to_a = rival.b_to_a;
  for (const LossTerm& term : run.terms) {
    if (!term.on()) continue;
    check_stop(material.stop());
    const auto value = [&](const CycleMaps& maps) {
      Pictures pictures(material.images("a").first(count).values, material.images("b").first(count).values);
      for (const Picture picture : passes_to(term.needs)) pictures.make(picture, maps);
      return term.weight * term.mean(pictures, maps).item<double>();
    };
    out[term.name] = {{"model", value(run.maps)}, {"rival", value(moved_maps)}};
  }
  return out;
}

Json kids_of(const AuditMaterial& material, const Translators& rival) {
  Json out = Json::object();
  for (const Direction& direction : material.directions()) {
    const at::Tensor x = material.images(direction.from).first(kComparedImages).values,
                     real = material.features(material.images(direction.to).values, direction.to);
    const auto kid = [&](const TensorMapping& map) {
      return kernel_distance(material.features(map(x), direction.to), real);
    };
    out[direction.name()] = {{"model", kid(material.subject().generator(direction))},
                             {"rival", kid(of_direction(rival, direction))}};
  }
  return out;
}

Image rival_picture(const AuditMaterial& material, const Translators& rival) {
  std::vector<std::vector<Image>> rows;
  for (const Direction& direction : material.directions()) {
    const at::Tensor x = material.images(direction.from).first(kShownImages).values;
    const auto row = [&](const at::Tensor& images, const std::string& domain) {
      std::vector<Image> cells;
      for (std::int64_t i = 0; i < images.size(0); ++i) cells.push_back(material.picture(images[i], domain));
      rows.push_back(std::move(cells));
    };
    row(x, direction.from);
    row(material.subject().generator(direction)(x), direction.to);
    row(of_direction(rival, direction)(x), direction.to);
  }
  return make_grid(rows);
}

}  // namespace

std::string strongest_rival(const Json& parts, const AuditThresholds& thresholds) {
  std::vector<std::string> beaten;
  if (parts.contains("anchors")) beaten = parts.at("anchors").at("beaten").get<std::vector<std::string>>();
  std::string best;
  std::pair<bool, double> strength;  // shown, displacement
  if (!parts.contains("symmetries")) return best;
  for (const Json& rival : parts.at("symmetries").value("rivals", Json::array())) {
    if (!rival.contains("displacement")) continue;  // there is no way back for the only direction
    const std::string id = rival_id(rival), kept = rival.at("automorphism");
    const double displacement = Estimate::from(rival.at("displacement")).value;
    if (kept == "excluded" || displacement < thresholds.matters ||
        std::find(beaten.begin(), beaten.end(), id) != beaten.end())
      continue;
    const std::pair<bool, double> candidate{kept == "shown", displacement};
    if (!best.empty() && candidate <= strength) continue;
    best = id;
    strength = candidate;
  }
  return best;
}

fs::path write_rival(const AuditMaterial& material, const Json& parts, const fs::path& folder) {
  const at::NoGradGuard no_grad;
  const ChosenSymmetry chosen = chosen_symmetry(material, parts);
  const WeightSet set = rival_weights(material, chosen);
  make_folder(folder);
  const fs::path file = folder / "rival.safetensors";
  write_weights(file, set);
  const Translators rival = rival_maps(material, chosen);
  check_rival(material, file, rival);
  write_image(folder / "rival.png", rival_picture(material, rival));
  const Json out = {{"model", material.subject().source},
                    {"rival", file.string()},
                    {"symmetry", chosen.id},
                    {"text", chosen.symmetry.text},
                    {"losses", losses_of(material, rival)},
                    {"kid", kids_of(material, rival)}};
  write_file_atomically(folder / "rival.json", out.dump(2) + "\n");
  return file;
}

}  // namespace torsor
