// An image in memory, as files hold it: interleaved pixels of one type.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace torsor {

enum class PixelType { u8, u16, f32 };

/// Bytes of one sample of this type.
constexpr std::int64_t bytes_per_sample(PixelType type) {
  return type == PixelType::u8 ? 1 : type == PixelType::u16 ? 2 : 4;
}

/// "8-bit", "16-bit" or "float", as stands before "samples".
std::string depth_text(PixelType type);

/// What the last of 2 or 4 channels is: by their number alpha, unless the file says that it is data like the
/// others.
enum class LastChannel { by_number, data };

/// The bytes of an ICC profile; null for none.
using IccProfile = std::shared_ptr<const std::string>;

/// Pixels are stored row by row, channels interleaved: [height, width, channels] in native byte order.
struct Image {
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::int64_t channels = 0;  // 1 grey, 3 RGB; other counts only where the file format has them
  PixelType type = PixelType::u8;
  std::vector<std::uint8_t> bytes;  // width * height * channels * bytes_per_sample(type)
  LastChannel last = LastChannel::by_number;
  std::optional<double> no_data = std::nullopt;  // samples of this value stand for none (GDAL_NODATA)
  // Of the file, read or to be written. In memory colours are sRGB's: reading converts them from those of the
  // profile, writing to them.
  IccProfile profile = nullptr;

  static Image blank(std::int64_t width, std::int64_t height, std::int64_t channels,
                     PixelType type = PixelType::u8);
  /// What the file says of the samples, without the samples.
  Image& with_tags_of(const Image& other);
  bool has_alpha() const { return last == LastChannel::by_number && (channels == 2 || channels == 4); }
  /// Channels without alpha.
  std::int64_t colours() const { return channels - (has_alpha() ? 1 : 0); }
  std::int64_t samples() const { return width * height * channels; }
  std::uint8_t* u8() { return bytes.data(); }
  const std::uint8_t* u8() const { return bytes.data(); }
  std::uint16_t* u16() { return reinterpret_cast<std::uint16_t*>(bytes.data()); }
  const std::uint16_t* u16() const { return reinterpret_cast<const std::uint16_t*>(bytes.data()); }
  float* f32() { return reinterpret_cast<float*>(bytes.data()); }
  const float* f32() const { return reinterpret_cast<const float*>(bytes.data()); }
};

}  // namespace torsor
