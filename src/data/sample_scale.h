// What is black and what is white in a set of images: decided once for all of them.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "data/tensor_image.h"
#include "image/image.h"

namespace torsor {

/// 1 for each pixel that shows nothing: no data (every sample the file's no_data value, one of them in
/// floats, or a NaN). Empty where all pixels have data.
std::vector<std::uint8_t> pixels_without_data(const Image& image);

/// 1 for each pixel that is fully transparent. Empty where none is.
std::vector<std::uint8_t> transparent_pixels(const Image& image);

/// What of the samples is given by the user; the rest is decided by type.
struct GivenScale {
  std::optional<double> white, black;
  bool any() const { return white.has_value() || black.has_value(); }
};

/// Collects the samples of a set's images, from any threads and in any order. Alpha does not count, nor do
/// pixels without data or fully transparent ones.
class SampleStatistics {
 public:
  void add(const Image& stored);

  /// The type with the most depth among the images; u8 when there are none.
  PixelType type() const;

  /// The scale of that type. Unless given, white is 255 for 8 bits; for 16 bits 255, 4095 or 65535, whichever
  /// first holds 99.9 % of the samples; for floats 1 if 99.9 % lie in [0,1], else 255 if in [0,255]; else
  /// black and white are the set's least and largest sample. Throws UsageError, naming `option`, for a white
  /// that is not above black.
  ValueRange range(const GivenScale& given = {}, const std::string& option = "--white") const;

 private:
  struct Counts {
    std::int64_t images = 0, samples = 0;
    std::array<std::int64_t, 3> within{};  // how many lie in [0, kLevels[i]] of the type
    double low = 0, high = 0;
  };
  template <class T>
  static Counts count(const Image& image, const T* samples);

  mutable std::mutex mutex_;
  std::array<Counts, 3> by_type_;  // by PixelType
};

enum class WhichPages { first, all };

/// Decodes every image with more than 8 bits, in parallel, and shows these of its pages to `look`, from
/// several threads; a file that is named again is looked at once. Files that are 8-bit by their headers cost
/// no decoding; what cannot be read is passed over, since others say so.
using LookAtImage = std::function<void(const Image&)>;
void look_at_deep_images(const std::vector<std::filesystem::path>& files, WhichPages which,
                         const LookAtImage& look);

/// The policy of one domain: how any stored image enters a network of it.
class SampleScale {
 public:
  explicit SampleScale(std::string scaling = "white", const ValueRange& domain = {})
      : scaling_(std::move(scaling)), domain_(domain) {}

  /// Images of this type, which is not the domain's, have this scale too.
  void add(const ValueRange& range);
  /// As the user says it, for images of any type.
  void give(const GivenScale& given) { given_ = given; }

  const ValueRange& domain() const { return domain_; }
  bool scales_each_image() const { return torsor::scales_each_image(scaling_); }
  /// Whether there is nothing but an image itself to say what is white in images of this type.
  bool knows(PixelType type) const;

  /// How the samples of an image enter: as the domain's where they have its type; else by what was given or
  /// added; else integers with their type's whole range and floats by the rule of SampleStatistics.
  ValueRange range_of(const Image& stored) const;

 private:
  std::string scaling_;
  ValueRange domain_;
  GivenScale given_;
  std::array<std::optional<ValueRange>, 3> others_;
};

}  // namespace torsor
