#include "data/image_notes.h"

#include <algorithm>

#include "core/error.h"

namespace torsor {

namespace {

std::string without_digits(std::string text) {
  std::erase_if(text, [](char c) { return c >= '0' && c <= '9'; });
  return text;
}

}  // namespace

void ImageNotes::add(const std::string& name, const Notes& notes) {
  ++images_;
  for (const std::string& text : notes) {
    const std::string pattern = without_digits(text);
    auto kind = std::find_if(kinds_.begin(), kinds_.end(),
                             [&](const Kind& other) { return other.pattern == pattern; });
    if (kind == kinds_.end()) kind = kinds_.insert(kind, {pattern, text, name});
    ++kind->images;
  }
}

std::vector<std::string> ImageNotes::lines() const {
  constexpr std::size_t kShown = 10;
  std::vector<std::string> out;
  for (std::size_t i = 0; i < std::min(kShown, kinds_.size()); ++i) {
    const Kind& kind = kinds_[i];
    out.push_back(kind.images == 1 ? fmt::format("{}: {}", kind.first, kind.text)
                                   : fmt::format("{} of {} images: {} (the first: {})", kind.images, images_,
                                                 kind.text, kind.first));
  }
  if (kinds_.size() > kShown)
    out.push_back(fmt::format("{} more kinds of notes on these images", kinds_.size() - kShown));
  return out;
}

}  // namespace torsor
