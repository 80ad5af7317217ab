// H: how far translations move their images, beside the least that would have done.
#include <ATen/ATen.h>

#include <algorithm>

#include "audit/generator_blocks.h"
#include "audit/parts.h"
#include "core/error.h"
#include "transport/map_transport.h"
#include "transport/pair_costs.h"
#include "transport/transport_result.h"

namespace torsor {

namespace {

constexpr std::int64_t kQuickTransported = 128;  // images of a domain at --scale quick
constexpr std::int64_t kQuickSubsamples = 20, kQuickSplits = 4;

// The images that are compared, by pixels where both domains have as many channels.
class AuditTransport {
 public:
  explicit AuditTransport(AuditMaterial& material)
      : material_(material),
        quick_(material.options().size() == AuditScale::quick),
        by_pixels_(material.images("a").values.size(1) == material.images("b").values.size(1)),
        a_(looked_at(material.images("a").values, "a")),
        b_(looked_at(material.images("b").values, "b")),
        shared_{costs(a_, a_), costs(b_, b_), costs(a_, b_)} {}

  bool by_pixels() const { return by_pixels_; }

  // [n,...]: the translations, as they are compared.
  at::Tensor made_by(const Direction& direction) const {
    return looked_at(material_.translated(0, direction), direction.to);
  }

  GeneratorBlocks blocks_of(const Direction& direction) const {
    if (!material_.subject().network) return {std::nullopt, "of this run only its maps are known"};
    const Placement placement = resolve_placement(material_.placement());
    const LoadedGenerator loaded = material_.subject().network(direction);
    set_placement(*loaded.generator, placement);
    return generator_blocks(*loaded.generator, first(material_.images(direction.from).values),
                            units(direction.from), placement, material_.stop());
  }

  PlaneMap plane_of(const Direction& direction, const at::Tensor& made) const {
    return plane_map(compared(direction.from), made, compared(direction.to));
  }

  MapTransport of(const Direction& direction, const at::Tensor& made) const {
    MapOptions options;
    options.seed = static_cast<std::uint64_t>(material_.options().audit_seed);
    if (quick_) {
      options.subsamples = kQuickSubsamples;
      options.splits = kQuickSplits;
    }
    return map_transport(costs_of(direction, made), units(direction.from), units(direction.to), options,
                         [&](std::int64_t, std::int64_t) { check_stop(material_.stop()); });
  }

 private:
  // [n,...] of the images of this domain that are compared.
  at::Tensor looked_at(const at::Tensor& values, const std::string& domain) const {
    return by_pixels_ ? first(values) : material_.features(first(values), domain);
  }
  at::Tensor first(const at::Tensor& values) const {
    return quick_ ? values.narrow(0, 0, std::min(kQuickTransported, values.size(0))) : values;
  }
  const at::Tensor& compared(const std::string& domain) const { return domain == "a" ? a_ : b_; }
  MapCosts costs_of(const Direction& direction, const at::Tensor& made) const {
    return direction == kAToB ? shared_.of_a_to_b(costs(a_, made)) : shared_.of_b_to_a(costs(b_, made));
  }
  at::Tensor costs(const at::Tensor& x, const at::Tensor& y) const {
    check_stop(material_.stop());
    return pair_costs(x, y, CostOptions{});
  }
  SampleUnits units(const std::string& domain) const {
    const std::vector<std::int64_t>& groups = material_.images(domain).groups;
    return SampleUnits({groups.begin(), groups.begin() + compared(domain).size(0)});
  }

