#include <ATen/ATen.h>

#include <algorithm>
#include <set>

#include "audit/anchor_evidence.h"
#include "audit/anchors.h"
#include "audit/parts.h"
#include "audit/rival_standing.h"
#include "core/error.h"
#include "report/grid.h"

namespace torsor {

namespace {

std::string anchors_why_not(const AuditMaterial& material) {
  if (material.pairs() || has_label_evidence(material, kAToB) || has_label_evidence(material, kBToA))
    return "";
  return "no pairs and no labels were given (--pairs-a and --pairs-b); without them nothing can show that a "
         "solution is the right one";
}

// Pairs that a training was anchored by are no evidence about it.
void refuse_anchors(const AuditMaterial& material, const AuditImages& images) {
  for (const AuditedRun& run : material.runs()) {
    const std::set<std::string> anchors(run.anchors.begin(), run.anchors.end());
    for (std::size_t i = 0; i < images.keys.size(); ++i)
      if (anchors.contains(images.keys[i]))
        fail(
            "{}: anchored the training of {}, so it is no evidence about it; give pairs that training never "
            "saw",
            (images.folder / images.names[i]).string(), run.source);
  }
}

std::string rival_table_cell(const RivalStanding& rival) {
  if (rival.equivalent) return "the same answers";
  if (rival.same_solution) return "the same solution";
  if (rival.preferred) return "nearer to the truth than the run";
  if (rival.beaten) return "beaten";
  return rival.minor ? "moves too little to matter" : "not ruled out";
}

Json rival_table(const Json& anchors, const std::string& kind, const std::string& direction,
                 const AuditThresholds& thresholds) {
  Json rows = Json::array();
  const Json& evidence = anchors.at("directions").at(direction).at(kind);
  rows.push_back(
      {"this run", fmt::format("{:.3f}", evidence.at("error").at("value").get<double>()), "0", ""});
  for (const RivalStanding& rival : rival_standings(anchors, kind, direction, {}, thresholds))
    rows.push_back({rival.text, fmt::format("{:.3f}", rival.error), fmt::format("{:.3f}", rival.displacement),
                    rival_table_cell(rival)});
  return {{"caption",
           fmt::format("{} {}: the error of each answer against the truth, and how far it is from this run's "
                       "(0 = the same image, 1 = an unrelated one{}). Tests are by sign flips over groups, "
                       "corrected for all answers (Holm).",
                       kind, direction, kind == "labels" ? "; errors are shares of changed classes" : "")},
          {"header", {"answer", "error", "distance from the run", ""}},
          {"rows", rows}};
}

Json correction_table(const Json& evidence, const std::string& direction) {
  Json rows = Json::array();
  for (const Json& one : evidence.at("corrections"))
    rows.push_back({one.at("text"), Estimate::from(one.at("improvement")).text(),
                    one.at("kind") == "sharpness" ? "told, does not count" : "counts"});
  return {
      {"caption", direction + ": the share of the error that a correction takes away on pairs that it was "
                              "not fitted on."},
      {"header", {"correction", "takes away", ""}},
      {"rows", rows}};
}

// The rival whose answers are nearest to the targets and are not the run's; null where there is none.
const Json* nearest_rival(const Json& evidence, double copy_share) {
  const Json* out = nullptr;
  for (const Json& rival : evidence.at("rivals")) {
    if (rival.at("id") == kUnrelatedRival || rival.at("id") == kConstantRival ||
        rival.at("displacement").get<double>() < copy_share)
      continue;
    if (out == nullptr || rival.at("error").get<double>() < out->at("error").get<double>()) out = &rival;
  }
  return out;
}

// A difference of images as one: black where there is none.
at::Tensor difference_picture(const at::Tensor& x, const at::Tensor& y, double black) {
  return ((x - y).abs() + black).clamp_max(1);
}

}  // namespace

Json pair_figure(AuditMaterial& material, const Direction& direction, const Json& evidence) {
  const AuditPairs pairs = anchor_pairs(material);
  const at::Tensor &inputs = (direction.from == "a" ? pairs.a : pairs.b).values,
                   &targets = (direction.to == "a" ? pairs.a : pairs.b).values;
  const at::Tensor which = at::tensor(evidence.at("shown").get<std::vector<std::int64_t>>(), at::kLong);
  const at::Tensor x = inputs.index_select(0, which), y = targets.index_select(0, which),
                   g = material.subject().generator(direction)(x);
  const Json* rival = nearest_rival(evidence, material.options().thresholds.copy_share);
  at::Tensor other;
  if (rival != nullptr)
    for (const RivalAnswer& one : rival_answers(material, direction))
      if (one.id == rival->at("id")) other = one.answer(x, g);
  const double black = material.subject().info.domain(direction.to).range.black;
  std::vector<std::vector<Image>> rows;
  for (std::int64_t i = 0; i < which.numel(); ++i) {
    std::vector<Image> row = {material.picture(x[i], direction.from), material.picture(g[i], direction.to),
                              material.picture(y[i], direction.to),
                              material.picture(difference_picture(g[i], y[i], black), direction.to)};
    if (other.defined()) row.push_back(material.picture(other[i], direction.to));
    rows.push_back(std::move(row));
  }
  const std::string last =
      other.defined() ? fmt::format(", the nearest rival's answer ({})", rival->at("text").get<std::string>())
                      : "";
  return material.write_figure(
      "anchors-" + direction.name(), make_grid(rows),
      fmt::format("{}: the pairs with the largest, the median and the least error. From "
                  "left to right the input, the translation, the true image, their difference{}.",
                  direction.name(), last));
}

namespace {

Json measure_anchors(AuditMaterial& material) {
  const AuditThresholds& thresholds = material.options().thresholds;
  Json out = {{"directions", Json::object()}, {"figures", Json::array()}, {"tables", Json::array()}};
  if (material.pairs()) {
    refuse_anchors(material, material.pairs()->a);
    refuse_anchors(material, material.pairs()->b);
    out["pairs_given"] = material.pairs()->size();
  }
  for (const Direction& direction : {kAToB, kBToA}) {
    if (!material.subject().has(direction)) continue;
    Json& of = out["directions"][direction.name()] = Json::object();
    if (material.pairs()) {
      of["pairs"] = pair_evidence(material, direction);
      of["pairs"]["figures"] = Json::array({pair_figure(material, direction, of["pairs"])});
      out["figures"].push_back(of["pairs"]["figures"][0]);
    }
    if (has_label_evidence(material, direction)) {
      refuse_anchors(material, material.images(direction.from));
      of["labels"] = label_evidence(material, direction);
    }
  }
  for (const auto& [direction, of] : out["directions"].items()) {
    for (const auto& [kind, evidence] : of.items())
      out["tables"].push_back(rival_table(out, kind, direction, thresholds));
    if (of.contains("pairs")) out["tables"].push_back(correction_table(of.at("pairs"), direction));
  }
  out["beaten"] = beaten_rivals(out, {}, thresholds);
  return out;
}

}  // namespace

AuditPart anchors_part() {
  return {
      "anchors",
      "Do pairs or labels confirm it?",
      "Images whose true counterpart is known, and that training never saw, are the only thing that can "
      "tell the right solution from the others that fit unpaired images as well. The run is compared with "
      "each of them on every pair.",
      anchors_why_not,
      measure_anchors,
      judge_anchors,
      LineUse::measuring};
}

}  // namespace torsor
