// ICC profiles made for tests, and what their colours are in sRGB by the formulas of the standards.
#pragma once

#include <lcms2.h>

#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "image/formats.h"
#include "image/test_pictures.h"

namespace torsor::testing {

inline IccProfile saved(cmsHPROFILE profile) {
  cmsUInt32Number size = 0;
  cmsSaveProfileToMem(profile, nullptr, &size);
  std::string bytes(size, '\0');
  cmsSaveProfileToMem(profile, bytes.data(), &size);
  cmsCloseProfile(profile);
  return std::make_shared<const std::string>(bytes);
}

/// Primaries (x, y) under D65 and a gamma; 0 for sRGB's curve.
struct MadeRgb {
  std::string name;
  std::array<double, 6> primaries;
  double gamma;
};
inline const MadeRgb kAdobeRgb{"Adobe", {0.64, 0.33, 0.21, 0.71, 0.15, 0.06}, 2.19921875};
inline const MadeRgb kDisplayP3{"P3", {0.68, 0.32, 0.265, 0.69, 0.15, 0.06}, 0};
inline const MadeRgb kLinear{"linear", {0.64, 0.33, 0.30, 0.60, 0.15, 0.06}, 1};
inline const MadeRgb kSrgb{"standard", {0.64, 0.33, 0.30, 0.60, 0.15, 0.06}, 0};

inline cmsToneCurve* curve_of(double gamma) {
  constexpr double kSrgbCurve[] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
  return gamma == 0 ? cmsBuildParametricToneCurve(nullptr, 4, kSrgbCurve) : cmsBuildGamma(nullptr, gamma);
}

inline void describe(cmsHPROFILE profile, const std::string& name) {
  cmsMLU* text = cmsMLUalloc(nullptr, 1);
  cmsMLUsetASCII(text, "en", "US", name.c_str());
  cmsWriteTag(profile, cmsSigProfileDescriptionTag, text);
  cmsMLUfree(text);
}

constexpr cmsCIExyY kD65{0.3127, 0.3290, 1};

inline cmsHPROFILE open_rgb(const MadeRgb& made) {
  const auto& p = made.primaries;
  const cmsCIExyYTRIPLE primaries{{p[0], p[1], 1}, {p[2], p[3], 1}, {p[4], p[5], 1}};
  cmsToneCurve* curve = curve_of(made.gamma);
  cmsToneCurve* const curves[] = {curve, curve, curve};
  cmsHPROFILE profile = cmsCreateRGBProfile(&kD65, &primaries, curves);
  cmsFreeToneCurve(curve);
  describe(profile, made.name);
  return profile;
}

inline IccProfile rgb_profile(const MadeRgb& made) { return saved(open_rgb(made)); }

inline IccProfile grey_profile(double gamma) {
  cmsToneCurve* curve = curve_of(gamma);
  cmsHPROFILE profile = cmsCreateGrayProfile(cmsD50_xyY(), curve);
  cmsFreeToneCurve(curve);
  describe(profile, "grey");
  return saved(profile);
}

/// Of a class, with one table from its colours to L*a*b*: a profile that can only be read. RGB or CMYK; L* is
/// 100 less the mean of the samples (CMYK) or the mean itself.
inline IccProfile table_profile(cmsColorSpaceSignature space) {
  const auto sampler = [](const cmsUInt16Number* in, cmsUInt16Number* out, void* inks) -> cmsInt32Number {
    const std::size_t channels = inks == nullptr ? 3 : 4;
    double sum = 0;
    for (std::size_t i = 0; i < channels; ++i) sum += in[i] / 65535.0 / static_cast<double>(channels);
    const cmsCIELab lab{100 * (inks == nullptr ? sum : 1 - sum), 0, 0};
    cmsFloat2LabEncoded(out, &lab);
    return TRUE;
  };
  int is_inks = 1;
  const bool inks = space == cmsSigCmykData;
  cmsHPROFILE profile = cmsCreateProfilePlaceholder(nullptr);
  cmsSetProfileVersion(profile, 4.3);
  cmsSetDeviceClass(profile, inks ? cmsSigOutputClass : cmsSigInputClass);
  cmsSetColorSpace(profile, space);
  cmsSetPCS(profile, cmsSigLabData);
  cmsPipeline* table = cmsPipelineAlloc(nullptr, inks ? 4 : 3, 3);
  cmsStage* stage = cmsStageAllocCLut16bit(nullptr, 5, inks ? 4 : 3, 3, nullptr);
  cmsStageSampleCLut16bit(stage, sampler, inks ? &is_inks : nullptr, 0);
  cmsPipelineInsertStage(table, cmsAT_END, cmsStageAllocToneCurves(nullptr, inks ? 4 : 3, nullptr));
  cmsPipelineInsertStage(table, cmsAT_END, stage);
  cmsPipelineInsertStage(table, cmsAT_END, cmsStageAllocToneCurves(nullptr, 3, nullptr));
  cmsWriteTag(profile, cmsSigAToB0Tag, table);
  cmsPipelineFree(table);
  describe(profile, inks ? "inks" : "scanner");
  return saved(profile);
}

/// IEC 61966-2-1, of a linear value.
inline double srgb_coded(double linear) {
  return linear <= 0.0031308 ? 12.92 * linear : 1.055 * std::pow(linear, 1 / 2.4) - 0.055;
}
inline double srgb_linear(double coded) {
  return coded <= 0.04045 ? coded / 12.92 : std::pow((coded + 0.055) / 1.055, 2.4);
}

using Triple = std::array<double, 3>;
using Matrix = std::array<Triple, 3>;

inline Triple times(const Matrix& m, const Triple& v) {
  Triple out{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) out[i] += m[i][j] * v[j];
  return out;
}

/// From linear samples to XYZ under D50. Closes the profile.
inline Matrix colorants(cmsHPROFILE opened) {
  Matrix out{};
  constexpr cmsTagSignature kTags[] = {cmsSigRedColorantTag, cmsSigGreenColorantTag, cmsSigBlueColorantTag};
  for (std::size_t c = 0; c < 3; ++c) {
    const auto* xyz = static_cast<const cmsCIEXYZ*>(cmsReadTag(opened, kTags[c]));
    out[0][c] = xyz->X;
    out[1][c] = xyz->Y;
    out[2][c] = xyz->Z;
  }
  cmsCloseProfile(opened);
  return out;
}

inline Matrix inverse(const Matrix& m) {
  Matrix out{};
  const auto minor = [&](std::size_t r, std::size_t c) {
    const std::size_t r1 = (r + 1) % 3, r2 = (r + 2) % 3, c1 = (c + 1) % 3, c2 = (c + 2) % 3;
    return m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1];
  };
  const double whole = m[0][0] * minor(0, 0) + m[0][1] * minor(0, 1) + m[0][2] * minor(0, 2);
  for (std::size_t r = 0; r < 3; ++r)
    for (std::size_t c = 0; c < 3; ++c) out[c][r] = minor(r, c) / whole;
  return out;
}

