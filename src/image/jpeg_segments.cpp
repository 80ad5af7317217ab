#include "image/jpeg_segments.h"

#include <cstdint>
#include <map>

namespace torsor::formats {

namespace {

int byte_at(std::string_view file, std::size_t at) {
  return at < file.size() ? static_cast<std::uint8_t>(file[at]) : -1;
}

bool stands_alone(int marker) { return marker == 0x01 || (marker >= 0xD0 && marker <= kJpegEnd); }

}  // namespace

std::optional<JpegSegment> next_jpeg_segment(std::string_view file, std::size_t& at) {
  // FF 00 is a byte of data, FF FF a filling byte.
  while (at + 1 < file.size() &&
         !(byte_at(file, at) == 0xFF && byte_at(file, at + 1) != 0xFF && byte_at(file, at + 1) != 0x00))
    ++at;
  if (at + 1 >= file.size()) return std::nullopt;
  JpegSegment segment{at, byte_at(file, at + 1), {}};
  at += 2;
  if (stands_alone(segment.marker)) return segment;
  if (at + 2 > file.size()) return std::nullopt;
  const int length = byte_at(file, at) * 256 + byte_at(file, at + 1);
  const auto size = static_cast<std::size_t>(length);
  if (size < 2 || at + size > file.size()) return std::nullopt;
  segment.content = file.substr(at + 2, size - 2);
  at += size;
  return segment;
}

std::string_view find_jpeg_segment(std::string_view file, int marker, std::string_view prefix) {
  std::size_t at = kFirstJpegSegment;
  while (const auto segment = next_jpeg_segment(file, at)) {
    if (segment->marker == kJpegScan || segment->marker == kJpegEnd) break;
    if (segment->marker == marker && segment->content.starts_with(prefix)) return segment->content;
  }
  return {};
}

std::string jpeg_profile(std::string_view file) {
  using namespace std::string_view_literals;
  constexpr int kApp2 = 0xE2;
  constexpr std::string_view kName = "ICC_PROFILE\0"sv;
  std::map<int, std::string_view> pieces;  // by their numbers; a number and a count follow the name
  std::size_t at = kFirstJpegSegment;
  while (const auto segment = next_jpeg_segment(file, at)) {
    if (segment->marker == kJpegScan || segment->marker == kJpegEnd) break;
    const std::string_view content = segment->content;
    if (segment->marker == kApp2 && content.starts_with(kName) && content.size() >= kName.size() + 2)
      pieces.emplace(byte_at(content, kName.size()), content.substr(kName.size() + 2));
  }
  std::string profile;
  for (const auto& [number, piece] : pieces) profile += piece;
  return profile;
}

}  // namespace torsor::formats
