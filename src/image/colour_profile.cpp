#include "image/colour_profile.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

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

std::string_view tag_of(std::string_view profile, std::string_view name) {
  const std::size_t tags = std::min<std::size_t>(number_at(profile, kTagTable), kMostTags);
  for (std::size_t i = 0; i < tags; ++i) {
    const std::size_t entry = kTagTable + 4 + 12 * i;
    if (part(profile, entry, 4) == name)
      return part(profile, number_at(profile, entry + 4), number_at(profile, entry + 8));
  }
  return {};
}

// Whether the primaries, where the profile has some, are those of IEC 61966-2-1 adapted to D50.
bool has_srgb_primaries(std::string_view profile) {
  constexpr double kOff = 0.01, kOne = 65536;
  constexpr std::pair<std::string_view, std::array<double, 3>> kPrimaries[] = {
      {"rXYZ", {0.4361, 0.2225, 0.0139}},
      {"gXYZ", {0.3851, 0.7169, 0.0971}},
      {"bXYZ", {0.1431, 0.0606, 0.7141}}};
  for (const auto& [name, expected] : kPrimaries) {
    const std::string_view tag = tag_of(profile, name);
    for (std::size_t i = 0; !tag.empty() && i < 3; ++i) {
      const auto fixed = static_cast<std::int32_t>(number_at(tag, 8 + 4 * i));
      if (std::abs(fixed / kOne - expected[i]) > kOff) return false;
    }
  }
  return true;
}

}  // namespace

std::string profile_description(std::string_view profile) { return text_of(tag_of(profile, "desc")); }

void note_profile(const Source& source, std::string_view profile) {
  if (source.notes == nullptr) return;
  const std::string description = profile_description(profile);
  const bool is_called_srgb = lower(description).starts_with("srgb"), is_srgb = has_srgb_primaries(profile);
  if (is_called_srgb && is_srgb) return;
  const std::string name = is_called_srgb || description.empty() ? "" : " " + description;
  add_note(source, fmt::format("the ICC colour profile{} is ignored: colours are taken for sRGB", name));
}

}  // namespace torsor::formats
