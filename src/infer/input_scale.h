// What is black and white in the inputs of a translation, where their model does not say.
#pragma once

#include <vector>

#include "core/log.h"
#include "infer/generator_runner.h"
#include "infer/translation_plan.h"

namespace torsor {

/// Gives the runner the scale that the user says, and decides one for all float inputs where the model and
/// the user say nothing of floats: as SampleStatistics does, which `log` hears. An input that is in no file
/// is scaled by itself. Throws UsageError for a given scale that the model cannot use.
void scale_inputs(GeneratorRunner& runner, const GivenScale& given, const std::vector<TranslationJob>& jobs,
                  LogSink& log);

}  // namespace torsor
