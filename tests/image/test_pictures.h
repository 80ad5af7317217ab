// What the tests of this layer share: stored fixtures, made-up pictures, comparisons.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "image/codec.h"
#include "image/image.h"
#include "test_support.h"

namespace torsor {

using testing::error_of;

inline const fs::path kFixtures = fs::path(TORSOR_TEST_DATA) / "image";

/// The fixtures that must decode, and those that must not.
inline std::vector<fs::path> fixtures(const std::string& wanted) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(kFixtures)) {
    const std::string name = entry.path().filename().string();
    const bool is_refused = name.starts_with("refused_");
    if (!has_image_extension(entry.path()) || name.starts_with("resize_")) continue;
    if (is_refused == (wanted == "refused")) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

inline PixelType type_named(const std::string& name) {
  return name == "u16" ? PixelType::u16 : name == "f32" ? PixelType::f32 : PixelType::u8;
}

/// A .raw file: "width height channels type\n" and the samples. Little-endian machines only, as are the
/// tests.
inline Image read_raw(const fs::path& path) {
  const std::string bytes = read_file(path);
  const std::size_t end = bytes.find('\n');
  std::istringstream line(bytes.substr(0, end));
  std::int64_t width = 0, height = 0, channels = 0;
  std::string type;
  line >> width >> height >> channels >> type;
  Image image = Image::blank(width, height, channels, type_named(type));
  EXPECT_EQ(image.bytes.size(), bytes.size() - end - 1) << path;
  std::memcpy(image.bytes.data(), bytes.data() + end + 1,
              std::min(image.bytes.size(), bytes.size() - end - 1));
  return image;
}

inline double sample(const Image& image, std::int64_t i) {
  return image.type == PixelType::u8    ? image.u8()[i]
         : image.type == PixelType::u16 ? image.u16()[i]
                                        : image.f32()[i];
}

inline std::string shape(const Image& image) {
  return fmt::format("{}x{}x{} of {} bytes", image.width, image.height, image.channels,
                     bytes_per_sample(image.type));
}

/// The largest difference of two samples; infinite when the pictures are not of one shape and type.
inline double largest_difference(const Image& a, const Image& b) {
  if (shape(a) != shape(b) || a.bytes.size() != b.bytes.size()) return INFINITY;
  double most = 0;
  for (std::int64_t i = 0; i < a.samples(); ++i) most = std::max(most, std::abs(sample(a, i) - sample(b, i)));
  return most;
}

inline bool same(const Image& a, const Image& b) { return shape(a) == shape(b) && a.bytes == b.bytes; }

/// A smooth picture that is unlike its turned and mirrored versions; f32 goes from -2 to 3.
inline Image smooth_picture(std::int64_t width, std::int64_t height, std::int64_t channels, PixelType type) {
  Image image = Image::blank(width, height, channels, type);
  std::int64_t i = 0;
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x)
      for (std::int64_t c = 0; c < channels; ++c, ++i) {
        const double u = (x + 0.5) / width, v = (y + 0.5) / height;
        const double value = c % 3 == 0 ? u : c % 3 == 1 ? v * v : (1 - u) * v;
        if (type == PixelType::u8) image.u8()[i] = static_cast<std::uint8_t>(value * 255);
        if (type == PixelType::u16) image.u16()[i] = static_cast<std::uint16_t>(value * 65535);
        if (type == PixelType::f32) image.f32()[i] = static_cast<float>(value * 5 - 2);
      }
  return image;
}

/// The byte that a message names; -1 when it names none.
inline std::int64_t place_in(const std::string& message) {
  std::smatch found;
  return std::regex_search(message, found, std::regex("at byte ([0-9]+)")) ? std::stoll(found[1]) : -1;
}

/// The message for these bytes, "" when they decode.
inline std::string message_of(const std::string& bytes) {
  try {
    decode_image(bytes, "the-file");
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

/// Of a string or a vector of bytes, as zlib and PNG compute it.
template <class Bytes>
std::uint32_t crc32(const Bytes& bytes) {
  std::uint32_t crc = ~0u;
  for (const auto byte : bytes) {
    crc ^= static_cast<std::uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
  }
  return ~crc;
}

/// A folder of its own for each test, removed afterwards.
class TemporaryFolder : public ::testing::Test {
 protected:
  testing::TestFolder holder_;
  const fs::path folder_ = holder_.path;
};

/// Tests of files that neither read_image nor read_image_info takes.
class Refused : public TemporaryFolder {
 protected:
  std::string message_for(const std::string& name, const std::string& content) {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    const std::string info_message = error_of([&] { read_image_info(folder_ / name); });
    const std::string message = error_of([&] { read_image(folder_ / name); });
    EXPECT_EQ(message, info_message);
    EXPECT_THAT(message,
                ::testing::AllOf(::testing::HasSubstr(name), ::testing::Not(::testing::HasSubstr("\n"))));
    return message;
  }
};

}  // namespace torsor
