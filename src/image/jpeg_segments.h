// The marker segments of a JPEG (ITU-T T.81, annex B). Internal to this layer.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace torsor::formats {

inline constexpr std::size_t kFirstJpegSegment = 2;  // behind the mark of the beginning
inline constexpr int kJpegEnd = 0xD9, kJpegScan = 0xDA;

struct JpegSegment {
  std::size_t at;  // of its mark
  int marker;      // the second byte of the mark
  std::string_view content;
};

/// The next segment at or behind `at`, which moves behind it; as libjpeg does, bytes that are no mark are
/// passed over. Behind kJpegScan the codes of the scan follow. Nothing at the end, and where a segment is
/// longer than the file.
std::optional<JpegSegment> next_jpeg_segment(std::string_view file, std::size_t& at);

/// The content of the first segment of that kind before the first scan which begins so; empty when there is
/// none.
std::string_view find_jpeg_segment(std::string_view file, int marker, std::string_view prefix);

/// The ICC profile, which may be cut into pieces over several segments (ICC.1:2022, B.4); "" when there is
/// none. Of a profile that lacks a piece the others.
std::string jpeg_profile(std::string_view file);

/// Whether the marker begins a frame header, of whatever process.
constexpr bool is_jpeg_frame(int marker) {
  // C4, C8 and CC are tables and an extension among the sixteen.
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

}  // namespace torsor::formats
