// Translates the images of two domains with a model, and scores the translations.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/stop.h"
#include "evaluate/evaluation.h"
#include "infer/generator_runner.h"
#include "infer/treatment.h"
#include "model/model_file.h"

namespace torsor {

struct ModelRequest {
  std::filesystem::path model;  // whatever open_weights() takes
  std::filesystem::path a, b, mask;
  std::filesystem::path out;   // translations are kept in out/translations/<direction>/
  std::optional<Size> resize;  // at which images are translated and compared
  BitDepth bit_depth = BitDepth::as_input;
  std::int64_t batch_size = 1;
  RunnerOptions runner = {};  // a direction: that one alone
};

/// Scores A→B against B and B→A against A, each where the model has a generator for it. Translations that an
/// evaluation with the same weights, inputs and settings has left in `out` are not made again. Throws
/// UsageError for a missing folder or an unknown direction, Error for what cannot be read or translated,
/// StoppedError.
Evaluation evaluate_model(const ModelRequest& request, SetScoring& scoring,
                          const std::shared_ptr<LogSink>& log, const StopFlag& stop);

/// The directions that can be scored: of `wanted` alone where that is not "".
std::vector<std::string> scored_directions(const WeightSet& set, const std::string& wanted);

}  // namespace torsor
