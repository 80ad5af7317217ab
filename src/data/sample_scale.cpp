#include "data/sample_scale.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <set>
#include <thread>
#include <type_traits>

#include "core/error.h"
#include "image/codec.h"

namespace torsor {

namespace {

constexpr double kMost = 0.999;  // of the samples, for which one white is to be found
constexpr PixelType kTypes[] = {PixelType::u8, PixelType::u16, PixelType::f32};

// Whites that are tried for a type, in order.
std::array<double, 3> levels_of(PixelType type) {
  return type == PixelType::f32 ? std::array{1.0, 255.0, 255.0} : std::array{255.0, 4095.0, 65535.0};
}

std::size_t place(PixelType type) { return static_cast<std::size_t>(type); }

template <class Use>
auto with_samples(const Image& image, const Use& use) {
  if (image.type == PixelType::u8) return use(image.u8());
  if (image.type == PixelType::u16) return use(image.u16());
  return use(image.f32());
}

// `is_marked` says it of a pixel's samples.
template <class T, class IsMarked>
std::vector<std::uint8_t> marked(const Image& image, const T* samples, const IsMarked& is_marked) {
  std::vector<std::uint8_t> out;
  const std::int64_t pixels = image.width * image.height;
  for (std::int64_t p = 0; p < pixels; ++p) {
    if (!is_marked(samples + p * image.channels)) continue;
    if (out.empty()) out.resize(static_cast<std::size_t>(pixels));
    out[static_cast<std::size_t>(p)] = 1;
  }
  return out;
}

template <class T>
std::vector<std::uint8_t> without_data(const Image& image, const T* samples) {
  const std::int64_t colours = image.colours();
  constexpr bool kFloats = std::is_floating_point_v<T>;
  if (!kFloats && !image.no_data) return {};
  // A file's text may have more digits than a float.
  const double none = image.no_data.value_or(0), as_float = static_cast<float>(none);
  const auto is_none = [&](T sample) {
    const auto value = static_cast<double>(sample);
    return std::isnan(value) || (image.no_data && (value == none || (kFloats && value == as_float)));
  };
  return marked(image, samples, [&](const T* pixel) {
    return kFloats ? std::any_of(pixel, pixel + colours, is_none)
                   : std::all_of(pixel, pixel + colours, is_none);
  });
}

bool is_always_eight_bit(const std::filesystem::path& file) {
  char head[64] = {};
  std::ifstream stream(file, std::ios::binary);
  stream.read(head, sizeof head);
  const std::string format = image_extension_of({head, static_cast<std::size_t>(stream.gcount())});
  return format.empty() || format == "jpg" || format == "bmp" || format == "webp";
}

void look_at_deep_image(const std::filesystem::path& file, WhichPages which, const LookAtImage& look) {
  try {
    if (is_always_eight_bit(file) || read_image_info(file).type == PixelType::u8) return;
    if (which == WhichPages::first) return look(read_image(file));
    ImageFile pages(file);
    for (std::int64_t page = 0; page < pages.pages(); ++page) look(pages.read(page));
  } catch (const Error&) {
    // Whoever reads the images in earnest says it.
  }
}

}  // namespace

std::vector<std::uint8_t> pixels_without_data(const Image& image) {
  return with_samples(image, [&](const auto* samples) { return without_data(image, samples); });
}

std::vector<std::uint8_t> transparent_pixels(const Image& image) {
  if (!image.has_alpha()) return {};
  return with_samples(image, [&](const auto* samples) {
    return marked(image, samples, [&](const auto* pixel) { return pixel[image.channels - 1] == 0; });
  });
}

template <class T>
SampleStatistics::Counts SampleStatistics::count(const Image& image, const T* samples) {
  const std::vector<std::uint8_t> none = pixels_without_data(image), clear = transparent_pixels(image);
  const std::array<double, 3> levels = levels_of(image.type);
  const std::int64_t pixels = image.width * image.height, colours = image.colours();
  Counts out;
  out.images = 1;
  for (std::int64_t p = 0; p < pixels; ++p) {
    const auto at = static_cast<std::size_t>(p);
    if ((!none.empty() && none[at] != 0) || (!clear.empty() && clear[at] != 0)) continue;
    for (std::int64_t c = 0; c < colours; ++c) {
      const auto value = static_cast<double>(samples[p * image.channels + c]);
      if (!std::isfinite(value)) continue;
      out.low = out.samples == 0 ? value : std::min(out.low, value);
      out.high = out.samples == 0 ? value : std::max(out.high, value);
      ++out.samples;
      for (std::size_t i = 0; i < levels.size(); ++i) out.within[i] += value >= 0 && value <= levels[i];
    }
  }
  return out;
}

void SampleStatistics::add(const Image& stored) {
  const Counts one = with_samples(stored, [&](const auto* samples) { return count(stored, samples); });
  const std::lock_guard lock(mutex_);
  Counts& all = by_type_[place(stored.type)];
  if (one.samples > 0) {
    all.low = all.samples == 0 ? one.low : std::min(all.low, one.low);
    all.high = all.samples == 0 ? one.high : std::max(all.high, one.high);
  }
  all.images += one.images;
  all.samples += one.samples;
  for (std::size_t i = 0; i < all.within.size(); ++i) all.within[i] += one.within[i];
}

PixelType SampleStatistics::type() const {
  const std::lock_guard lock(mutex_);
  PixelType out = PixelType::u8;
  for (const PixelType type : kTypes)
    if (by_type_[place(type)].images > 0) out = type;
  return out;
}

ValueRange SampleStatistics::range(const GivenScale& given, const std::string& option) const {
  ValueRange out = whole_range(type());
  {
    const std::lock_guard lock(mutex_);
    const Counts& counts = by_type_[place(out.type)];
    const auto holds = [&](std::size_t i) {
      return static_cast<double>(counts.within[i]) >= kMost * static_cast<double>(counts.samples);
    };
    const std::array<double, 3> levels = levels_of(out.type);
    std::size_t first = 0;
    while (first < levels.size() && !holds(first)) ++first;
    if (out.type != PixelType::u8 && first < levels.size()) out.white = levels[first];
    if (first == levels.size()) {  // floats of another scale; a constant one is black or white
      out.black_level = counts.low < counts.high ? counts.low : std::min(0.0, counts.low);
      out.white = counts.low < counts.high ? counts.high : std::max(0.0, counts.high);
    }
  }
  if (given.white) out.black_level = 0;  // a white alone is above 0
  out.white = given.white.value_or(out.white);
  out.black_level = given.black.value_or(out.black_level);
  if (!(out.white > out.black_level))
    fail_usage("{}: white is {:g} and black {:g}; give a white above black", option, out.white,
               out.black_level);
  return out;
}

void look_at_deep_images(const std::vector<std::filesystem::path>& named, WhichPages which,
                         const LookAtImage& look) {
  const std::set<std::filesystem::path> unique(named.begin(), named.end());
  const std::vector<std::filesystem::path> files(unique.begin(), unique.end());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < files.size(); i = next++) look_at_deep_image(files[i], which, look);
  };
  std::vector<std::jthread> threads;
  for (unsigned t = 1; t < std::max(1U, std::thread::hardware_concurrency()); ++t) threads.emplace_back(work);
  work();
}

void SampleScale::add(const ValueRange& range) { others_[place(range.type)] = range; }

bool SampleScale::knows(PixelType type) const {
  return type == PixelType::u8 || type == domain_.type || given_.any() || others_[place(type)].has_value();
}

ValueRange SampleScale::range_of(const Image& stored) const {
  ValueRange out = whole_range(stored.type);
  if (stored.type == domain_.type)
    out = domain_;
  else if (others_[place(stored.type)])
    out = *others_[place(stored.type)];
  else if (stored.type == PixelType::f32 && !given_.white) {
    SampleStatistics alone;
    alone.add(stored);
    out = alone.range();
  }
  if (given_.white) out.black_level = 0;
  out.white = given_.white.value_or(out.white);
  out.black_level = given_.black.value_or(out.black_level);
  if (!(out.white > out.black_level))
    fail("white is {:g} and black {:g}; give a --white above --black", out.white, out.black_level);
  return out;
}

}  // namespace torsor