/// sRGB, not clipped, of samples from 0 to 1.
class SrgbOf {
 public:
  explicit SrgbOf(const MadeRgb& made) : made_(made) {
    const IccProfile saved = rgb_profile(made);  // with its numbers rounded
    cmsHPROFILE opened = cmsOpenProfileFromMem(saved->data(), static_cast<cmsUInt32Number>(saved->size()));
    to_xyz_ = colorants(opened);
    from_xyz_ = inverse(colorants(cmsCreate_sRGBProfile()));
  }
  Triple operator()(const Triple& samples) const {
    Triple linear{};
    for (std::size_t c = 0; c < 3; ++c)
      linear[c] = made_.gamma == 0 ? srgb_linear(samples[c]) : std::pow(samples[c], made_.gamma);
    Triple out = times(from_xyz_, times(to_xyz_, linear));
    for (double& value : out) value = srgb_coded(value);
    return out;
  }

 private:
  MadeRgb made_;
  Matrix to_xyz_, from_xyz_;
};

/// Colours from all over the cube, [9,81,3].
inline Image colour_cube(PixelType type) {
  constexpr std::int64_t kSteps = 9;
  Image image = Image::blank(kSteps * kSteps, kSteps, 3, type);
  for (std::int64_t i = 0; i < image.samples(); ++i) {
    const std::int64_t pixel = i / 3;
    const std::int64_t step = i % 3 == 0   ? pixel % kSteps
                              : i % 3 == 1 ? pixel / kSteps % kSteps
                                           : pixel / kSteps / kSteps;
    const double value = static_cast<double>(step) / (kSteps - 1);
    if (type == PixelType::u8) image.u8()[i] = static_cast<std::uint8_t>(std::lround(255 * value));
    if (type == PixelType::u16) image.u16()[i] = static_cast<std::uint16_t>(std::lround(65535 * value));
    if (type == PixelType::f32) image.f32()[i] = static_cast<float>(value);
  }
  return image;
}

inline double full(PixelType type) {
  return type == PixelType::u8 ? 255 : type == PixelType::u16 ? 65535 : 1;
}

/// A file with these samples, whatever the profile says of them.
inline std::string tagged(const std::string& extension, Image image, const IccProfile& profile) {
  image.profile = profile;
  EncodeOptions options;
  options.webp_quality = 100;
  const std::string name = "made." + extension;
  if (extension == "png") return formats::encode_png(image, name, options);
  if (extension == "tif") return formats::encode_tiff(image, name, options);
  if (extension == "webp") return formats::encode_webp(image, name, options);
  return formats::encode_jpeg(image, name, options);
}

}  // namespace torsor::testing
