#include "metric/image_pair.h"

#include <ATen/ATen.h>
#include <fmt/ostream.h>

#include <algorithm>

#include "core/error.h"
#include "data/tensor_image.h"
#include "image/convert.h"

namespace torsor {

namespace {

// Stored samples, [C,H,W] float64.
at::Tensor samples(const Image& image) {
  const at::TensorOptions options = image.type == PixelType::u8    ? at::kByte
                                    : image.type == PixelType::u16 ? at::kUInt16
                                                                   : at::kFloat;
  return at::from_blob(const_cast<std::uint8_t*>(image.bytes.data()),
                       {image.height, image.width, image.channels}, options)
      .to(at::kDouble)
      .permute({2, 0, 1})
      .contiguous();
}

std::int64_t common_channels(const PairImages& p, PairChannels channels) {
  if (channels == PairChannels::grey) return 1;
  const std::int64_t real = p.real.colours(), fake = p.fake.colours();
  if (real == fake) return real;
  if (std::min(real, fake) == 1 && std::max(real, fake) == 3) return 3;
  fail("{} has {} channels and {} has {}: they cannot be compared", p.real_name, real, p.fake_name, fake);
}

void check_size(const Image& image, const std::string& name, const PairImages& p) {
  if (image.width == p.real.width && image.height == p.real.height) return;
  fail("{} is {}x{} and {} is {}x{}: a pair must be of one size", p.real_name, p.real.width, p.real.height,
       name, image.width, image.height);
}

at::Tensor mask_of(const PairImages& p) {
  const at::Tensor stored = samples(*p.mask).narrow(0, 0, p.mask->colours());
  at::Tensor mask = (stored != 0).any(0);
  if (!mask.any().item<bool>()) fail("{}: nothing in this mask counts, all of it is 0", p.mask_name);
  return mask;
}

at::Tensor finite_samples(const Image& image, const std::string& name) {
  at::Tensor out = samples(image);
  if (!at::isfinite(out).all().item<bool>()) fail("{} has samples that are NaN or infinite", name);
  return out;
}

// Images of 5 channels, say, have no conversion and need none.
Image in_channels(const Image& image, std::int64_t channels) {
  return image.channels == channels ? image : with_channels(image, channels);
}

}  // namespace

ImagePair image_pair(const PairImages& p, double range, PairChannels channels) {
  check_size(p.fake, p.fake_name, p);
  if (p.real.type != p.fake.type)
    fail("{} has {} samples and {} has {} ones: they cannot be compared", p.real_name,
         depth_text(p.real.type), p.fake_name, depth_text(p.fake.type));
  const std::int64_t count = common_channels(p, channels);
  ImagePair out;
  out.name = p.real_name + " and " + p.fake_name;
  out.range = range;
  out.real = finite_samples(in_channels(p.real, count), p.real_name);
  out.fake = finite_samples(in_channels(p.fake, count), p.fake_name);
  if (p.mask != nullptr) {
    check_size(*p.mask, p.mask_name, p);
    out.mask = mask_of(p);
  }
  return out;
}

double data_range(PixelType type, const std::optional<double>& stated, const std::string& option) {
  if (stated && !(*stated > 0)) fail_usage("{} {}: a range must be more than 0", option, *stated);
  if (stated) return *stated;
  if (type == PixelType::u8) return full_scale(type);
  fail_usage("the files have {} samples, which do not say what is white: state it with {} (for example {})",
             depth_text(type), option, full_scale(type));
}

void check_pair(const ImagePair& pair) {
  const at::Tensor &x = pair.real, &y = pair.fake;
  if (x.dim() != 3 || x.sizes() != y.sizes() || x.numel() == 0 || x.scalar_type() != at::kDouble ||
      y.scalar_type() != at::kDouble)
    fail("{}: a pair is [C,H,W] of float64 twice, not {} and {}", pair.name, fmt::streamed(x.sizes()),
         fmt::streamed(y.sizes()));
  if (!(pair.range > 0)) fail("{}: its range is {}, and must be more than 0", pair.name, pair.range);
  const at::Tensor& mask = pair.mask;
  if (mask.defined() &&
      (mask.sizes() != x.sizes().slice(1) || mask.scalar_type() != at::kBool || !mask.any().item<bool>()))
    fail("{}: its mask must be [H,W] of bools, some of them true", pair.name);
}

}  // namespace torsor
