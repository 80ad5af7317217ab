// The colours of ICC profiles as sRGB and back, by lcms2. Internal to this layer.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "image/image.h"

namespace torsor::formats {

/// What the samples of a pixel stand for.
enum class ColourSpace { grey, rgb, cmyk };

enum class ColourWay { to_srgb, from_srgb };

/// Conversions are relative colorimetric with black-point compensation: white stays white, black black, what
/// both can show stays as it is, and the rest is clipped channel by channel (of floats it is not). This is
/// what browsers and editors do with photos.
class ColourTransform {
 public:
  virtual ~ColourTransform() = default;
  /// Pixels lie side by side, [pixels, channels], and may be converted in place where both sides have as
  /// many channels. Safe to call from many threads.
  virtual void apply(const void* from, void* to, std::int64_t pixels) const = 0;
};

/// L* (0..100), a* and b* under D50 as f32 to sRGB as f32, 0..1 and beyond where sRGB cannot show a colour.
const ColourTransform& lab_to_srgb_transform();

/// The profile of sRGB as lcms2 makes it, for colours or for grey; the same bytes on every run.
const IccProfile& srgb_profile(ColourSpace space);

/// An ICC profile that was understood, or why it was not.
class ColourProfile {
 public:
  /// The largest profile that is read; those of presses have up to 3 MB.
  static constexpr std::size_t kMostBytes = 8 << 20;

  /// The last few are kept with their transforms, as the images of a folder often share one.
  static std::shared_ptr<const ColourProfile> of(std::string_view bytes);

  explicit ColourProfile(std::string_view bytes);
  ~ColourProfile();
  ColourProfile(const ColourProfile&) = delete;
  ColourProfile& operator=(const ColourProfile&) = delete;

  const IccProfile& bytes() const { return bytes_; }
  /// What the profile calls itself, at most 60 characters; "" where it does not.
  const std::string& description() const { return description_; }
  /// Nothing for a profile that is malformed, of other colours (Lab, more inks) or of no device.
  std::optional<ColourSpace> space() const { return space_; }
  /// Whether it differs from sRGB by at most two units of 8 bits.
  bool is_srgb() const { return is_srgb_; }
  /// Grey stays grey, with sRGB's tone curve. Inks (u8 alone, 255 is full) become RGB; nothing becomes inks.
  /// Null where the profile does not provide it.
  const ColourTransform* transform(ColourWay way, PixelType type) const;

 private:
  struct Handles;
  // These two while making_ is locked.
  const ColourTransform* find_or_make(ColourWay way, PixelType type) const;
  std::unique_ptr<ColourTransform> make(ColourWay way, PixelType type) const;

  IccProfile bytes_;
  std::string description_;
  std::optional<ColourSpace> space_;
  bool is_srgb_ = false;
  std::unique_ptr<Handles> handles_;
  mutable std::mutex making_;
  mutable std::map<std::pair<ColourWay, PixelType>, std::unique_ptr<ColourTransform>> made_;
};

}  // namespace torsor::formats
