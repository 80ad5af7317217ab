// The translations of chosen images of a folder, which stay for the next evaluation of the same weights.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/log.h"
#include "core/stop.h"
#include "evaluate/scored_set.h"
#include "infer/generator_runner.h"
#include "infer/treatment.h"

namespace torsor {

struct FolderTranslationRequest {
  const ScoredSet& inputs;
  std::filesystem::path folder;  // of the translations
  Json identity;                 // weights and settings; what was made with others is replaced
  Treatment treatment = {};
};

/// Translates as `torsor translate` does, into PNG files, of floats TIFF, with the inputs' names. Returns
/// them in the order of the inputs. Reports progress as `what`. Throws Error for a folder that holds other
/// files, and as survey_inputs() and FolderTranslation do; StoppedError.
std::vector<std::filesystem::path> translate_set(GeneratorRunner& runner,
                                                 const FolderTranslationRequest& request,
                                                 const std::string& what, LogSink& log, const StopFlag& stop);

}  // namespace torsor