  AuditMaterial& material_;
  bool quick_, by_pixels_;
  at::Tensor a_, b_;  // of images, or their features
  DomainCosts shared_;
};

std::string why_no_transport(const AuditMaterial& material) {
  const at::Tensor &a = material.images("a").values, &b = material.images("b").values;
  if (!a.sizes().slice(2).equals(b.sizes().slice(2))) return "the images of A and B differ in size";
  return "";
}

Json transport_table(const Json& directions, const std::string& compared_by) {
  Json rows = Json::array();
  for (const auto& [name, of] : directions.items()) {
    Json row = {name};
    for (const char* key : {"own", "cost", "optimal", "corrected", "random", "gap"})
      row.push_back(of.at("texts").at(key));
    rows.push_back(std::move(row));
  }
  return {
      {"caption",
       fmt::format(
           "Costs are means of squared differences of {}. Own: the cost of the translations over that of the "
           "best re-matching of the same inputs and outputs, 1 or more. Optimal: the cheapest plan to the "
           "images of the other domain; corrected: less what samples of one domain cost each other. Random: "
           "of all pairs. Gap: 0 is as cheap as any map to the other domain, 1 as dear as pairs at random.",
           compared_by)},
      {"header", {"direction", "own", "cost", "optimal", "corrected", "random", "gap"}},
      {"rows", rows}};
}

Json block_table(const Json& directions) {
  Json rows = Json::array();
  for (const auto& [name, of] : directions.items()) {
    const Json& blocks = of.at("blocks");
    if (blocks.contains("not_measured"))
      rows.push_back({name, "not measured: " + blocks.at("not_measured").get<std::string>(), "", ""});
    else
      rows.push_back(
          {name, blocks.at("count").dump(), of.at("texts").at("energy"), of.at("texts").at("straightness")});
  }
  return {
      {"caption",
       "Residual blocks. Energy: K times the sum of the K residuals' mean squares; the encoder in front of "
       "the blocks chooses its scale, so that it is no cost in pixels. Straightness: 1 where all blocks push "
       "one way."},
      {"header", {"direction", "blocks", "energy", "straightness"}},
      {"rows", rows}};
}

Json measure_transport_part(AuditMaterial& material) {
  const AuditTransport transport(material);
  Json directions = Json::object(), figures = Json::array();
  for (const Direction& direction : {kAToB, kBToA}) {
    if (!material.subject().has(direction)) continue;
    const at::Tensor made = transport.made_by(direction);
    const MapTransport map = transport.of(direction, made);
    Json& of = directions[direction.name()];
    for (const auto& [key, number] :
         {std::pair("own", &map.own), std::pair("cost", &map.cost), std::pair("optimal", &map.optimal),
          std::pair("corrected", &map.corrected), std::pair("random", &map.random),
          std::pair("gap", &map.gap)}) {
      of[key] = number->json();
      of["texts"][key] = transport_text(*number);
    }
    of["shuffled"] = json_number(map.sizes.back().shuffled);
    const GeneratorBlocks blocks = transport.blocks_of(direction);
    of["blocks"] = blocks.json();
    if (blocks.measures) {
      of["texts"]["energy"] = transport_text(blocks.measures->energy);
      of["texts"]["straightness"] = transport_text(blocks.measures->straightness);
    }
    const PlaneMap plane = transport.plane_of(direction, made);
    figures.push_back(material.write_figure(
        "transport-" + direction.name(),
        draw(plane_chart(plane, "Where " + direction.name() + " takes images")).image, plane_caption(plane)));
  }
  const std::string compared_by = transport.by_pixels() ? "pixels" : "features";
  return {{"compared_by", compared_by},
          {"directions", directions},
          {"figures", figures},
          {"tables", Json::array({transport_table(directions, compared_by), block_table(directions)})}};
}

// "inf" where the best re-matching alone costs nothing.
bool is_finite_estimate(const Json& number) {
  const Json& interval = number.at("interval");
  return number.at("value").is_number() &&
         (interval.is_null() || (interval.at(0).is_number() && interval.at(1).is_number()));
}

AuditFinding transport_finding(const std::string& direction, const Json& of) {
  AuditFinding out;
  out.id = "transport-" + direction;
  out.role = FindingRole::note;
  out.verdict = AuditVerdict::green;
  const Json& own = of.at("own");
  if (is_finite_estimate(own)) out.estimate = Estimate::from(own);
  out.title = "What " + direction + " moves";
  out.text = fmt::format(
      "{}: translations cost {} times the best re-matching of the same images; on the way from the cheapest "
      "map to "
      "the other domain (0) to pairs at random (1) they stand at {}. A low cost is no proof that they are "
      "right: "
      "where the right translation is dear, the cheap one is wrong.",
      direction, of.at("texts").at("own").get<std::string>(), of.at("texts").at("gap").get<std::string>());
  return out;
}

std::vector<AuditFinding> judge_transport_part(const Json& parts, const AuditThresholds&) {
  std::vector<AuditFinding> out;
  for (const auto& [direction, of] : parts.at("transport").at("directions").items())
    out.push_back(transport_finding(direction, of));
  return out;
}

}  // namespace

AuditPart transport_part() {
  return {"transport",
          "How far do translations move their images?",
          "Of all maps to the other domain some move images less than others. Trainings of residual networks "
          "tend to "
          "the cheap ones, which is right only where the right translation is cheap. torsor transport "
          "measures more of "
          "it.",
          why_no_transport,
          measure_transport_part,
          judge_transport_part};
}

}  // namespace torsor
