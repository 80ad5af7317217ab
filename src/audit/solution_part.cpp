#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "audit/closeness.h"
#include "audit/needed_images.h"
#include "audit/parts.h"
#include "audit/perturbations.h"
#include "audit/solution.h"
#include "core/error.h"
#include "metric/metrics.h"

namespace torsor {

namespace {

// KID of `fake`, made of the images of `from`, against the held-out images of `to`.
Estimate kid_against(AuditMaterial& material, const at::Tensor& fake, const std::string& from,
                     const std::string& to) {
  const AuditOptions& options = material.options();
  SetScorer scorer({material.real_features(to), fake,
                    group_by_name(material.images(to).names, material.images(from).names, options.groups)},
                   options.metric());
  return Estimate::of(scorer.score("kid"));
}

struct SolutionReference {
  bool coincide = false;  // the domains have one distribution, as far as the features see
  Estimate inputs;        // KID of the untranslated images
  Estimate blurred;       // KID of blurred images of the target; only where the domains coincide
};

SolutionReference solution_reference(AuditMaterial& material, const Direction& direction) {
  SolutionReference out;
  out.inputs = kid_against(material, material.real_features(direction.from), direction.from, direction.to);
  out.coincide = out.inputs.low() <= 0;
  if (!out.coincide) return out;
  const at::Tensor blurred = blurred_images(material.images(direction.to).values);
  out.blurred = kid_against(material, material.features(blurred, direction.to), direction.to, direction.to);
  return out;
}

Estimate copy_displacement(AuditMaterial& material, std::size_t run, const Direction& direction) {
  const AuditImages& inputs = material.images(direction.from);
  Rng rng = material.stream("copy");
  return mean_estimate(image_distances(material.translated(run, direction), inputs.values).whole,
                       inputs.groups, material.unrelated(direction.from).whole, material.options().resamples,
                       rng);
}

// Of the images as they are delivered: rounded to 8 bits, with noise.
Estimate closed_cycle(AuditMaterial& material, std::size_t run, const Direction& direction) {
  const AuditImages& inputs = material.images(direction.from);
  const at::Tensor& made = material.translated(run, direction);
  const PictureScale scale(made, material.subject().info.domain(direction.to).range);
  Rng noise = material.stream("delivered/" + direction.name()), rng = material.stream("cycle");
  const at::Tensor unit = scale.to_unit(made);
  const at::Tensor back = material.runs()[run].generator(direction.opposite())(
      scale.from_unit(barely_disturbed(unit, normal_noise(unit, noise))));
  return mean_estimate(image_distances(back, inputs.values).whole, inputs.groups,
                       material.unrelated(direction.from).whole, material.options().resamples, rng);
}

Json solution_of(AuditMaterial& material, std::size_t run, const Direction& direction,
                 const SolutionReference& reference) {
  const ModelInfo& info = material.subject().info;
  const Estimate kid =
      kid_against(material, material.features(material.translated(run, direction), direction.to),
                  direction.from, direction.to);
  Json out = {{"kid", kid.json()},
              {"kid_of_inputs", reference.inputs.json()},
              {"domains_coincide", reference.coincide},
              {"images", material.images(direction.from).size()},
              {"copy", nullptr},
              {"cycle", nullptr}};
  if (reference.coincide) out["kid_of_blurred"] = reference.blurred.json();
  if (info.domain("a").channels == info.domain("b").channels)
    out["copy"] = copy_displacement(material, run, direction).json();
  if (material.runs()[run].has(direction.opposite()))
    out["cycle"] = closed_cycle(material, run, direction).json();
  return out;
}

Json solution_table(const Json& runs) {
  Json rows = Json::array();
  const auto cell = [](const Json& estimate) {
    return estimate.is_null() ? std::string("-") : Estimate::from(estimate).text();
  };
  for (const Json& run : runs)
    for (const auto& [direction, of] : run.at("directions").items())
      rows.push_back({run.at("name"), direction, cell(of.at("kid")), cell(of.at("kid_of_inputs")),
                      of.contains("kid_of_blurred") ? cell(of.at("kid_of_blurred")) : "-",
                      cell(of.at("copy")), cell(of.at("cycle"))});
  return {{"caption",
           "KID of the translations, of the untranslated inputs and, where the domains coincide, of blurred "
           "images of the target, each against held-out images of the target; the distance of translations "
           "from their inputs, and of reconstructions made from rounded and noisy translations (0 = the same "
           "image, 1 = an unrelated one)."},
          {"header", {"run", "direction", "KID", "of the inputs", "of blurred", "from the input", "cycle"}},
          {"rows", rows}};
}

std::string solution_why_not(const AuditMaterial&) { return ""; }

Json measure_solution(AuditMaterial& material) {
  Json runs = Json::array();
  for (const AuditedRun& run : material.runs())
    runs.push_back({{"name", run.name}, {"directions", Json::object()}});
  for (const Direction& direction : material.directions()) {
    const SolutionReference reference = solution_reference(material, direction);
    for (std::size_t i = 0; i < runs.size(); ++i) {
      runs[i]["directions"][direction.name()] = solution_of(material, i, direction, reference);
      material.log().progress("solutions: " + direction.name(), static_cast<std::int64_t>(i + 1),
                              std::ssize(runs));
    }
  }
  return {{"runs", runs}, {"tables", Json::array({solution_table(runs)})}};
}

// What it would take: of a KID that is low enough and not surely so, more images, whose number narrows an
// interval by its root.
std::string needed_for_solution(const Json& direction, const AuditThresholds& t) {
  const Estimate kid = Estimate::from(direction.at("kid"));
  if (!kid.interval)
    return fmt::format("held-out images of at least 5 groups in each domain ({})", kid.no_interval);
  const bool coincide = direction.at("domains_coincide");
  const double reference = direction.at(coincide ? "kid_of_blurred" : "kid_of_inputs").at("value");
  if (kid.value > t.solution_share * reference || kid.high() < reference)
    return "train longer, and look at samples and losses with torsor report; more images would not change "
           "this";
  const double factor = std::pow((kid.high() - kid.value) / (reference - kid.value), 2);
  const double images = std::ceil(1.2 * factor * direction.at("images").get<double>());
  const char* nearer =
      coincide ? "nearer to the target than blurred images of it" : "nearer to the target than their inputs";
  if (!(images <= double(kMostImagesToAskFor)))
    return fmt::format(
        "other features (--features) that tell the two apart, or a longer training: more images will hardly "
        "settle whether the translations are {}, because their KID, {:.3g}, lies so near {:.3g}, which is "
        "that of the {}",
        nearer, kid.value, reference, coincide ? "blurred images" : "inputs");
  return fmt::format(
      "about {:.0f} held-out images of each domain: {} leave open whether the translations are {}", images,
      direction.at("images").get<std::int64_t>(), nearer);
}

// The clause of no_solution() about the way back.
std::string no_closed_cycle(const Json& of, const AuditThresholds& t) {
  if (!of.at("cycle").is_null()) {
    const Estimate cycle = Estimate::from(of.at("cycle"));
    if (cycle.value > t.cycle_share)
      return fmt::format(
          "brought back, rounded and with a little noise, they are {} from their inputs, where "
          "0 is the same image and 1 an unrelated one; a closed cycle has at most {}",
          cycle.text(), t.cycle_share);
  }
  return "";
}

std::vector<AuditFinding> judge_solution(const Json& parts, const AuditThresholds& thresholds) {
  std::vector<AuditFinding> out;
  bool first = true;
  for (const Json& run : parts.at("solution").at("runs")) {
    for (const auto& [direction, of] : run.at("directions").items()) {
      const std::string reason = no_solution(of, thresholds);
      AuditFinding finding;
      finding.id = fmt::format("solution-{}-{}", run.at("name").get<std::string>(), direction);
      finding.role = first ? FindingRole::gate : FindingRole::note;
      finding.estimate = Estimate::from(of.at("kid"));
      finding.title = fmt::format("{} {}: {}", run.at("name").get<std::string>(), direction,
                                  reason.empty() ? "a solution" : "not a solution");
      finding.verdict = reason.empty() ? AuditVerdict::green : AuditVerdict::cannot_tell;
      finding.text = reason.empty() ? "The translations resemble the target domain and can be brought back, "
                                      "so there is something to audit."
                                    : "Its translations cannot be judged as a solution: " + reason + ".";
      if (!reason.empty()) finding.needed = needed_for_solution(of, thresholds);
      out.push_back(std::move(finding));
    }
    first = false;
  }
  return out;
}

}  // namespace

std::string no_solution(const Json& of, const AuditThresholds& t) {
  const Estimate kid = Estimate::from(of.at("kid"));
  const bool coincide = of.at("domains_coincide");
  const Estimate reference = Estimate::from(of.at(coincide ? "kid_of_blurred" : "kid_of_inputs"));
  const char* of_what = coincide ? "blurred images of the target" : "the untranslated inputs";
  if (!kid.interval) return fmt::format("KID has no interval ({}), so it says nothing", kid.no_interval);
  // Where blurring is not seen either, as of images of one grey, nothing is left to compare with.
  const bool blind = coincide && reference.low() <= 0;
  if (blind && kid.low() <= 0) return no_closed_cycle(of, t);
  if (kid.value > t.solution_share * reference.value)
    return fmt::format(
        "their KID against real images is {}, and that of {} is {}; a solution has at most {} "
        "of it",
        kid.text(), of_what, reference.text(), t.solution_share);
  if (kid.high() >= reference.value)
    return fmt::format("their KID against real images, {}, is not clearly below that of {}, {}", kid.text(),
                       of_what, reference.text());
  if (!coincide && !of.at("copy").is_null()) {
    const Estimate copy = Estimate::from(of.at("copy"));
    if (copy.value < t.copy_share)
      return fmt::format("they are copies of their inputs (distance {}, a copy has below {})", copy.text(),
                         t.copy_share);
  }
  return no_closed_cycle(of, t);
}

bool is_solution(const Json& parts, std::size_t run, const AuditThresholds& thresholds) {
  if (!parts.contains("solution")) return true;
  const Json& directions = parts.at("solution").at("runs").at(run).at("directions");
  return std::all_of(directions.begin(), directions.end(),
                     [&](const Json& of) { return no_solution(of, thresholds).empty(); });
}

AuditPart solution_part() {
  return {"solution",
          "Is it a solution at all?",
          "Before anybody asks whether a translation is the right one, it has to be one: its images must "
          "resemble the target domain, it must not be a copy of the input, and the way back must bring the "
          "input back from the image as it is delivered.",
          solution_why_not,
          measure_solution,
          judge_solution};
}

}  // namespace torsor
