#include "infer/generator_runner.h"

#include <fmt/ostream.h>
#include <torch/types.h>

#include "core/error.h"
#include "core/files.h"
#include "data/unpaired.h"
#include "image/convert.h"
#include "image/resize.h"
#include "interchange/weight_source.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

std::int64_t round_up(std::int64_t side, const SizeRule& rule) {
  return std::max(rule.minimum, (side + rule.multiple - 1) / rule.multiple * rule.multiple);
}

// Of the domain that it translates from; of an unknown direction a.
SampleScale scale_of(const LoadedGenerator& loaded) {
  const auto& domains = loaded.info.domains;
  const auto from = domains.find(loaded.direction.is_known() ? loaded.direction.from : "a");
  return SampleScale(loaded.info.scaling(), from == domains.end() ? ValueRange() : from->second.range);
}

// Grows one side by as much as one reflection allows; at least doubles it, or repeats a single row.
at::Tensor grow(const at::Tensor& x, std::int64_t missing, bool vertical) {
  const std::int64_t side = vertical ? x.size(2) : x.size(3);
  const std::int64_t pad = std::min(missing, std::max<std::int64_t>(1, side - 1));
  const std::vector<std::int64_t> padding =
      vertical ? std::vector<std::int64_t>{0, 0, 0, pad} : std::vector<std::int64_t>{0, pad, 0, 0};
  return side == 1 ? at::replication_pad2d(x, padding) : at::reflection_pad2d(x, padding);
}

}  // namespace

void add_norm_stats(OptionSet& o, std::string& field) {
  o.add("norm_stats", field,
        "batch norm uses the trained running statistics, or each batch's own as the reference does")
      .choices({"running", "batch"});
}

NormStatistics norm_statistics_of(const std::string& norm_stats) {
  return norm_stats == "batch" ? NormStatistics::batch : NormStatistics::running;
}

at::Tensor reflect_pad_to(const at::Tensor& images, std::int64_t height, std::int64_t width) {
  at::Tensor x = images;
  while (x.size(2) < height) x = grow(x, height - x.size(2), true);
  while (x.size(3) < width) x = grow(x, width - x.size(3), false);
  return x;
}

GeneratorRunner GeneratorRunner::open(const fs::path& model, const RunnerOptions& options) {
  return GeneratorRunner(load_generator(open_weights(model, options.choice), options.direction), options);
}

GeneratorRunner::GeneratorRunner(LoadedGenerator loaded, const RunnerOptions& options)
    : loaded_(std::move(loaded)), placement_(options.placement), scale_(scale_of(loaded_)) {
  set_placement(*loaded_.generator, placement_);
  set_norm_statistics(*loaded_.generator, options.norm_statistics);
}

at::Tensor GeneratorRunner::translate(const at::Tensor& images) const {
  const c10::InferenceMode inference;
  if (images.dim() != 4 || images.size(1) != channels_in(images.size(1)) || images.numel() == 0 ||
      !images.is_floating_point())
    fail("images: {} of {}; expected [N, {}, H, W] of floats", fmt::streamed(images.sizes()),
         c10::toString(images.scalar_type()), loaded_.options.in_channels);
  const SizeRule rule = loaded_.generator->size_rule();
  const std::int64_t height = images.size(2), width = images.size(3);
  const at::Tensor placed = images.to(placement_.device, placement_.dtype);
  const at::Tensor out = run_unpadded(reflect_pad_to(placed, round_up(height, rule), round_up(width, rule)));
  return out.slice(2, 0, height).slice(3, 0, width).contiguous();
}

at::Tensor GeneratorRunner::run_unpadded(const at::Tensor& images) const {
  const c10::InferenceMode inference;
  const std::int64_t least = loaded_.generator->size_rule().minimum;
  if (images.size(2) < least || images.size(3) < least)
    fail("{} got a {}x{} image, but needs at least {} pixels a side; enlarge the image first",
         loaded_.options.net_g, images.size(3), images.size(2), least);
  const AutocastScope autocast(placement_);
  return loaded_.generator->forward(images.to(placement_.device, placement_.dtype)).to(at::kFloat);
}

Image GeneratorRunner::translate(const Image& image, std::string& note) const {
  const PreparedImage ready =
      prepare_without_alpha(image, channels_in(image.channels), scale_, note, "the image");
  return picture(translate(to_tensor(ready.image, ready.range).unsqueeze(0))[0], ready, image.type);
}

std::int64_t GeneratorRunner::channels_in(std::int64_t stored) const {
  return loaded_.generator->channels() == Channels::any ? stored : loaded_.options.in_channels;
}

std::int64_t GeneratorRunner::channels_out(std::int64_t stored) const {
  return loaded_.generator->channels() == Channels::any ? stored : loaded_.options.out_channels;
}

bool GeneratorRunner::copies() const { return loaded_.generator->channels() == Channels::any; }

PreparedImage GeneratorRunner::input(const Image& stored, std::string& note, const std::string& name,
                                     Hidden hidden) const {
  return prepare(stored, channels_in(stored.channels), scale_, note, name, copies() ? Hidden::kept : hidden);
}

ValueRange GeneratorRunner::output_range(const ValueRange& input, PixelType type) const {
  const ValueRange& target = target_of(loaded_).range;
  if (target.black == 0) return percentile_range_as(target, type);
  if (copies()) return input.type == type ? input : whole_range(type);
  if (target.type == type) return target;
  const bool has_own = input.type == type && scale_.domain().type != type;
  return has_own ? input : whole_range(type);
}

Image GeneratorRunner::picture(const at::Tensor& made, const PreparedImage& input, PixelType type,
                               Rounding rounding) const {
  try {
    return to_image(made, output_range(input.range, type), rounding);
  } catch (const Error& error) {
    if (loaded_.source.empty()) throw;
    fail("{}: {}", loaded_.source, error.what());
  }
}

Image translate_as_reference(const GeneratorRunner& runner, const TransformOptions& preprocess,
                             PreparedImage ready, const std::string& name) {
  if (ready.image.type != PixelType::u8) {
    const bool has_own = ready.range.black == 0;
    ready.image = to_preview(ready.image, ready.range);
    ready.range = has_own ? percentile_range(ready.image, PixelType::u8, name) : ValueRange();
  }
  Rng unused(0);  // nothing is drawn: there is no crop and no flip
  const Size size = resized_size(preprocess, {ready.image.width, ready.image.height});
  const Image resized = transform(
      preprocess, resize_bicubic(ready.image, size.width, size.height, PassOrder::pillow_13), unused, name);
  const at::Tensor x = to_tensor(resized, ready.range).unsqueeze(0);
  const Image out = runner.picture(runner.run_unpadded(x)[0], ready, PixelType::u8, Rounding::truncate);
  return with_channels(out, 3);
}

Image translate_as_reference(const GeneratorRunner& runner, const TransformOptions& preprocess,
                             const Image& image, const std::string& name) {
  std::string note;
  return translate_as_reference(runner, preprocess, runner.input(image, note, name, Hidden::kept), name);
}

}  // namespace torsor
