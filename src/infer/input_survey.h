// Reads every input once before the first is translated, so that a bad one is known before hours have passed.
#pragma once

#include <string>
#include <vector>

#include "core/stop.h"
#include "data/note_count.h"
#include "infer/generator_runner.h"
#include "infer/scale_check.h"
#include "infer/translation_plan.h"
#include "infer/treatment.h"

namespace torsor {

struct InputSurvey {
  std::vector<TranslationJob> good;  // that can be translated, in order
  std::vector<std::string> bad;      // why the others cannot, in order
  std::int64_t pages = 0;            // of the good ones together
  Size largest;                      // the largest area of a single network input
  NoteCount notes;                   // what there is to say of the files and of what is made of them
  NoteCount conversions;             // the latter alone
  std::string scale_warning;         // ScaleCheck::warning()
};

/// Decodes all pages of all inputs, on all cores, and checks whether their outputs' formats can hold the
/// translations. It costs little compared with translation: a hundredth for the paper's generator. Incomplete
/// when `stop` is requested.
InputSurvey survey_inputs(const GeneratorRunner& runner, const std::vector<TranslationJob>& jobs,
                          const Treatment& treatment, TranslationListener& listener, const StopFlag& stop);

/// With refuse, throws Error that names the bad inputs (the first ten) where there are any, and says how to
/// continue; with skip reports each to the listener, and throws when none is good.
void meet_bad_inputs(const InputSurvey& survey, BadFiles bad_files, TranslationListener& listener);

}  // namespace torsor
