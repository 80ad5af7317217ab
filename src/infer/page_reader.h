// The pages of an input file as a generator's inputs.
#pragma once

#include "data/note_count.h"
#include "image/codec.h"
#include "infer/generator_runner.h"
#include "infer/output_form.h"
#include "infer/translation_plan.h"
#include "infer/treatment.h"

namespace torsor {

/// Whether the channels of a translation are pages of their own.
enum class ChannelsAre { together, pages };

struct InputPage {
  PreparedImage input;  // in the generator's channels
  OutputForm output;
  ChannelsAre channels = ChannelsAre::together;
};

/// One input: a file, or the bytes that a job was given. Decodes a page at a time.
class PageReader {
 public:
  /// The runner must outlive it. Throws Error naming the file.
  PageReader(const GeneratorRunner& runner, const TranslationJob& job, const Treatment& treatment);

  std::int64_t pages() const { return file_.pages(); }

  /// Pages of the output for one of the input. Where an input's pages are channels, those of its translation
  /// are pages again if the output's format has pages.
  std::int64_t output_pages() const;

  /// Page 0..pages()-1. Throws Error naming the file, and the page where there are several, when it cannot be
  /// read, converted or scaled, when the output's format cannot hold its translation, or when evidence is to
  /// stand beside an output of several pages.
  InputPage read(std::int64_t page);

  /// Adds the notes about the pages that were read, each kind once.
  void add_notes_to(NoteCount& notes) const;
  /// Of these what the network and the output make of the pages: nothing that reading the file alone says.
  void add_conversions_to(NoteCount& notes) const;

 private:
  void say(const std::string& note);
  void require_single(const InputPage& page) const;

  const GeneratorRunner& runner_;
  std::filesystem::path out_;
  Hidden hidden_;
  BitDepth depth_;
  OutputColours colours_;
  Companions companions_;
  std::string name_;
  ImageFile file_;
  std::int64_t pages_out_ = 1;  // of the last page that was read
  std::vector<std::string> conversions_;
};

/// [C,H,W] of a page as the network gets it, at the size that the treatment says.
at::Tensor network_values(const InputPage& page, const Treatment& treatment);

}  // namespace torsor
