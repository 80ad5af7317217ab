#include "nn/layer_run.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>

#include "core/text.h"
#include "nn/blocks.h"
#include "nn/fast_blur.h"
#include "nn/fast_conv.h"
#include "nn/fast_tensors.h"
#include "nn/fast_trunk.h"
#include "nn/resampling.h"

namespace torsor {

namespace {

// With fewer channels, or smaller maps, the transforms of kernels outweigh their products, and Winograd's
// rounding errors are a larger multiple of libtorch's.
constexpr std::int64_t kMinChannels = 32, kMinSide = 8;

template <class Wanted>
const Wanted* layer_at(const std::vector<LayerPtr>& layers, std::size_t i) {
  return i < layers.size() ? dynamic_cast<const Wanted*>(layers[i].get()) : nullptr;
}

// An instance norm that uses the image's statistics in every mode, as kernels do.
struct ImageNorm {
  bool is_one = false;
  NormTensors parameters;
};

ImageNorm image_norm_at(const std::vector<LayerPtr>& layers, std::size_t i) {
  if (layer_at<InstanceNorm>(layers, i) != nullptr) return {true, {}};
  const auto* affine = layer_at<AffineInstanceNorm>(layers, i);
  if (affine == nullptr || affine->running_mean.defined()) return {};
  return {true, {affine->weight, affine->bias}};
}

// The prologue of a convolution or a block, from layer `first` on.
struct PrologueLayers {
  Prologue prologue;
  std::size_t next;
  NormTensors norm;
};

PrologueLayers read_prologue(const std::vector<LayerPtr>& layers, std::size_t first) {
  PrologueLayers before{{}, first, {}};
  if (ImageNorm norm = image_norm_at(layers, before.next); norm.is_one) {
    before.prologue.norm = Prologue::Norm::instance;
    before.norm = std::move(norm.parameters);
    ++before.next;
  } else if (layer_at<Identity>(layers, before.next) != nullptr) {
    ++before.next;
  }
  if (layer_at<Relu>(layers, before.next) != nullptr) {
    before.prologue.slope = 0;
    ++before.next;
  } else if (layer_at<LeakyRelu>(layers, before.next) != nullptr) {
    before.prologue.slope = kLeakySlope;
    ++before.next;
  }
  return before;
}

// Under autocast libtorch's convolutions output bfloat16; kernels read fp32.
at::Tensor in_floats(const at::Tensor& x) { return x.scalar_type() == at::kBFloat16 ? x.to(at::kFloat) : x; }

// Relative, in L2.
double distance(const at::Tensor& got, const at::Tensor& right) {
  const at::Tensor exact = right.to(at::kDouble);
  return ((got.to(at::kDouble) - exact).norm() / exact.norm()).item<double>();
}

BiasRole role_of_bias(const std::vector<LayerPtr>& layers, std::size_t conv) {
  return image_norm_at(layers, conv + 1).is_one ? BiasRole::cancelled : BiasRole::added;
}

}  // namespace

// A fused group of layers [first, first + count): a convolution or a blur with its prologue, a norm with its
// activation, residual blocks, or one without norms.
struct LayerRun::Step {
  std::size_t count = 0;
  std::unique_ptr<FastConv> conv;
  std::unique_ptr<FastBlur> blur;
  std::unique_ptr<FastNorm> norm;
  std::unique_ptr<FastTrunk> trunk;
  std::unique_ptr<FastConv> first, second;  // of a block without norms
  std::vector<const ResnetBlock*> blocks;
  bool has_neighbour = false;  // no reorder on one side at least

  bool supports(const at::Tensor& x) const {
    if (conv) return conv->supports(x);
    if (blur) return blur->supports(x);
    if (norm) return is_blocked(x) && norm->supports(x);  // alone it does not pay for the reorders
    if (first) return first->supports(x) && second->supports(x);
    return trunk->supports(x) && std::all_of(blocks.begin(), blocks.end(), [](const ResnetBlock* block) {
             return block->suits_fast_trunk();
           });
  }

