#include "torsor/translator.h"

#include <ATen/Parallel.h>
#include <torch/types.h>

#include "api/translator_state.h"
#include "core/machine.h"
#include "interchange/inspect.h"
#include "interchange/weight_source.h"

namespace torsor {

namespace {

struct Settings {
  std::string norm_stats;
  PlacementOptions placement;

  void describe(OptionSet& o) {
    add_norm_stats(o, norm_stats);
    placement.describe(o);
  }
};

RunnerOptions runner_options(const TranslatorOptions& options) {
  const auto settings = options_from_json<Settings>({{"device", options.device},
                                                     {"precision", options.precision},
                                                     {"norm_stats", options.norm_stats},
                                                     {"engine", options.engine}},
                                                    "TranslatorOptions");
  return {options.direction, norm_statistics_of(settings.norm_stats), resolve_placement(settings.placement)};
}

}  // namespace

void check_output(const PixelLayout& in, const PixelLayout& out, std::int64_t channels) {
  if (out.width != in.width || out.height != in.height)
    fail("{}: {}x{} pixels, but the input has {}x{}; they must be equal", kOutput, out.width, out.height,
         in.width, in.height);
  if (out.channels != channels)
    fail("{}: {} channels, but the network gives {}", kOutput, out.channels, channels);
}

Translator::State::State(const std::filesystem::path& model, const WeightSet& weights,
                         const RunnerOptions& options, EvidenceKept kept)
    : runner(load_generator(weights, options.direction), options), check(runner.loaded()) {
  Json about = describe_weights(weights);
  about["direction"] = runner.loaded().direction.name();
  description = about.dump(2);
  if (kept == EvidenceKept::yes) evidence.emplace(model, weights, runner, options);
}

at::Tensor Translator::State::read_floats(const void* data, const PixelLayout& layout) const {
  const std::int64_t wanted = runner.channels_in(layout.channels);
  if (layout.channels != wanted)
    fail("{}: {} channels of floats, but the network takes {}", kInput, layout.channels, wanted);
  if (scales_each_image(runner.loaded().info.scaling()))
    fail(
        "{}: floats, but this model scales each image by itself ({}); give samples of 8 or 16 bits, or a "
        "tensor in the network's own range",
        kInput, runner.loaded().info.scaling());
  return gather_tensor(data, layout);
}

PreparedImage Translator::State::read_integers(const void* data, const PixelLayout& layout) const {
  if (layout.channels < 1 || layout.channels > 4)
    fail("{}: {} channels; expected 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA)", kInput, layout.channels);
  std::string note;
  return runner.input(gather_image(data, layout), note, kInput);
}

Image Translator::State::preview(const void* data, const PixelLayout& layout) const {
  if (layout.type == SampleType::f32) return to_image(read_floats(data, layout));
  const PreparedImage input = read_integers(data, layout);
  return to_preview(input.image, input.range);
}

std::pair<at::Tensor, PreparedImage> Translator::State::read(const void* data,
                                                             const PixelLayout& layout) const {
  if (layout.type == SampleType::f32) return {read_floats(data, layout).unsqueeze(0), PreparedImage{}};
  PreparedImage input = read_integers(data, layout);
  const at::Tensor values = to_tensor(input.image, input.range).unsqueeze(0);
  return {values, std::move(input)};
}

Translator::Translator(const std::filesystem::path& model, const TranslatorOptions& options)
    : state_(guarded([&] {
        return std::make_shared<const State>(model, open_weights(model), runner_options(options),
                                             options.evidence ? EvidenceKept::yes : EvidenceKept::no);
      })) {}

std::int64_t Translator::in_channels() const { return state_->runner.loaded().options.in_channels; }

std::int64_t Translator::out_channels() const { return state_->runner.loaded().options.out_channels; }

PixelLayout Translator::output_layout(const PixelLayout& in) const {
  return {in.width, in.height, state_->runner.channels_out(in.channels), in.type};
}

void Translator::translate(const void* in, const PixelLayout& in_layout, void* out,
                           const PixelLayout& out_layout) const {
  guarded([&] {
    check_pixels(in, in_layout, kInput);
    check_pixels(out, out_layout, kOutput);
    check_output(in_layout, out_layout, state_->runner.channels_out(in_layout.channels));
    const auto [x, input] = state_->read(in, in_layout);
    const at::Tensor result = state_->runner.translate(x)[0];
    if (out_layout.type == SampleType::f32) return scatter(result, out, out_layout);
    scatter(state_->runner.picture(result, input, pixel_type(out_layout.type)), out, out_layout);
  });
}

at::Tensor Translator::translate(const at::Tensor& images) const {
  return guarded([&] {
    // A copy made out here is a tensor like any other, which the network's own result, made in inference
    // mode, is not.
    return state_->runner.translate(images.detach()).clone();
  });
}

std::string Translator::doubt(const void* in, const PixelLayout& layout) const {
  return guarded([&] {
    check_pixels(in, layout, kInput);
    InputCheck check = state_->check;
    check.add("the image", state_->preview(in, layout));
    return check.warning();
  });
}

const std::string& Translator::describe() const { return state_->description; }

void set_threads(int threads) {
  if (threads < 0) fail_usage("threads: {}; expected 0 (all processors) or more", threads);
  guarded([&] { at::set_num_threads(threads > 0 ? threads : static_cast<int>(usable_processors())); });
}

}  // namespace torsor
