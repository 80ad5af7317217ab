#include "infer/evidence_source.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "infer/input_check.h"
#include "model/generator_hash.h"

namespace torsor {

namespace {

bool is_lossy(const std::string& format) { return format == "jpg" || format == "webp"; }

std::string resize_text(const std::optional<Size>& size) {
  return size ? fmt::format("{}x{} pixels", size->width, size->height) : "their own size";
}

// Why an output that is of several models has no percentiles.
std::string incomparable_because(const std::optional<EnsembleEvidence>& ensemble) {
  if (!ensemble || ensemble->output == "first") return "";
  return fmt::format("the output is the {} of {} models, the calibration is of one alone", ensemble->output,
                     ensemble->models.size());
}

}  // namespace

EvidenceSource::EvidenceSource(const std::filesystem::path& model, const WeightSet& set,
                               const GeneratorRunner& runner, const RunnerOptions& options)
    : model_{set.source, hash_of_generators(set)},
      direction_(runner.loaded().direction.name()),
      check_(set, runner.loaded().direction, options),
      calibration_(find_calibration(set.info, runner.loaded().direction, set.source)),
      recogniser_(recogniser_of(runner.loaded())),
      audit_(find_last_audit(model, set.source, model_.hash)) {
  if (!calibration_) {
    no_calibration_ = "the model has no calibration of this direction; torsor calibrate adds one";
  } else if (calibration_->generators != model_.hash) {
    no_calibration_ = "the model's calibration is of other weights; torsor calibrate makes one of these";
    calibration_.reset();
  }
}

std::optional<Recognition> EvidenceSource::recognise(const Image& preview) const {
  return recogniser_ ? std::optional(recogniser_->recognise(preview)) : std::nullopt;
}

bool EvidenceSource::can_doubt(EnsembleOutput ensemble) const {
  return recogniser_.has_value() || (calibration_.has_value() && ensemble == EnsembleOutput::first);
}

std::vector<std::string> EvidenceSource::notes_about(const EvidenceSubject& subject) const {
  std::vector<std::string> out = audit_.notes;
  if (!calibration_) return out;
  const std::vector<std::string>& formats = calibration_->formats;
  const bool known = std::find(formats.begin(), formats.end(), subject.format) != formats.end();
  if (!known && (is_lossy(subject.format) || std::any_of(formats.begin(), formats.end(), is_lossy)))
    out.push_back(
        fmt::format("The calibration's outputs were written as {}, this one {}: the percentiles compare "
                    "unlike losses.",
                    join(formats), subject.format.empty() ? "is in memory" : "as " + subject.format));
  if (calibration_->resize != subject.resize)
    out.push_back(fmt::format("The calibration's images were translated at {}, this one at {}.",
                              resize_text(calibration_->resize),
                              subject.resize ? resize_text(subject.resize) : "its own size"));
  return out;
}

Evidence EvidenceSource::weigh(const EvidenceSubject& subject, const EvidenceLimits& limits,
                               const TensorMapping& bring_back, OutputCheck::ScoredAs scored) const {
  Evidence out;
  out.input = subject.input;
  out.output = subject.output;
  out.model = model_;
  out.direction = direction_;
  out.no_calibration = no_calibration_;
  out.input_likeness = subject.likeness;
  out.ensemble = subject.ensemble;
  out.audit = audit_.verdict;
  out.notes = notes_about(subject);
  grade(out, check_.measure(subject.x, subject.delivered, noise_seed(subject.input.hash), bring_back, scored),
        calibration_, incomparable_because(subject.ensemble));
  out.flags = doubts_about(out, limits);
  return out;
}

}  // namespace torsor
