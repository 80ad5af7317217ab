#include "data/prepared_image.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "core/error.h"
#include "image/convert.h"
#include "image/resize.h"

namespace torsor {

namespace {

using Mask = std::vector<std::uint8_t>;  // 1 for each pixel that is meant; empty for none

void append(std::string& note, const std::string& more) { note += (note.empty() ? "" : "; ") + more; }

std::int64_t count(const Mask& mask) { return std::count(mask.begin(), mask.end(), 1); }

Mask either(Mask a, const Mask& b) {
  if (a.empty()) return b;
  for (std::size_t i = 0; i < b.size(); ++i) a[i] |= b[i];
  return a;
}

template <class T>
T rounded(double value) {
  if constexpr (std::is_floating_point_v<T>)
    return static_cast<T>(value);
  else
    return static_cast<T>(std::lround(std::clamp(value, 0.0, double{std::numeric_limits<T>::max()})));
}

template <class Use>
auto with_samples(Image& image, const Use& use) {
  if (image.type == PixelType::u8) return use(image.u8());
  if (image.type == PixelType::u16) return use(image.u16());
  return use(image.f32());
}

// Pixels of the mask get the mean of the others, in the first `colours` channels.
template <class T>
void fill(Image& image, T* samples, const Mask& mask, std::int64_t colours) {
  const auto pixels = static_cast<std::size_t>(image.width * image.height);
  const auto channels = static_cast<std::size_t>(image.channels);
  const auto seen = static_cast<double>(static_cast<std::int64_t>(pixels) - count(mask));
  for (std::size_t c = 0; c < static_cast<std::size_t>(colours); ++c) {
    double sum = 0;
    for (std::size_t p = 0; p < pixels; ++p)
      if (mask[p] == 0) sum += static_cast<double>(samples[p * channels + c]);
    const T mean = rounded<T>(seen > 0 ? sum / seen : 0);
    for (std::size_t p = 0; p < pixels; ++p)
      if (mask[p] != 0) samples[p * channels + c] = mean;
  }
}

Image alpha_of(const Image& stored) {
  Image out = Image::blank(stored.width, stored.height, 1, stored.type);
  const std::int64_t size = bytes_per_sample(stored.type), step = size * stored.channels;
  for (std::int64_t p = 0; p < stored.width * stored.height; ++p)
    std::copy_n(stored.bytes.begin() + p * step + step - size, size, out.bytes.begin() + p * size);
  return out;
}

void require_finite(const Image& image) {
  if (image.type != PixelType::f32) return;
  const float* samples = image.f32();
  if (!std::all_of(samples, samples + image.samples(), [](float value) { return std::isfinite(value); }))
    fail(
        "the float image holds infinite samples; replace them (NaN stands for no data), or remove the image");
}

std::int64_t count_clipped(const Image& image, const ValueRange& range) {
  if (range.black == 0) return 0;  // percentile_95: above 1 is allowed
  const bool is_whole = range.black_level <= 0 && range.white >= full_scale(PixelType::u8);
  if (image.type == PixelType::u8 && is_whole) return 0;  // nearly every image there is: not worth a look
  std::int64_t out = 0;
  const auto outside = [&](double value) { return value < range.black_level || value > range.white; };
  for (std::int64_t i = 0; i < image.samples(); ++i)
    out += outside(image.type == PixelType::u8 ? image.u8()[i] : image.f32()[i]);
  return out;
}

// The network's channels of the stored samples, not scaled.
Image as_floats(const Image& filled, std::int64_t channels) {
  return with_channels(filled.type == PixelType::u8 ? filled : to_f32(filled), channels);
}

PreparedImage prepared(const Image& stored, std::int64_t channels, const SampleScale& scale,
                       std::string& note, const std::string& name, Hidden hidden) {
  PreparedImage out;
  out.aside.type = stored.type;
  out.aside.no_data = stored.no_data;
  out.aside.width = stored.width;
  out.aside.height = stored.height;
  out.aside.profile = stored.profile;
  out.aside.without_data = pixels_without_data(stored);
  if (stored.has_alpha() && channels != stored.channels) out.aside.alpha = alpha_of(stored);
  const bool of_four = stored.channels == 2 || stored.channels == 4;  // or of two: the last is no colour
  if (stored.last == LastChannel::data && of_four && channels != stored.channels)
    append(note, fmt::format("the last of its {} channels is left out", stored.channels));
  const Mask mask =
      either(out.aside.without_data, hidden == Hidden::replaced ? transparent_pixels(stored) : Mask());
  Image filled = stored;
  if (!mask.empty())
    with_samples(filled, [&](auto* samples) { fill(filled, samples, mask, stored.colours()); });
  if (const std::int64_t none = count(out.aside.without_data); none > 0) {
    if (none == stored.width * stored.height) fail("no pixel holds data; remove the image");
    append(note, fmt::format("{} of {} pixels hold no data", none, stored.width * stored.height));
  }
  require_finite(filled);
  out.image = as_floats(filled, channels);
  out.range =
      scale.scales_each_image() ? percentile_range(out.image, stored.type, name) : scale.range_of(stored);
  out.clipped = count_clipped(out.image, out.range);
  if (out.clipped > 0)
    append(note, fmt::format("{} of {} samples lie outside of {:g} to {:g} and are clipped", out.clipped,
                             out.image.samples(), out.range.black_level, out.range.white));
  return out;
}

double sample(const Image& image, std::int64_t i) {
  if (image.type == PixelType::u8) return image.u8()[i];
  return image.type == PixelType::u16 ? static_cast<double>(image.u16()[i]) : image.f32()[i];
}

// Whether `value` is one of the type's.
bool has_value(PixelType type, double value) {
  if (type == PixelType::f32) return true;
  return value == std::floor(value) && value >= 0 && value <= full_scale(type);
}

bool has_tag_for(PixelType type, const SetAside& aside, NoDataTag tag) {
  return tag == NoDataTag::kept && aside.no_data && has_value(type, *aside.no_data);
}

}  // namespace

PreparedImage prepare(const Image& stored, std::int64_t channels, const SampleScale& scale, std::string& note,
                      const std::string& name, Hidden hidden) {
  note.clear();
  try {
    return prepared(stored, channels, scale, note, name, hidden);
  } catch (const Error& error) {
    const std::string_view said = error.what();
    if (said.starts_with(name + ": ")) throw;
    fail("{}: {}", name, said);
  }
}

bool hides_something(const Image& alpha) {
  const double opaque = full_scale(alpha.type);
  for (std::int64_t i = 0; i < alpha.samples(); ++i)
    if (sample(alpha, i) != opaque) return true;
  return false;
}

Image with_alpha(const Image& made, const Image& alpha) {
  const Image fitting = resize_stored(alpha, made.width, made.height);
  Image out = Image::blank(made.width, made.height, made.channels + 1, made.type);
  const double factor = full_scale(made.type) / full_scale(alpha.type);
  const std::int64_t colours = made.channels;
  with_samples(out, [&](auto* to) {
    using T = std::remove_pointer_t<decltype(to)>;
    const auto* from = reinterpret_cast<const T*>(made.bytes.data());
    for (std::int64_t p = 0; p < made.width * made.height; ++p) {
      std::copy_n(from + p * colours, colours, to + p * (colours + 1));
      to[p * (colours + 1) + colours] = rounded<T>(sample(fitting, p) * factor);
    }
  });
  return out;
}

bool can_mark_without_data(PixelType type, const SetAside& aside, NoDataTag tag) {
  return type == PixelType::f32 || has_tag_for(type, aside, tag);
}

void mark_without_data(Image& made, const SetAside& aside, NoDataTag tag) {
  if (aside.without_data.empty()) return;
  const bool tagged = has_tag_for(made.type, aside, tag), floats = made.type == PixelType::f32;
  if (tagged) made.no_data = aside.no_data;
  const double mark = tagged ? *aside.no_data : floats ? std::numeric_limits<double>::quiet_NaN() : 0.0;
  with_samples(made, [&](auto* samples) {
    using T = std::remove_pointer_t<decltype(samples)>;
    for (std::int64_t y = 0; y < made.height; ++y)
      for (std::int64_t x = 0; x < made.width; ++x) {
        const std::int64_t from = y * aside.height / made.height * aside.width + x * aside.width / made.width;
        if (aside.without_data[static_cast<std::size_t>(from)] == 0) continue;
        T* pixel = samples + (y * made.width + x) * made.channels;
        std::fill_n(pixel, made.channels, static_cast<T>(mark));
      }
  });
}

}  // namespace torsor
