#include "data/aligned.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <stdexcept>

#include "core/error.h"

namespace torsor {

namespace {

// A part of an image of any pixel type, columns `left` to left + width - 1.
Image columns_of(const Image& whole, std::int64_t left, std::int64_t width) {
  Image out = Image::blank(width, whole.height, whole.channels, whole.type);
  out.with_tags_of(whole);
  const std::int64_t pixel = whole.channels * bytes_per_sample(whole.type);
  for (std::int64_t y = 0; y < whole.height; ++y)
    std::copy_n(whole.bytes.begin() + (y * whole.width + left) * pixel, width * pixel,
                out.bytes.begin() + y * width * pixel);
  return out;
}

}  // namespace

StoredPair halves_of(const Image& whole, const std::string& name) {
  if (whole.width < 2)
    fail("{}: is {}x{}, too narrow to hold two images side by side", name, whole.width, whole.height);
  const std::int64_t middle = whole.width / 2;
  return {columns_of(whole, 0, middle), columns_of(whole, middle, whole.width - middle)};
}

InStep::InStep(std::shared_ptr<const ImageSource> a, std::shared_ptr<const ImageSource> b)
    : a_(std::move(a)), b_(std::move(b)) {
  if (a_->size() != b_->size()) throw std::logic_error("sources of pairs are not as many");
}

Size shared_size(const TransformOptions& o, Size a, Size b, const std::string& name_a,
                 const std::string& name_b) {
  const Size resized_a = resized_size(o, a), resized_b = resized_size(o, b);
  const bool cropped = output_size(o) != Size{};
  const bool halves_of_odd_width = b == Size{a.width + 1, a.height};
  if (resized_a != resized_b && !(cropped && halves_of_odd_width))
    fail(
        "{} is {}x{} and its partner {} {}x{}: with --preprocess {} both images of a pair need one size; "
        "resize_and_crop brings them to one",
        name_a, a.width, a.height, name_b, b.width, b.height, o.preprocess);
  return {std::min(resized_a.width, resized_b.width), std::min(resized_a.height, resized_b.height)};
}

AlignedDataset::AlignedDataset(std::shared_ptr<const PairSource> pairs, TransformOptions transform,
                               std::int64_t channels_a, std::int64_t channels_b, std::shared_ptr<LogSink> log,
                               const ValueRange& domain_a, const ValueRange& domain_b)
    : pairs_(std::move(pairs)),
      transform_(std::move(transform)),
      a_(SampleScale(transform_.scaling, domain_a), channels_a, log),
      b_(SampleScale(transform_.scaling, domain_b), channels_b, log) {}

Batch AlignedDataset::get(std::int64_t index, Rng& rng) const {
  const std::string name_a = pairs_->name_a(index), name_b = pairs_->name_b(index);
  const StoredPair stored = pairs_->read(index);
  const PreparedImage a = a_.prepare(stored.a, name_a), b = b_.prepare(stored.b, name_b);
  const Size size_a{a.image.width, a.image.height}, size_b{b.image.width, b.image.height};
  check_fits(transform_, size_a, name_a);
  check_fits(transform_, size_b, name_b);
  const CropAndFlip drawn =
      draw_crop_and_flip(transform_, shared_size(transform_, size_a, size_b, name_a, name_b), rng);
  Batch sample;
  sample.tensors["real_a"] = to_tensor(transform(transform_, a.image, drawn, name_a), a.range);
  sample.tensors["real_b"] = to_tensor(transform(transform_, b.image, drawn, name_b), b.range);
  sample.names["real_a"] = {name_a};
  sample.names["real_b"] = {name_b};
  return sample;
}

}  // namespace torsor
