#include "data/image_notes.h"

#include <algorithm>

#include "core/error.h"

namespace torsor {

void ImageNotes::add(const std::string& name, const Notes& notes) {
  ++images_;
  for (const std::string& text : notes) count_.add(name, text);
}

std::vector<std::string> ImageNotes::lines() const {
  constexpr std::size_t kShown = 10;
  const std::vector<NoteCount::Kind>& kinds = count_.kinds();
  std::vector<std::string> out;
  for (std::size_t i = 0; i < std::min(kShown, kinds.size()); ++i) {
    const NoteCount::Kind& kind = kinds[i];
    out.push_back(kind.count == 1 ? fmt::format("{}: {}", kind.first_file, kind.first_note)
                                  : fmt::format("{} of {} images: {} (the first: {})", kind.count, images_,
                                                kind.first_note, kind.first_file));
  }
  if (kinds.size() > kShown)
    out.push_back(fmt::format("{} more kinds of notes on these images", kinds.size() - kShown));
  return out;
}

}  // namespace torsor
