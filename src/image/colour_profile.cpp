#include "image/colour_profile.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "core/error.h"

namespace torsor::formats {

namespace {

std::int64_t channels_of(ColourSpace space) {
  return space == ColourSpace::grey ? 1 : space == ColourSpace::rgb ? 3 : 4;
}

std::string_view title_of(ColourSpace space) {
  return space == ColourSpace::grey ? "grey" : space == ColourSpace::rgb ? "RGB" : "CMYK";
}

std::string named(const ColourProfile& profile) {
  return profile.description().empty() ? "" : " " + profile.description();
}

void note_ignored(const Source& source, const ColourProfile& profile, std::string_view why) {
  add_note(source, fmt::format("the ICC colour profile{} is ignored, as {}: colours are taken for sRGB",
                               named(profile), why));
}

template <class Use>
auto with_samples(Image& image, const Use& use) {
  if (image.type == PixelType::u8) return use(image.u8());
  if (image.type == PixelType::u16) return use(image.u16());
  return use(image.f32());
}

// A pixel that no conversion touches: it holds no data.
template <class T>
bool is_without_data(const T* pixel, std::int64_t colours, const std::optional<double>& none) {
  const auto is_none = [&](T sample) { return none && sample == static_cast<T>(*none); };
  if constexpr (std::is_floating_point_v<T>)
    return std::any_of(pixel, pixel + colours,
                       [&](T sample) { return !std::isfinite(sample) || is_none(sample); });
  else
    return none && *none >= 0 && *none <= static_cast<T>(-1) && std::all_of(pixel, pixel + colours, is_none);
}

// Converts the first channels of each pixel of a row; `colours` and `converted` have room for them.
template <class T>
void convert_row(const ColourTransform& transform, const Image& image, T* row, std::int64_t channels,
                 std::vector<T>& colours, std::vector<T>& converted) {
  for (std::int64_t x = 0; x < image.width; ++x)
    std::copy_n(row + x * image.channels, channels, &colours[static_cast<std::size_t>(x * channels)]);
  transform.apply(colours.data(), converted.data(), image.width);
  for (std::int64_t x = 0; x < image.width; ++x) {
    const T* made = &converted[static_cast<std::size_t>(x * channels)];
    T* pixel = row + x * image.channels;
    if (is_without_data(pixel, channels, image.no_data) || is_without_data(made, channels, std::nullopt))
      continue;
    std::copy_n(made, channels, pixel);
  }
}

void convert(const ColourTransform& transform, std::int64_t channels, Image& image) {
  if (image.type != PixelType::f32 && image.channels == channels && !image.no_data) {
    const std::size_t row = image.bytes.size() / static_cast<std::size_t>(image.height);
    for (std::size_t at = 0; at < image.bytes.size(); at += row)
      transform.apply(&image.bytes[at], &image.bytes[at], image.width);
    return;
  }
  with_samples(image, [&](auto* samples) {
    std::vector<std::remove_pointer_t<decltype(samples)>> colours(
        static_cast<std::size_t>(image.width * channels)),
        converted = colours;
    for (std::int64_t y = 0; y < image.height; ++y)
      convert_row(transform, image, samples + y * image.width * image.channels, channels, colours, converted);
  });
}

// Whether floats are on another scale than a profile's, on which white is 1.
bool has_other_scale(const Image& image) {
  if (image.type != PixelType::f32) return false;
  const auto above =
      std::count_if(image.f32(), image.f32() + image.samples(), [](float value) { return value > 1; });
  return above > image.samples() / 2;
}

[[noreturn]] void fail_to_fit(const std::string& name, const ColourProfile& profile, std::string_view why) {
  fail(
      "{}: cannot be written in the colours of the ICC profile{}, {}; without --keep-profile it is written "
      "in sRGB",
      name, named(profile), why);
}

// Of an image to be written.
std::optional<ColourSpace> colours_of(std::int64_t channels) {
  if (channels == 1) return ColourSpace::grey;
  return channels == 3 ? std::optional(ColourSpace::rgb) : std::nullopt;
}

}  // namespace

std::optional<ColourSpace> colours_by_number(const Image& image) {
  if (image.channels > 4) return std::nullopt;
  return image.channels <= 2 ? ColourSpace::grey : ColourSpace::rgb;
}

void apply_profile(const Source& source, std::string_view bytes, std::optional<ColourSpace> space,
                   Image& image) {
  if (bytes.empty()) return;
  const auto profile = ColourProfile::of(bytes);
  if (source.colours == Colours::as_stored) {
    if (!profile->is_srgb())
      add_note(source, fmt::format("the ICC colour profile{} is not applied", named(*profile)));
    return;
  }
  const bool has_colours = space.has_value() && image.channels >= channels_of(*space);
  if (profile->is_srgb() && has_colours) {
    image.profile = profile->bytes();
  } else if (!profile->space()) {
    note_ignored(source, *profile, "it is not valid");
  } else if (!has_colours) {
    note_ignored(source, *profile, "the channels are no colours");
  } else if (profile->space() != space) {
    note_ignored(source, *profile, fmt::format("it is one of {} samples", title_of(*profile->space())));
  } else if (has_other_scale(image)) {
    note_ignored(source, *profile, "most samples are above 1, its white");
  } else if (const ColourTransform* transform = profile->transform(ColourWay::to_srgb, image.type);
             transform == nullptr) {
    note_ignored(source, *profile, "it is not valid");
  } else {
    convert(*transform, channels_of(*space), image);
    image.profile = profile->bytes();
    add_note(source, conversion_note(profile->description()));
  }
}

std::shared_ptr<const ColourProfile> ink_profile(const Source& source, std::string_view bytes) {
  if (bytes.empty()) return nullptr;
  auto profile = ColourProfile::of(bytes);
  const bool fits = profile->space() == ColourSpace::cmyk;
  if (source.colours == Colours::as_stored) {
    add_note(source, fmt::format("the ICC colour profile{} is not applied", named(*profile)));
  } else if (!fits) {
    note_ignored(source, *profile,
                 profile->space() ? fmt::format("it is one of {} samples", title_of(*profile->space()))
                                  : "it is not valid");
  } else {
    add_note(source, conversion_note(profile->description()));
    return profile;
  }
  return nullptr;
}

Image inks_to_srgb(const ColourProfile& profile, const Image& inks) {
  constexpr std::int64_t kInks = 4;
  const ColourTransform& transform = *profile.transform(ColourWay::to_srgb, PixelType::u8);
  Image image = Image::blank(inks.width, inks.height, 3);
  std::vector<std::uint8_t> row(static_cast<std::size_t>(inks.width * kInks));
  for (std::int64_t y = 0; y < image.height; ++y) {
    for (std::int64_t i = 0; i < inks.width * kInks; ++i) {
      const std::int64_t at = (y * inks.width + i / kInks) * inks.channels + i % kInks;
      row[static_cast<std::size_t>(i)] = inks.type == PixelType::u8
                                             ? inks.u8()[at]
                                             : static_cast<std::uint8_t>((inks.u16()[at] + 128) / 257);
    }
    transform.apply(row.data(), image.u8() + y * image.width * 3, image.width);
  }
  image.profile = profile.bytes();
  return image;
}

Image in_stored_colours(const Image& image, const std::string& name) {
  Image out = image;
  const std::optional<ColourSpace> space = colours_of(image.colours());
  out.profile = nullptr;
  if (image.profile == nullptr || !space) return out;
  const auto profile = ColourProfile::of(*image.profile);
  out.profile = image.profile;
  if (profile->is_srgb()) {
    if (profile->space() != space) out.profile = srgb_profile(*space);
    return out;
  }
  check_profile_fits(image.profile, image.channels, name);
  if (has_other_scale(out)) fail_to_fit(name, *profile, "as most samples are above 1, its white");
  const ColourTransform* transform = profile->transform(ColourWay::from_srgb, image.type);
  if (transform == nullptr) fail_to_fit(name, *profile, "which is not valid");
  convert(*transform, image.colours(), out);
  return out;
}

void check_profile_fits(const IccProfile& profile, std::int64_t channels, const std::string& name) {
  const auto known = ColourProfile::of(*profile);
  const auto space = colours_of(channels == 2 || channels == 4 ? channels - 1 : channels);
  if (known->is_srgb() && space) return;
  if (!known->space()) fail_to_fit(name, *known, "which is not valid");
  if (known->space() != space)
    fail_to_fit(name, *known,
                fmt::format("which is one of {} samples, for {} channel{}", title_of(*known->space()),
                            channels, channels == 1 ? "" : "s"));
  if (known->transform(ColourWay::from_srgb, PixelType::f32) == nullptr)
    fail_to_fit(name, *known, "which cannot be an output's: it does not say how its colours are made");
}

}  // namespace torsor::formats

namespace torsor {

std::string profile_name(const IccProfile& profile) {
  return formats::ColourProfile::of(*profile)->description();
}

std::string conversion_note(const std::string& profile_name) {
  return fmt::format("colours are converted from the ICC profile{} to sRGB",
                     profile_name.empty() ? "" : " " + profile_name);
}

IccProfile srgb_profile() { return formats::srgb_profile(formats::ColourSpace::rgb); }

}  // namespace torsor
