// All that a model brings to judge its own translations by.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "infer/ensemble.h"
#include "infer/evidence.h"
#include "infer/generator_runner.h"
#include "infer/last_audit.h"

namespace torsor {

/// One translation and what is known of it.
struct EvidenceSubject {
  Evidence::File input, output;
  std::optional<Recognition> likeness;
  at::Tensor x, delivered;     // [1,C,H,W], see cycle_errors()
  std::string format;          // of the file, "png"; "" = it is in memory
  std::optional<Size> resize;  // at which it was translated; none: its own
  std::optional<EnsembleEvidence> ensemble;
};

/// Const and thread-safe.
class EvidenceSource {
 public:
  /// `set` is what the runner's generator was loaded from with `options`, `model` what the user called it.
  /// Throws Error naming the file when what it holds is damaged.
  EvidenceSource(const std::filesystem::path& model, const WeightSet& set, const GeneratorRunner& runner,
                 const RunnerOptions& options);

  const OutputCheck& check() const { return check_; }
  /// hash_of_generators().
  const std::string& generators() const { return model_.hash; }
  const std::optional<Calibration>& calibration() const { return calibration_; }
  /// Why there is no calibration; "" when there is one.
  const std::string& no_calibration() const { return no_calibration_; }

  /// `preview`: u8 in the generator's channels, before any resizing. Nothing where the model does not know
  /// its training images.
  std::optional<Recognition> recognise(const Image& preview) const;

  /// Whether an output of this model alone, delivered as `ensemble` says, can be found doubtful at all.
  bool can_doubt(EnsembleOutput ensemble) const;

  /// Measures and judges. `bring_back` as for OutputCheck::measure().
  Evidence weigh(const EvidenceSubject& subject, const EvidenceLimits& limits,
                 const TensorMapping& bring_back, OutputCheck::ScoredAs scored) const;

 private:
  std::vector<std::string> notes_about(const EvidenceSubject& subject) const;

  Evidence::File model_;
  std::string direction_;
  OutputCheck check_;
  std::optional<Calibration> calibration_;
  std::string no_calibration_;
  std::optional<Recogniser> recogniser_;
  LastAudit audit_;
};

}  // namespace torsor
