#include "image/colour_transform.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include <lcms2.h>
#include <lcms2_plugin.h>

#include "core/error.h"

namespace torsor::formats {

namespace {

// A few bytes can claim a table of gigabytes. The largest real ones take some megabytes.
constexpr cmsUInt32Number kMostAtOnce = 32 << 20;

void* limited_malloc(cmsContext, cmsUInt32Number size) {
  return size > kMostAtOnce ? nullptr : std::malloc(size);
}
void limited_free(cmsContext, void* block) { std::free(block); }
void* limited_realloc(cmsContext, void* block, cmsUInt32Number size) {
  return size > kMostAtOnce ? nullptr : std::realloc(block, size);
}

// lcms2's settings; errors are reported by results alone.
class Context {
 public:
  Context() {
    constexpr cmsUInt32Number kSince = 2060;  // lcms 2.6, which brought contexts
    cmsPluginMemHandler handler{};
    handler.base = {cmsPluginMagicNumber, kSince, cmsPluginMemHandlerSig, nullptr};
    handler.MallocPtr = limited_malloc;
    handler.FreePtr = limited_free;
    handler.ReallocPtr = limited_realloc;
    context_ = cmsCreateContext(&handler, nullptr);
    if (context_ == nullptr) fail("lcms2 cannot be used: it does not start");
  }
  ~Context() { cmsDeleteContext(context_); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  cmsContext get() const { return context_; }

 private:
  cmsContext context_;
};

struct CloseProfile {
  void operator()(void* profile) const { cmsCloseProfile(profile); }
};
using Profile = std::unique_ptr<void, CloseProfile>;

struct FreeCurve {
  void operator()(cmsToneCurve* curve) const { cmsFreeToneCurve(curve); }
};

// IEC 61966-2-1.
Profile make_srgb(cmsContext context, ColourSpace space) {
  if (space != ColourSpace::grey) return Profile(cmsCreate_sRGBProfileTHR(context));
  constexpr cmsFloat64Number kCurve[] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
  const std::unique_ptr<cmsToneCurve, FreeCurve> curve(cmsBuildParametricToneCurve(context, 4, kCurve));
  return Profile(cmsCreateGrayProfileTHR(context, cmsD50_xyY(), curve.get()));
}

IccProfile saved_srgb(ColourSpace space) {
  const Context context;
  const Profile profile = make_srgb(context.get(), space);
  cmsUInt32Number size = 0;
  if (profile == nullptr || !cmsSaveProfileToMem(profile.get(), nullptr, &size))
    fail("lcms2 cannot be used: it does not make a profile of sRGB");
  std::string bytes(size, '\0');
  cmsSaveProfileToMem(profile.get(), bytes.data(), &size);
  constexpr std::size_t kDateAt = 24, kDateSize = 12;  // in the header: when it was made, year first
  bytes.replace(kDateAt, kDateSize,
                std::string("\x07\xCF\0\x0A\0\x12\0\0\0\0\0\0", kDateSize));  // 1999-10-18
  return std::make_shared<const std::string>(std::move(bytes));
}

struct DeleteTransform {
  void operator()(void* transform) const { cmsDeleteTransform(transform); }
};
using Transform = std::unique_ptr<void, DeleteTransform>;

// One side of a transform.
struct Side {
  cmsHPROFILE profile;
  cmsUInt32Number format;
};

enum class Tables { made, none };  // those that lcms2 makes to be quick with 8 bits

Transform make_transform(cmsContext context, const Side& from, const Side& to, Tables tables) {
  const cmsUInt32Number quick = tables == Tables::made ? 0 : cmsFLAGS_NOOPTIMIZE;
  return Transform(cmsCreateTransformTHR(context, from.profile, from.format, to.profile, to.format,
                                         INTENT_RELATIVE_COLORIMETRIC,
                                         cmsFLAGS_BLACKPOINTCOMPENSATION | cmsFLAGS_NOCACHE | quick));
}

class LcmsTransform : public ColourTransform {
 public:
  explicit LcmsTransform(Transform transform) : transform_(std::move(transform)) {}
  void apply(const void* from, void* to, std::int64_t pixels) const override {
    cmsDoTransform(transform_.get(), from, to, static_cast<cmsUInt32Number>(pixels));
  }

