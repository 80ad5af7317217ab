// The ICC profiles of image files, applied to their samples. Internal to this layer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "image/colour_transform.h"
#include "image/formats.h"

namespace torsor::formats {

/// What the first samples of a pixel are by the number of channels: grey of 1 or 2, RGB of 3 or 4.
std::optional<ColourSpace> colours_by_number(const Image& image);

/// Converts the samples, whose colours are `space`'s (nothing: no colours), from those of the file's profile
/// to sRGB, and stores the profile in the image. Further channels and pixels without data (Image::no_data,
/// not finite) stay as they are. Samples of a profile that is sRGB's stay equal to the byte. A profile that
/// cannot be used is noted and ignored: malformed, for another space, of no device; of floats, where most
/// samples lie above 1, its white. With Colours::as_stored none is used. Empty: the file has none.
void apply_profile(const Source& source, std::string_view profile, std::optional<ColourSpace> space,
                   Image& image);

/// The profile of a picture in inks, which converts it; null, and a note, where it cannot.
std::shared_ptr<const ColourProfile> ink_profile(const Source& source, std::string_view profile);

/// The first four channels of each pixel, u8 or u16, the most being full ink, as an 8-bit RGB image.
Image inks_to_srgb(const ColourProfile& profile, const Image& inks);

/// Throws Error that begins with `name` when an image of so many channels, the last of 2 or 4 being alpha,
/// cannot be written in the colours of the profile.
void check_profile_fits(const IccProfile& profile, std::int64_t channels, const std::string& name);

/// The image as a file stores it: samples in the colours of its profile, and as `profile` the one to embed.
/// The grey or RGB version of srgb_profile() replaces an sRGB profile of the other kind; images of no colours
/// lose theirs. Throws Error as check_profile_fits().
Image in_stored_colours(const Image& image, const std::string& name);

}  // namespace torsor::formats
