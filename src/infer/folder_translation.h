// Translates the images of a plan: prefetches, forms batches, writes asynchronously.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "core/stop.h"
#include "data/note_count.h"
#include "infer/evidence_writer.h"
#include "infer/generator_runner.h"
#include "infer/input_check.h"
#include "infer/output_writer.h"
#include "infer/translation_plan.h"
#include "infer/treatment.h"

namespace torsor {

class FolderTranslation {
 public:
  /// `pages`: how many the inputs have together, as far as that is known. The runner, the listener and
  /// `evidence`, which writes the outputs where it is given, must outlive it. Throws as InputCheck does.
  FolderTranslation(const GeneratorRunner& runner, std::vector<TranslationJob> jobs, std::int64_t pages,
                    Treatment treatment, TranslationListener& listener, EvidenceWriter* evidence = nullptr);

  /// Runs until all is written, or until `stop` is requested: translations in progress are still written. All
  /// pages of a TIFF go into one TIFF. Throws Error naming a file that cannot be read, scaled or written.
  void run(const StopFlag& stop);

  std::int64_t written() const { return written_; }              // files
  std::int64_t pages_written() const { return pages_written_; }  // their pages together
  std::int64_t skipped() const { return skipped_; }
  /// The notes about the images so far.
  const NoteCount& notes() const { return notes_; }
  /// InputCheck::warning() about the images so far.
  std::string doubt() const { return check_.warning(); }

 private:
  void count(const OutputWriter& writer);
  template <class Read>
  std::optional<std::invoke_result_t<Read>> attempt(const Read& read);

  const GeneratorRunner& runner_;
  std::vector<TranslationJob> jobs_;
  std::int64_t pages_;
  Treatment treatment_;
  TranslationListener& listener_;
  EvidenceWriter* evidence_;
  InputCheck check_;
  NoteCount notes_;
  std::int64_t written_ = 0, pages_written_ = 0, skipped_ = 0;
};

}  // namespace torsor
