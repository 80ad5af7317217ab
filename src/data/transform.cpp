#include "data/transform.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "data/tensor_image.h"
#include "image/codec.h"
#include "image/convert.h"
#include "image/resize.h"

namespace torsor {

namespace {

bool crops(const TransformOptions& o) { return o.preprocess.find("crop") != std::string::npos; }
bool scales_width(const TransformOptions& o) { return o.preprocess.find("scale_width") != std::string::npos; }

// Python's round(): halves go to the even neighbour.
std::int64_t to_multiple_of_4(std::int64_t side) {
  return std::max<std::int64_t>(4,
                                static_cast<std::int64_t>(std::nearbyint(static_cast<double>(side) / 4)) * 4);
}

}  // namespace

void TransformOptions::describe(OptionSet& o) {
  o.add("preprocess", preprocess,
        "resize_and_crop: to load_size squared, then a random crop; crop: a random crop; scale_width: "
        "width to load_size; scale_width_and_crop: both; none: sides to multiples of 4")
      .choices({"resize_and_crop", "crop", "scale_width", "scale_width_and_crop", "none"});
  o.add("load_size", load_size, "side (or width) that images are resized to").range(1, 65536).common();
  o.add("crop_size", crop_size, "side of the random crop").range(1, 65536).common();
  o.add("flip", flip, "mirror half of the images left to right").common();
  o.add("scaling", scaling,
        "white: samples from black to white are -1 to 1; percentile_95: each image is divided by its own "
        "95th percentile, which becomes 1, black 0, and more than 1 is possible: use --output-activation "
        "linear")
      .choices(scalings());
  o.add("pages", pages,
        "of TIFFs. images: each is an image, of which train uses a file's first; channels: the channels of "
        "one "
        "image; slices: of a volume, each an image to train on")
      .choices(page_uses());
}

void TransformOptions::validate() const {
  if (crops(*this) && preprocess != "crop" && crop_size > load_size)
    fail_usage("--crop-size {} is larger than --load-size {}; make the crop smaller or the load size larger",
               crop_size, load_size);
}

Size resized_size(const TransformOptions& o, Size original) {
  if (o.preprocess == "resize_and_crop") return {o.load_size, o.load_size};
  if (scales_width(o)) {
    if (original.width == o.load_size && original.height >= o.crop_size) return original;
    const double height = static_cast<double>(o.load_size) * static_cast<double>(original.height) /
                          static_cast<double>(original.width);
    return {o.load_size, static_cast<std::int64_t>(std::max(height, static_cast<double>(o.crop_size)))};
  }
  if (o.preprocess == "none") return {to_multiple_of_4(original.width), to_multiple_of_4(original.height)};
  return original;
}

Size output_size(const TransformOptions& o) { return crops(o) ? Size{o.crop_size, o.crop_size} : Size{}; }

void check_fits(const TransformOptions& o, Size original, const std::string& name) {
  if (!crops(o)) return;
  const Size size = resized_size(o, original);
  if (size.width < o.crop_size || size.height < o.crop_size)
    fail("{}: is {}x{}, smaller than --crop-size {}; use a smaller crop or --preprocess resize_and_crop",
         name, original.width, original.height, o.crop_size);
}

CropAndFlip draw_crop_and_flip(const TransformOptions& o, Size resized, Rng& rng) {
  CropAndFlip out;
  if (crops(o)) {
    out.left = rng.index(resized.width - o.crop_size + 1);
    out.top = rng.index(resized.height - o.crop_size + 1);
  }
  out.mirrored = o.flip && rng.coin();
  return out;
}

Image transform(const TransformOptions& o, const Image& image, const CropAndFlip& drawn,
                const std::string& name) {
  check_fits(o, {image.width, image.height}, name);
  const Size size = resized_size(o, {image.width, image.height});
  Image out = resize_bicubic(image, size.width, size.height);
  if (crops(o)) out = crop(out, drawn.left, drawn.top, o.crop_size, o.crop_size);
  return drawn.mirrored ? flip_horizontal(out) : out;
}

Image transform(const TransformOptions& o, const Image& image, Rng& rng, const std::string& name) {
  const Size original{image.width, image.height};
  check_fits(o, original, name);
  return transform(o, image, draw_crop_and_flip(o, resized_size(o, original), rng), name);
}

}  // namespace torsor
