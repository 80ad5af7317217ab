// A model of small networks and images for the interfaces for other programs.
#pragma once

#include <random>

#include "infer/infer_test_support.h"
#include "torsor/torsor.h"
#include "torsor/translator.h"

namespace torsor::testing::api {

namespace fs = std::filesystem;

inline constexpr std::int64_t kWidth = 13, kHeight = 10;

class Api : public ::testing::Test {
 protected:
  static LoadedGenerator generator(std::int64_t in, std::int64_t out, std::uint64_t seed = 1) {
    GeneratorOptions options = small_options();
    options.in_channels = in;
    options.out_channels = out;
    return loaded(options, seed);
  }

  fs::path model(std::int64_t in = 3, std::int64_t out = 3) const {
    const fs::path path = folder_ / ("m" + std::to_string(in) + std::to_string(out) + ".safetensors");
    write_model(path, {{"a_to_b", generator(in, out)}, {"b_to_a", generator(in, out, 2)}});
    return path;
  }

  TestFolder folder_;
};

inline Image random_image(std::int64_t channels, PixelType type = PixelType::u8) {
  Image out = Image::blank(kWidth, kHeight, channels, type);
  std::mt19937 random(5);
  for (auto& byte : out.bytes) byte = static_cast<std::uint8_t>(random());
  return out;
}

// What the command writes: GeneratorRunner is what it runs.
inline std::vector<std::uint8_t> expected(const fs::path& model, const Image& image) {
  std::string note;
  return GeneratorRunner::open(model, {}).translate(image, note).bytes;
}

inline std::vector<std::uint8_t> translated(const Translator& t, const void* in, const PixelLayout& layout) {
  const PixelLayout out = t.output_layout(layout);
  const std::int64_t sample = out.type == SampleType::u8 ? 1 : out.type == SampleType::u16 ? 2 : 4;
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(out.width * out.height * out.channels * sample));
  t.translate(in, layout, bytes.data(), out);
  return bytes;
}

inline torsor_image image_at(void* data, std::int32_t channels = 3) {
  return {data, TORSOR_U8, channels, kWidth, kHeight, 0, 0, 0};
}

}  // namespace torsor::testing::api
