#include "transport/transport_result.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/files.h"
#include "core/version.h"

namespace torsor {

namespace {

constexpr double kNormed = 0.01;  // from 1: a norm's epsilon, and rounding in bfloat16

std::vector<double> numbers_in(const at::Tensor& values) {
  const at::Tensor flat = values.contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

Json own_json(const MapTransport& map) {
  Json out = map.own.json();
  out["bound"] = map.own_bound;
  out["shuffled"] = json_number(map.sizes.back().shuffled);
  out["sizes"] = Json::array();
  for (const OwnAtSize& size : map.sizes)
    out["sizes"].push_back(
        {{"images", size.images}, {"own", json_number(size.own)}, {"shuffled", json_number(size.shuffled)}});
  return out;
}

Json optimal_json(const MapTransport& map) {
  Json out = map.optimal.json();
  out["bound"] = map.optimal_bound;
  out["corrected"] = map.corrected.json();
  out["corrected"]["images"] = map.half;
  return out;
}

Json direction_json(const DirectionTransport& direction) {
  const MapTransport& map = direction.map;
  return {{"images", direction.images},
          {"targets", direction.targets},
          {"own", own_json(map)},
          {"cost", map.cost.json()},
          {"optimal", optimal_json(map)},
          {"random", map.random.json()},
          {"gap", map.gap.json()},
          {"violated", {{"pairs", map.exchange.json()}, {"triples", map.ring.json()}}},
          {"blocks", direction.blocks.json()}};
}

std::string short_number(double value) {
  if (std::isinf(value)) return value > 0 ? "infinite" : "-infinite";
  return fmt::format("{:.4g}", value);
}

}  // namespace

Json GeneratorBlocks::json() const {
  if (!measures) return {{"not_measured", why_not}};
  return {{"count", measures->count},
          {"energy", measures->energy.json()},
          {"shares", measures->shares},
          {"normalised", measures->normalised},
          {"straightness", measures->straightness.json()}};
}

BlockMeasures block_measures(const BlockEnergy& energy, const SampleUnits& units) {
  BlockMeasures out;
  out.count = energy.blocks.size(1);
  out.energy = mean_over_images(numbers_in(energy.energy()), units);
  out.shares = energy.shares();
  const at::Tensor squares = energy.blocks / static_cast<double>(out.count);
  out.normalised = (squares - 1).abs().max().item<double>() < kNormed;
  if (energy.straightness.defined()) {
    out.straightness = mean_over_images(numbers_in(energy.straightness), units);
  } else {
    out.straightness.no_value = "the blocks work at several sizes, so that their residuals have no sum";
    out.straightness.uncertainty.none = out.straightness.no_value;
  }
  return out;
}

Json transport_json(const TransportResult& result) {
  Json directions = Json::object();
  for (const DirectionTransport& direction : result.directions)
    directions[direction.name] = direction_json(direction);
  return {{"torsor", torsor_version()},
          {"about", result.about},
          {"protocol", result.protocol},
          {"directions", directions}};
}

std::string transport_text(const TransportNumber& number) {
  if (!number.value) return "none: " + number.no_value;
  const auto& interval = number.uncertainty.interval;
  if (!interval) return short_number(*number.value);
  return fmt::format("{} ({} to {})", short_number(*number.value), short_number(interval->low),
                     short_number(interval->high));
}

TransportFiles transport_files(const std::filesystem::path& out) {
  return {out / "transport.json", out / "index.html"};
}

void write_transport(const TransportResult& result, const std::string& command,
                     const std::filesystem::path& out) {
  make_folder(out);
  const TransportFiles files = transport_files(out);
  transport_page(result, command).save(files.page);
  write_file_atomically(files.json, transport_json(result).dump(2) + "\n");  // the last: all is there
}

}  // namespace torsor