 private:
  Transform transform_;
};

// Of grey samples, all of which are looked up: lcms2's own tables have 33 entries for them.
template <class T>
class GreyTable : public ColourTransform {
 public:
  explicit GreyTable(const ColourTransform& floats) {
    constexpr float kMost = std::numeric_limits<T>::max();
    constexpr std::size_t kValues = std::size_t{std::numeric_limits<T>::max()} + 1;
    std::vector<float> values(kValues);
    for (std::size_t i = 0; i < kValues; ++i) values[i] = static_cast<float>(i) / kMost;
    floats.apply(values.data(), values.data(), static_cast<std::int64_t>(kValues));
    for (const float value : values)
      table_.push_back(
          static_cast<T>(std::lround(std::isfinite(value) ? std::clamp(value, 0.0F, 1.0F) * kMost : 0)));
  }
  void apply(const void* from, void* to, std::int64_t pixels) const override {
    const T* in = static_cast<const T*>(from);
    std::transform(in, in + pixels, static_cast<T*>(to), [this](T sample) { return table_[sample]; });
  }

 private:
  std::vector<T> table_;
};

cmsUInt32Number format_of(ColourSpace space, PixelType type) {
  const bool floats = type == PixelType::f32, deep = type == PixelType::u16;
  if (space == ColourSpace::grey) return TYPE_GRAY_FLT;
  if (space == ColourSpace::cmyk) return TYPE_CMYK_8;
  return floats ? TYPE_RGB_FLT : deep ? TYPE_RGB_16 : TYPE_RGB_8;
}

std::optional<ColourSpace> space_of(cmsHPROFILE profile) {
  const cmsProfileClassSignature kind = cmsGetDeviceClass(profile);
  if (kind != cmsSigInputClass && kind != cmsSigDisplayClass && kind != cmsSigOutputClass &&
      kind != cmsSigColorSpaceClass)
    return std::nullopt;
  switch (cmsGetColorSpace(profile)) {
    case cmsSigGrayData:
      return ColourSpace::grey;
    case cmsSigRgbData:
      return ColourSpace::rgb;
    case cmsSigCmykData:
      return ColourSpace::cmyk;
    default:
      return std::nullopt;
  }
}

std::string description_of(cmsHPROFILE profile) {
  constexpr std::size_t kMost = 60;
  char text[256] = "";
  cmsGetProfileInfoASCII(profile, cmsInfoDescription, "en", "US", text, sizeof text);
  text[sizeof text - 1] = '\0';
  std::string out;
  for (const char* c = text; *c != '\0' && out.size() < kMost; ++c)
    if (*c >= ' ' && *c <= '~') out += *c;
  return out;
}

// What the header says; beyond all sizes where there is none.
std::size_t announced_size(std::string_view profile) {
  if (profile.size() < 4) return SIZE_MAX;
  std::size_t size = 0;
  for (const char byte : profile.substr(0, 4)) size = size << 8 | static_cast<std::uint8_t>(byte);
  return size;
}

// Colours from all over the cube, and all 8-bit greys; [n, channels].
std::vector<float> probes(std::int64_t channels) {
  std::vector<float> out;
  for (int grey = 0; grey < 256; ++grey)
    out.insert(out.end(), static_cast<std::size_t>(channels), grey / 255.0F);
  constexpr int kSteps = 9;
  for (int i = 0; channels == 3 && i < kSteps * kSteps * kSteps; ++i)
    for (const int step : {i % kSteps, i / kSteps % kSteps, i / kSteps / kSteps})
      out.push_back(static_cast<float>(step) / (kSteps - 1));
  return out;
}

bool changes_little(const ColourTransform& transform, std::int64_t channels) {
  constexpr float kLittle = 2.0F / 255;
  const std::vector<float> before = probes(channels);
  std::vector<float> after = before;
  transform.apply(before.data(), after.data(), static_cast<std::int64_t>(before.size()) / channels);
  return std::equal(before.begin(), before.end(), after.begin(),
                    [](float a, float b) { return std::abs(a - b) <= kLittle; });
}

}  // namespace

struct ColourProfile::Handles {
  Context context;
  Profile own;
};

ColourProfile::ColourProfile(std::string_view bytes)
    : bytes_(std::make_shared<const std::string>(bytes)), handles_(std::make_unique<Handles>()) {
  if (bytes.size() > kMostBytes || announced_size(bytes) > bytes.size()) return;
  handles_->own = Profile(cmsOpenProfileFromMemTHR(handles_->context.get(), bytes.data(),
                                                   static_cast<cmsUInt32Number>(bytes.size())));
  if (handles_->own == nullptr) return;
  description_ = description_of(handles_->own.get());
  space_ = space_of(handles_->own.get());
  if (!space_) return;
  const bool inks = space_ == ColourSpace::cmyk;
  const ColourTransform* read = transform(ColourWay::to_srgb, inks ? PixelType::u8 : PixelType::f32);
  if (read == nullptr)
    space_.reset();
  else if (!inks)
    is_srgb_ = changes_little(*read, space_ == ColourSpace::grey ? 1 : 3);
}

ColourProfile::~ColourProfile() = default;

const ColourTransform* ColourProfile::transform(ColourWay way, PixelType type) const {
  const bool inks = space_ == ColourSpace::cmyk;
  if (!space_ || (inks && (way == ColourWay::from_srgb || type != PixelType::u8))) return nullptr;
  const std::lock_guard lock(making_);
  return find_or_make(way, type);
}

const ColourTransform* ColourProfile::find_or_make(ColourWay way, PixelType type) const {
  const auto found = made_.find({way, type});
  if (found != made_.end()) return found->second.get();
  std::unique_ptr<ColourTransform> made = make(way, type);
  return (made_[{way, type}] = std::move(made)).get();
}

std::unique_ptr<ColourTransform> ColourProfile::make(ColourWay way, PixelType type) const {
  const bool grey = space_ == ColourSpace::grey;
  if (grey && type != PixelType::f32) {
    const ColourTransform* floats = find_or_make(way, PixelType::f32);
    if (floats == nullptr) return nullptr;
    if (type == PixelType::u8) return std::make_unique<GreyTable<std::uint8_t>>(*floats);
    return std::make_unique<GreyTable<std::uint16_t>>(*floats);
  }
  auto* const context = handles_->context.get();
  const ColourSpace srgb_space = grey ? ColourSpace::grey : ColourSpace::rgb;
  const Profile srgb = make_srgb(context, srgb_space);
  Side from{handles_->own.get(), format_of(*space_, type)}, to{srgb.get(), format_of(srgb_space, type)};
  if (way == ColourWay::from_srgb) std::swap(from, to);
  Transform made = make_transform(context, from, to, type == PixelType::u8 ? Tables::made : Tables::none);
  return made == nullptr ? nullptr : std::make_unique<LcmsTransform>(std::move(made));
}

std::shared_ptr<const ColourProfile> ColourProfile::of(std::string_view bytes) {
  // No result depends on what is kept here.
  constexpr std::size_t kKept = 8;
  static std::mutex mutex;
  static std::vector<std::shared_ptr<const ColourProfile>> kept;  // the last one used first
  const std::lock_guard lock(mutex);
  const auto found =
      std::find_if(kept.begin(), kept.end(), [&](const auto& one) { return *one->bytes() == bytes; });
  if (found != kept.end()) {
    std::rotate(kept.begin(), found, found + 1);
    return kept.front();
  }
  if (bytes.size() > kMostBytes) return std::make_shared<const ColourProfile>(std::string_view());
  if (kept.size() == kKept) kept.pop_back();
  kept.insert(kept.begin(), std::make_shared<const ColourProfile>(bytes));
  return kept.front();
}

const ColourTransform& lab_to_srgb_transform() {
  struct Lab {
    Context context;
    std::unique_ptr<LcmsTransform> transform;
    Lab() {
      const Profile lab(cmsCreateLab4ProfileTHR(context.get(), nullptr));
      const Profile srgb = make_srgb(context.get(), ColourSpace::rgb);
      transform = std::make_unique<LcmsTransform>(
          make_transform(context.get(), {lab.get(), TYPE_Lab_FLT}, {srgb.get(), TYPE_RGB_FLT}, Tables::none));
    }
  };
  static const Lab lab;
  return *lab.transform;
}

const IccProfile& srgb_profile(ColourSpace space) {
  static const IccProfile grey = saved_srgb(ColourSpace::grey), rgb = saved_srgb(ColourSpace::rgb);
  return space == ColourSpace::grey ? grey : rgb;
}

}  // namespace torsor::formats
