#include "image/png_chunks.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "image/colour_profile.h"

namespace torsor::formats {

namespace {

constexpr std::size_t kFirstChunk = 8, kAroundContent = 12;  // length, name and CRC

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8 | (at + i < bytes.size() ? static_cast<std::uint8_t>(bytes[at + i]) : 0);
  return value;
}

// The beginning, which holds the description, of a profile: a name, a 0, the method 0, and deflate's stream.
std::string unpacked_profile(std::string_view chunk) {
  const std::size_t name_end = std::min(chunk.find('\0'), chunk.size());
  std::string_view packed = chunk.substr(std::min(name_end + 2, chunk.size()));
  std::string profile(1 << 16, '\0');
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return "";
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(profile.data());
  stream.avail_out = static_cast<uInt>(profile.size());
  inflate(&stream, Z_SYNC_FLUSH);
  profile.resize(profile.size() - stream.avail_out);
  inflateEnd(&stream);
  return profile;
}

struct Said {
  bool is_srgb = false, has_profile = false;
  std::uint32_t gamma = 0;  // in 1/100000
};

void note_chunk(const Source& source, std::string_view kind, std::string_view content, Said& said) {
  if (kind == "iCCP") {
    note_profile(source, unpacked_profile(content));
    said.has_profile = true;
  }
  if (kind == "sRGB") said.is_srgb = true;
  if (kind == "gAMA") said.gamma = number_at(content, 0);
  if (kind == "cICP" && !content.starts_with(std::string_view("\1\x0D", 2)))
    add_note(source, "the colour space of its cICP chunk is ignored: colours are taken for sRGB");
  if (kind == "acTL" && number_at(content, 0) > 1)
    add_note(source, fmt::format("an animation of {} frames, of which the first alone is read",
                                 number_at(content, 0)));
}

}  // namespace

void note_png_chunks(const Source& source) {
  if (source.notes == nullptr) return;
  constexpr double kUsual = 45455, kOff = 2000;
  Said said;
  std::size_t at = kFirstChunk;
  while (at + kAroundContent <= source.bytes.size()) {
    const std::size_t size = number_at(source.bytes, at);
    if (size > source.bytes.size() - at - kAroundContent) break;
    note_chunk(source, source.bytes.substr(at + 4, 4), source.bytes.substr(at + 8, size), said);
    at += kAroundContent + size;
  }
  if (said.gamma != 0 && !said.is_srgb && !said.has_profile && std::abs(said.gamma - kUsual) > kOff)
    add_note(source, fmt::format("its gamma of 1/{:.2f} is ignored: samples are taken for sRGB",
                                 100000.0 / said.gamma));
}

}  // namespace torsor::formats