  bool is_profitable(const at::Tensor& x) const {
    const ImageSizes s = sizes_of(x);
    const auto enough = [](std::int64_t channels) { return channels < kBlock || channels >= kMinChannels; };
    const bool has_room = std::min(s.height, s.width) >= kMinSide && enough(s.channels);
    if (conv) return has_room && has_neighbour && enough(conv->out_channels());
    return has_room && s.channels >= kMinChannels && (has_neighbour || !blur);
  }

  at::Tensor forward(const at::Tensor& x, std::vector<at::Tensor>* residuals) const {
    if (conv) return conv->forward(x);
    if (blur) return blur->forward(x);
    if (norm) return norm->forward(x);
    if (first) return plain_block(x);
    return trunk->forward(x, residuals);
  }

  at::Tensor plain_block(const at::Tensor& x) const {
    const at::Tensor f = second->forward(first->forward(x));
    return (is_blocked(f) ? to_blocked_tensor(x) : to_planar_tensor(x)) + f;
  }
};

namespace {

using Step = LayerRun::Step;

// A list up to the last layer that is computed, and the layers whose outputs are requested.
struct Route {
  std::vector<LayerPtr> layers;
  std::set<std::size_t> requested;

  bool ends_within(std::size_t first, std::size_t count) const {
    const auto next = requested.lower_bound(first);
    return next != requested.end() && *next + 1 < first + count;
  }
};

std::unique_ptr<Step> conv_step(const Route& route, std::size_t first) {
  const std::vector<LayerPtr>& layers = route.layers;
  const PrologueLayers before = read_prologue(layers, first);
  std::size_t at = before.next;
  FastConvSpec spec;
  spec.prologue = before.prologue;
  spec.norm = before.norm;
  std::int64_t reflection = 0;
  if (const auto* pad = layer_at<ReflectionPad>(layers, at)) {
    reflection = pad->pad;
    ++at;
  }
  if (const auto* conv = layer_at<Conv>(layers, at)) {
    if (reflection > 0 && conv->shape.padding > 0) return nullptr;
    spec.weight = conv->weight;
    spec.bias = conv->bias;
    spec.stride = conv->shape.stride;
    spec.padding = reflection > 0 ? reflection : conv->shape.padding;
    spec.prologue.padding_mode = reflection > 0 ? PaddingMode::reflect : PaddingMode::zeros;
  } else if (const auto* up = layer_at<ConvTranspose>(layers, at); up != nullptr && reflection == 0) {
    spec.weight = up->weight;
    spec.bias = up->bias;
    spec.direction = ConvDirection::transposed;
    spec.stride = up->shape.stride;
    spec.padding = up->shape.padding;
    spec.output_padding = up->output_padding;
  } else {
    return nullptr;
  }
  spec.bias_role = route.requested.contains(at) ? BiasRole::added : role_of_bias(layers, at);
  auto step = std::make_unique<Step>();
  step->count = at + 1 - first;
  step->conv = std::make_unique<FastConv>(std::move(spec));
  return step;
}

std::unique_ptr<Step> blur_step(const Route& route, std::size_t first) {
  const PrologueLayers before = read_prologue(route.layers, first);
  FastBlurSpec spec{BlurDirection::down, {}, before.prologue, before.norm};
  if (const auto* down = layer_at<BlurDown>(route.layers, before.next)) {
    spec.filt = down->filt;
  } else if (const auto* up = layer_at<BlurUp>(route.layers, before.next)) {
    spec.filt = up->filt;
    spec.direction = BlurDirection::up;
  } else {
    return nullptr;
  }
  auto step = std::make_unique<Step>();
  step->count = before.next + 1 - first;
  step->blur = std::make_unique<FastBlur>(std::move(spec));
  return step;
}

std::unique_ptr<Step> trunk_step(const Route& route, std::size_t first) {
  auto step = std::make_unique<Step>();
  std::vector<at::Tensor> weights, biases;
  std::vector<NormTensors> norms;
  while (const auto* block = layer_at<ResnetBlock>(route.layers, first + step->count)) {
    if (step->count > 0 && route.requested.contains(first + step->count - 1)) break;
    step->blocks.push_back(block);
    ++step->count;
    for (const Conv* conv : block->convolutions()) {
      weights.push_back(conv->weight);
      if (conv->bias.defined()) biases.push_back(conv->bias);
    }
    for (const AffineInstanceNorm* norm : block->affine_norms()) norms.push_back({norm->weight, norm->bias});
  }
  if (step->count == 0) return nullptr;
  step->trunk =
      std::make_unique<FastTrunk>(std::move(weights), std::move(biases), chosen_isa(), std::move(norms));
  return step;
}

std::unique_ptr<Step> plain_block_step(const Route& route, std::size_t first) {
  const auto* block = layer_at<PlainBlock>(route.layers, first);
  if (block == nullptr) return nullptr;
  const auto conv = [&](const Conv& layer, const Prologue& prologue) {
    FastConvSpec spec;
    spec.weight = layer.weight;
    spec.bias = layer.bias;
    spec.padding = 1;
    spec.prologue = prologue;
    spec.prologue.padding_mode = PaddingMode::reflect;
    return std::make_unique<FastConv>(std::move(spec));
  };
  Prologue relu;
  relu.slope = 0;
  auto step = std::make_unique<Step>();
  step->count = 1;
  step->first = conv(*block->convolutions().front(), {});
  step->second = conv(*block->convolutions().back(), relu);
  return step;
}

// In front of blocks, which have no prologue.
std::unique_ptr<Step> norm_step(const Route& route, std::size_t first) {
  const PrologueLayers before = read_prologue(route.layers, first);
  if (before.prologue.norm != Prologue::Norm::instance ||
      layer_at<ResnetBlock>(route.layers, before.next) == nullptr)
    return nullptr;
  auto step = std::make_unique<Step>();
  step->count = before.next - first;
  step->norm = std::make_unique<FastNorm>(before.prologue.slope, chosen_isa(), before.norm);
  return step;
}

std::unique_ptr<Step> any_step(const Route& route, std::size_t first) {
  for (const auto& make : {conv_step, blur_step, plain_block_step, trunk_step, norm_step})
    if (auto step = make(route, first))
      return route.ends_within(first, step->count) ? nullptr : std::move(step);
  return nullptr;
}

const Step* fast_step(const Step* step, const at::Tensor& x, Engine engine) {
  if (step == nullptr || engine == Engine::torch || chosen_isa() == Isa::plain || !step->supports(x))
    return nullptr;
  return engine != Engine::fast && !step->is_profitable(x) ? nullptr : step;
}

}  // namespace

void check_ascending_layers(const std::vector<std::int64_t>& layers, std::int64_t count) {
  std::int64_t least = 0;
  for (const std::int64_t layer : layers) {
    if (layer < least || layer >= count) throw std::logic_error("layers that do not exist, or out of order");
    least = layer + 1;
  }
}

LayerRun::LayerRun(std::shared_ptr<LayerList> list) : list_(std::move(list)) {}
LayerRun::~LayerRun() = default;

LayerRun::Steps LayerRun::plan(const Ends& requested) const {
  Route route{list_->layers(), requested};
  if (!requested.empty()) route.layers.resize(*requested.rbegin() + 1);
  Steps steps(route.layers.size());
  Step* before = nullptr;  // the group that ends where the next one begins
  for (std::size_t i = 0; i < steps.size();) {
    steps[i] = any_step(route, i);
    Step* step = steps[i].get();
    if (before != nullptr && step != nullptr) before->has_neighbour = step->has_neighbour = true;
    before = step;
    i += step == nullptr ? 1 : step->count;
  }
  return steps;
}

const LayerRun::Steps& LayerRun::steps_for(const Ends& requested) {
  const std::lock_guard lock(planning_);
  auto found = plans_.find(requested);
  if (found == plans_.end()) found = plans_.emplace(requested, plan(requested)).first;
  return found->second;
}

at::Tensor LayerRun::by_libtorch(std::size_t first, std::size_t count, const at::Tensor& x,
                                 std::vector<at::Tensor>* residuals) const {
  at::Tensor y = to_planar_tensor(x);
  for (std::size_t i = first; i < first + count; ++i) {
    const LayerPtr& layer = list_->layers()[i];
    auto* block = dynamic_cast<ResnetBlock*>(layer.get());
    if (block == nullptr) {
      y = layer->forward(y);
      continue;
    }
    const at::Tensor residual = block->residual(y);
    if (residuals != nullptr) residuals->push_back(residual);
    y = y + residual;
  }
  return y;
}

std::string LayerRun::names(std::size_t first, std::size_t count) const {
  std::vector<std::string> kinds;
  const auto kind = [&](std::size_t i) {
    const std::string name = list_->layers()[i]->name();
    return name.substr(name.rfind(':') + 1);  // without the namespace
  };
  for (std::size_t i = first, last = first + count, same = 1; i < last; i += same) {
    for (same = 1; i + same < last && kind(i + same) == kind(i);) ++same;
    kinds.push_back(same == 1 ? kind(i) : fmt::format("{} x {}", kind(i), same));
  }
  const std::string which =
      count == 1 ? fmt::format("{}", first) : fmt::format("{} to {}", first, first + count - 1);
  return fmt::format("{}: {}", which, join(kinds));
}

at::Tensor LayerRun::walk(const Steps& steps, const at::Tensor& x, HasEngine& user,
                          std::vector<at::Tensor>* residuals, Outputs& requested) const {
  const bool checks = user.engine == Engine::check;
  at::Tensor y = x;
  for (std::size_t i = 0; i < steps.size();) {
    const at::Tensor image = steps[i] == nullptr ? y : in_floats(y);
    const Step* step = fast_step(steps[i].get(), image, user.engine);
    const std::size_t count = step == nullptr ? 1 : step->count;
    at::Tensor next = step == nullptr ? by_libtorch(i, 1, y, residuals) : step->forward(image, residuals);
    if (checks || user.watched) {
      LayerPath path{names(i, count), step != nullptr, {}};
      if (checks && step != nullptr) {
        const at::NoGradGuard no_grad;
        path.worst = distance(to_planar_tensor(next), by_libtorch(i, count, y, nullptr));
      }
      user.engine_log.add(i, path);
    }
    y = std::move(next);
    i += count;
    if (const auto found = requested.find(i - 1); found != requested.end())
      found->second = to_planar_tensor(y);
  }
  return to_planar_tensor(y);
}

at::Tensor LayerRun::forward(const at::Tensor& x, HasEngine& user, std::vector<at::Tensor>* residuals) {
  Outputs none;
  return walk(steps_for({}), x, user, residuals, none);
}

std::size_t LayerRun::visible_at(std::size_t layer, std::size_t last) const {
  std::size_t next = layer + 1;
  while (next < last && layer_at<Identity>(list_->layers(), next) != nullptr) ++next;
  return next <= last && layer_at<Relu>(list_->layers(), next) != nullptr ? next : layer;
}

std::vector<at::Tensor> LayerRun::features(const at::Tensor& x, HasEngine& user,
                                           const std::vector<std::int64_t>& layers) {
  check_ascending_layers(layers, static_cast<std::int64_t>(list_->layers().size()));
  if (layers.empty()) return {};
  Ends ends;
  Outputs outputs;
  std::vector<std::size_t> visible;
  for (const std::int64_t layer : layers) {
    visible.push_back(visible_at(static_cast<std::size_t>(layer), static_cast<std::size_t>(layers.back())));
    ends.insert(visible.back());
    outputs[visible.back()];
  }
  walk(steps_for(ends), x, user, nullptr, outputs);
  std::vector<at::Tensor> features;
  for (const std::size_t layer : visible) features.push_back(outputs.at(layer));
  return features;
}

}  // namespace torsor
