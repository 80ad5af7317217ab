#include "infer/evidence.h"

#include <cmath>

#include "core/error.h"
#include "core/text.h"
#include "infer/ensemble.h"

namespace torsor {

namespace {

constexpr double kEvidenceDigits = 1e6;

Json rounded_or_null(const std::optional<double>& value) {
  if (!value || !std::isfinite(*value)) return nullptr;
  return std::round(*value * kEvidenceDigits) / kEvidenceDigits;
}

Json graded_json(const GradedValue& graded) {
  Json out = {{"value", rounded_or_null(graded.value)}, {"percentile", rounded_or_null(graded.percentile)}};
  if (!graded.why_not.empty()) out["because"] = graded.why_not;
  return out;
}

Json likeness_json(const std::optional<Recognition>& seen) {
  if (!seen)
    return {{"value", nullptr},
            {"limit", nullptr},
            {"likeness", nullptr},
            {"because", "the model does not know its training images"}};
  return {{"value", rounded_or_null(seen->distance)},
          {"limit", rounded_or_null(seen->limit)},
          {"likeness", likeness_name(seen->likeness)}};
}

Json ensemble_json(const std::optional<EnsembleEvidence>& ensemble) {
  if (!ensemble) return nullptr;
  Json out = {{"models", ensemble->models},
              {"output", ensemble->output},
              {"spread", rounded_or_null(ensemble->spread)},
              {"worst_patch", rounded_or_null(ensemble->worst_patch)},
              {"spread_map", ensemble->map.empty() ? Json(nullptr) : Json(ensemble->map)}};
  if (!ensemble->map.empty()) out["spread_map_white"] = kSpreadWhite;
  out["sentence"] = kSpreadSentence;
  return out;
}

GradedValue graded(const std::optional<double>& value, const std::string& why_no_value,
                   const std::optional<Quantiles>& scale, const std::string& why_no_percentile) {
  GradedValue out{value, std::nullopt, why_no_value};
  if (!value) return out;
  if (scale)
    out.percentile = scale->percentile(*value);
  else
    out.why_not = why_no_percentile;
  return out;
}

std::optional<Quantiles> scale_of(const std::optional<Calibration>& calibration,
                                  const std::string& incomparable,
                                  std::optional<Quantiles> Calibration::*measure) {
  return calibration && incomparable.empty() ? (*calibration).*measure : std::nullopt;
}

std::string images_text(const std::optional<CalibrationUsed>& used) {
  return used ? fmt::format("the {} calibration images", used->images) : "the calibration images";
}

// "its cycle error, 0.21, is higher than that of 99.6 % of the 120 calibration images".
std::string beyond(const std::string& what, double value, double share, const std::string& than,
                   const std::optional<CalibrationUsed>& used) {
  return fmt::format("Its {}, {:.4f}, is {} than that of {} of {}.", what, value, than,
                     share >= 100 ? "all" : fmt::format("{:.1f} %", share), images_text(used));
}

}  // namespace

void EvidenceLimits::describe(OptionSet& o) {
  o.add("doubt_percentile", doubt_percentile,
        "an output is doubtful when its cycle error or its discriminator's score is worse than that of this "
        "percentage of the calibration images")
      .range(50, 100);
  o.add("doubt_spread", doubt_spread,
        "an output is doubtful when the models of --also differ from MODEL in some patch by more: a standard "
        "deviation, as a share of the range from black to white")
      .range(0, 1);
}

Json Evidence::json() const {
  const auto file_json = [](const File& file) -> Json { return {{"file", file.file}, {"hash", file.hash}}; };
  Json out = {{"input", file_json(input)}, {"output", file_json(output)}};
  out["output"]["delivered"] = delivered;
  out["model"] = file_json(model);
  out["model"]["direction"] = direction;
  out["doubtful"] = doubtful();
  out["flags"] = flags;
  out["cycle_error"] = graded_json(cycle_error);
  out["worst_patch"] = graded_json(worst_patch);
  out["discriminator"] = graded_json(discriminator);
  out["input_distance"] = likeness_json(input_likeness);
  out["ensemble"] = ensemble_json(ensemble);
  out["audit"] = audit;
  out["calibration"] =
      calibration ? Json{{"images", calibration->images}, {"formats", calibration->formats}} : Json(nullptr);
  out["notes"] = notes;
  return out;
}

std::string Evidence::text() const {
  return json().dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void grade(Evidence& evidence, const OutputMeasures& measured, const std::optional<Calibration>& calibration,
           const std::string& incomparable) {
  const std::string no_percentile = !calibration           ? evidence.no_calibration
                                    : incomparable.empty() ? "the calibration did not measure it"
                                                           : incomparable;
  const auto put = [&](const std::optional<double>& value, const std::string& why_not,
                       std::optional<Quantiles> Calibration::*measure) {
    return graded(value, why_not, scale_of(calibration, incomparable, measure), no_percentile);
  };
  std::optional<double> whole, worst;
  if (measured.cycle) {
    whole = measured.cycle->whole;
    worst = measured.cycle->worst_patch;
  }
  evidence.cycle_error = put(whole, measured.no_cycle, &Calibration::cycle_error);
  evidence.worst_patch = put(worst, measured.no_cycle, &Calibration::worst_patch);
  evidence.discriminator =
      put(measured.discriminator, measured.no_discriminator, &Calibration::discriminator);
  if (calibration) evidence.calibration = CalibrationUsed{calibration->images, calibration->formats};
}

std::vector<std::string> doubts_about(const Evidence& evidence, const EvidenceLimits& limits) {
  std::vector<std::string> out;
  const auto above = [&](const GradedValue& graded, const std::string& what) {
    if (graded.percentile && *graded.percentile > limits.doubt_percentile)
      out.push_back(beyond(what, *graded.value, *graded.percentile, "higher", evidence.calibration));
  };
  above(evidence.cycle_error, "cycle error");
  above(evidence.worst_patch, "cycle error in the worst patch");
  const GradedValue& score = evidence.discriminator;
  if (score.percentile && *score.percentile < 100 - limits.doubt_percentile)
    out.push_back(beyond("discriminator's score", *score.value, 100 - *score.percentile, "lower",
                         evidence.calibration));
  if (evidence.input_likeness && evidence.input_likeness->likeness == Likeness::other)
    out.emplace_back("Its input looks like an image of the other domain.");
  if (evidence.input_likeness && evidence.input_likeness->likeness == Likeness::neither)
    out.emplace_back("Its input is unlike the images that the generator was trained on.");
  if (evidence.ensemble && evidence.ensemble->worst_patch > limits.doubt_spread)
    out.push_back(fmt::format(
        "The {} models differ by {:.3f} of the range from black to white in one patch; {:.3f} is the limit.",
        evidence.ensemble->models.size(), evidence.ensemble->worst_patch, limits.doubt_spread));
  return out;
}

}  // namespace torsor
