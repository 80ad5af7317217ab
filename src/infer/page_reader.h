// The pages of an input file as a generator's inputs.
#pragma once

#include "data/note_count.h"
#include "image/codec.h"
#include "infer/generator_runner.h"
#include "infer/translation_plan.h"

namespace torsor {

struct InputPage {
  Image image;  // u8 in the generator's channels
  ValueRange range;
};

/// One input: a file, or the bytes that a job was given. Decodes a page at a time.
class PageReader {
 public:
  /// The runner must outlive it. Throws Error naming the file.
  PageReader(const GeneratorRunner& runner, const TranslationJob& job);

  std::int64_t pages() const { return file_.pages(); }

  /// Page 0..pages()-1. Throws Error naming the file, and the page where there are several, when it cannot be
  /// read, converted or scaled.
  InputPage read(std::int64_t page);

  /// Adds the notes about the pages that were read, each kind once.
  void add_notes_to(NoteCount& notes) const;

 private:
  const GeneratorRunner& runner_;
  std::string name_;
  ImageFile file_;
  std::vector<std::string> conversions_;
};

}  // namespace torsor
