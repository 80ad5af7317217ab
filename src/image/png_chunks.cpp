#include "image/png_chunks.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "image/colour_transform.h"

namespace torsor::formats {

namespace {

constexpr std::size_t kFirstChunk = 8, kAroundContent = 12;  // length, name and CRC

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8 | (at + i < bytes.size() ? static_cast<std::uint8_t>(bytes[at + i]) : 0);
  return value;
}

struct Chunk {
  std::string_view kind, content;
  std::uint32_t sum;  // that is stored
};

// The chunk at `at`, which moves behind it.
std::optional<Chunk> next_chunk(std::string_view file, std::size_t& at) {
  if (at + kAroundContent > file.size()) return std::nullopt;
  const std::size_t size = number_at(file, at);
  if (size > file.size() - at - kAroundContent) return std::nullopt;
  const Chunk chunk{file.substr(at + 4, 4), file.substr(at + 8, size), number_at(file, at + 8 + size)};
  at += kAroundContent + size;
  return chunk;
}

bool is_sound(const Chunk& chunk) {
  const auto* begin = reinterpret_cast<const Bytef*>(chunk.kind.data());  // the content follows
  return crc32_z(0, begin, chunk.kind.size() + chunk.content.size()) == chunk.sum;
}

// A profile's chunk: a name, a 0, the method 0, and deflate's stream.
std::string unpacked_profile(std::string_view chunk) {
  const std::size_t name_end = std::min(chunk.find('\0'), chunk.size());
  const std::string_view packed = chunk.substr(std::min(name_end + 2, chunk.size()));
  std::string profile;
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return "";
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  int state = Z_OK;
  while (state == Z_OK && profile.size() <= ColourProfile::kMostBytes) {
    char part[1 << 14];
    stream.next_out = reinterpret_cast<Bytef*>(part);
    stream.avail_out = sizeof part;
    state = inflate(&stream, Z_NO_FLUSH);
    profile.append(part, sizeof part - stream.avail_out);
  }
  inflateEnd(&stream);
  return profile;
}

struct Said {
  bool is_srgb = false, has_profile = false;
  std::uint32_t gamma = 0;  // in 1/100000
};

void note_chunk(const Source& source, const Chunk& chunk, Said& said) {
  const auto& [kind, content, sum] = chunk;
  if (kind == "iCCP") said.has_profile = true;
  if (kind == "sRGB") said.is_srgb = true;
  if (kind == "gAMA") said.gamma = number_at(content, 0);
  if (kind == "cICP" && !content.starts_with(std::string_view("\1\x0D", 2)))
    add_note(source, "the colour space of its cICP chunk is ignored: colours are taken for sRGB");
  if (kind == "acTL" && number_at(content, 0) > 1)
    add_note(source, fmt::format("an animation of {} frames, of which the first alone is read",
                                 number_at(content, 0)));
}

}  // namespace

std::string png_profile(std::string_view file) {
  std::size_t at = kFirstChunk;
  while (const auto chunk = next_chunk(file, at)) {
    if (chunk->kind == "IDAT") break;
    if (chunk->kind == "iCCP" && is_sound(*chunk)) return unpacked_profile(chunk->content);
  }
  return "";
}

void note_png_chunks(const Source& source) {
  if (source.notes == nullptr) return;
  constexpr double kUsual = 45455, kOff = 2000;
  Said said;
  std::size_t at = kFirstChunk;
  while (const auto chunk = next_chunk(source.bytes, at)) note_chunk(source, *chunk, said);
  if (said.gamma != 0 && !said.is_srgb && !said.has_profile && std::abs(said.gamma - kUsual) > kOff)
    add_note(source, fmt::format("its gamma of 1/{:.2f} is ignored: samples are taken for sRGB",
                                 100000.0 / said.gamma));
}

}  // namespace torsor::formats
