#include "image/colour_profile.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"

namespace torsor::formats {

namespace {

constexpr std::size_t kTagTable = 128, kMostTags = 200, kMostText = 60;

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8 | (at + i < bytes.size() ? static_cast<std::uint8_t>(bytes[at + i]) : 0);
  return value;
}

std::string_view part(std::string_view bytes, std::size_t at, std::size_t size) {
  return bytes.substr(std::min(at, bytes.size()), size);
}

// What of a text can be shown on a line; of two-byte characters the lower bytes.
std::string readable(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c >= ' ' && c <= '~' && out.size() < kMostText) out += c;
  return out;
}

std::string text_of(std::string_view tag) {
  if (tag.starts_with("desc")) return readable(part(tag, 12, number_at(tag, 8)));
  if (!tag.starts_with("mluc")) return "";
  return readable(part(tag, number_at(tag, 24), number_at(tag, 20)));  // the first language
}

}  // namespace

std::string profile_description(std::string_view profile) {
  const std::size_t tags = std::min<std::size_t>(number_at(profile, kTagTable), kMostTags);
  for (std::size_t i = 0; i < tags; ++i) {
    const std::size_t entry = kTagTable + 4 + 12 * i;
    if (part(profile, entry, 4) == "desc")
      return text_of(part(profile, number_at(profile, entry + 4), number_at(profile, entry + 8)));
  }
  return "";
}

void note_profile(const Source& source, std::string_view profile) {
  if (source.notes == nullptr) return;
  const std::string description = profile_description(profile);
  if (lower(description).starts_with("srgb")) return;
  add_note(source, fmt::format("the ICC colour profile{}{} is ignored: colours are taken for sRGB",
                               description.empty() ? "" : " ", description));
}

}  // namespace torsor::formats
