#include "nn/layers.h"

#include <torch/types.h>

#include "core/error.h"
#include "core/text.h"
#include "kernels/norm_stages.h"

namespace torsor {

namespace {

constexpr double kNormEps = kNormEpsilon;  // of all norms, the kernels' too
constexpr double kNormMomentum = 0.1;      // of running statistics

thread_local int shapes_only = 0;  // how many ShapesOnly live

// The variance of one pixel is zero by construction.
void require_several_pixels(const at::Tensor& x) {
  if (x.size(2) * x.size(3) == 1)
    fail(
        "instance norm got a 1x1 map, whose variance is always zero; use larger images, fewer layers or "
        "--norm none");
}

}  // namespace

at::TensorOptions new_parameter(at::ScalarType dtype) {
  return at::TensorOptions(shapes_only > 0 ? at::kMeta : at::kCPU).dtype(dtype);
}

ShapesOnly::ShapesOnly() { ++shapes_only; }
ShapesOnly::~ShapesOnly() { --shapes_only; }

GraphValue Layer::describe(GraphSink&, const GraphValue&) const {
  fail("the layer {} does not say how it is written in another format; implement its describe()", name());
}

std::size_t LayerList::append(LayerPtr layer) {
  const std::size_t index = layers_.size();
  register_module(std::to_string(index), layer);
  layers_.push_back(std::move(layer));
  return index;
}

at::Tensor LayerList::forward(const at::Tensor& x) {
  at::Tensor y = x;
  for (const auto& layer : layers_) y = layer->forward(y);
  return y;
}

at::Tensor LayerList::before_last(const at::Tensor& x) const {
  return forward_part(x, 0, layers_.empty() ? 0 : layers_.size() - 1);
}

at::Tensor LayerList::forward_part(const at::Tensor& x, std::size_t first, std::size_t last) const {
  at::Tensor y = x;
  for (std::size_t i = first; i < last; ++i) y = layers_[i]->forward(y);
  return y;
}

void LayerList::share(const LayerList& other, std::size_t first, std::size_t last) {
  for (std::size_t i = first; i < last; ++i) {
    layers_.at(i) = other.layers_.at(i);
    replace_module(std::to_string(i), layers_[i]);
  }
}

GraphValue LayerList::describe(GraphSink& sink, const GraphValue& x) const {
  GraphValue y = x;
  for (const auto& layer : layers_) y = layer->describe(sink, y);
  return y;
}

Conv::Conv(const ConvShape& s) : shape(s) {
  weight = register_parameter("weight", at::zeros({s.out, s.in, s.kernel, s.kernel}, new_parameter()));
  if (s.bias == Bias::yes) bias = register_parameter("bias", at::zeros({s.out}, new_parameter()));
}

at::Tensor Conv::forward(const at::Tensor& x) {
  return at::conv2d(x, weight, bias, shape.stride, shape.padding);
}

GraphValue Conv::describe(GraphSink& sink, const GraphValue& x) const {
  return sink.conv(x, weight, bias, shape.stride, shape.padding);
}

ConvTranspose::ConvTranspose(const ConvShape& s, std::int64_t output_padding)
    : shape(s), output_padding(output_padding) {
  weight = register_parameter("weight", at::zeros({s.in, s.out, s.kernel, s.kernel}, new_parameter()));
  if (s.bias == Bias::yes) bias = register_parameter("bias", at::zeros({s.out}, new_parameter()));
}

at::Tensor ConvTranspose::forward(const at::Tensor& x) {
  return at::conv_transpose2d(x, weight, bias, shape.stride, shape.padding, output_padding);
}

GraphValue ConvTranspose::describe(GraphSink& sink, const GraphValue& x) const {
  return sink.conv_transpose(x, weight, bias, shape.stride, shape.padding, output_padding, /*groups=*/1);
}

Linear::Linear(std::int64_t in, std::int64_t out) {
  weight = register_parameter("weight", at::zeros({out, in}, new_parameter()));
  bias = register_parameter("bias", at::zeros({out}, new_parameter()));
}

at::Tensor Linear::forward(const at::Tensor& x) { return at::linear(x, weight, bias); }

at::Tensor InstanceNorm::forward(const at::Tensor& x) {
  require_several_pixels(x);
  return with_norm_gradient(at::instance_norm(x, {}, {}, {}, {}, /*use_input_stats=*/true, kNormMomentum,
                                              kNormEps, /*cudnn_enabled=*/true),
                            gradient);
}

GraphValue InstanceNorm::describe(GraphSink& sink, const GraphValue& x) const {
  return sink.instance_norm(x, {}, {}, kNormEps);
}

AffineInstanceNorm::AffineInstanceNorm(std::int64_t channels, RunningStatistics running) {
  weight = register_parameter("weight", at::ones({channels}, new_parameter()));
  bias = register_parameter("bias", at::zeros({channels}, new_parameter()));
  if (running == RunningStatistics::none) return;
  running_mean = register_buffer("running_mean", at::zeros({channels}, new_parameter()));
  running_var = register_buffer("running_var", at::ones({channels}, new_parameter()));
  num_batches_tracked = register_buffer("num_batches_tracked", at::zeros({}, new_parameter(at::kLong)));
}

bool AffineInstanceNorm::normalises_images() const {
  return is_training() || !running_mean.defined() || evaluation_statistics == NormStatistics::batch;
}

at::Tensor AffineInstanceNorm::forward(const at::Tensor& x) {
  if (!normalises_images())
    return at::instance_norm(x, weight, bias, running_mean, running_var, /*use_input_stats=*/false,
                             kNormMomentum, kNormEps, /*cudnn_enabled=*/true);
  require_several_pixels(x);
  const bool moves = is_training() && running_mean.defined();
  return with_norm_gradient(
      at::instance_norm(x, weight, bias, moves ? running_mean : at::Tensor(),
                        moves ? running_var : at::Tensor(), /*use_input_stats=*/true, kNormMomentum, kNormEps,
                        /*cudnn_enabled=*/true),
      gradient);
}

GraphValue AffineInstanceNorm::describe(GraphSink& sink, const GraphValue& x) const {
  const bool runs = running_mean.defined() && evaluation_statistics == NormStatistics::running;
  return runs ? sink.batch_norm(x, weight, bias, running_mean, running_var, kNormEps)
              : sink.instance_norm(x, weight, bias, kNormEps);
}

BatchNorm::BatchNorm(std::int64_t channels) {
  weight = register_parameter("weight", at::ones({channels}, new_parameter()));
  bias = register_parameter("bias", at::zeros({channels}, new_parameter()));
  running_mean = register_buffer("running_mean", at::zeros({channels}, new_parameter()));
  running_var = register_buffer("running_var", at::ones({channels}, new_parameter()));
  num_batches_tracked = register_buffer("num_batches_tracked", at::zeros({}, new_parameter(at::kLong)));
}

at::Tensor BatchNorm::forward(const at::Tensor& x) {
  if (is_training()) {
    at::NoGradGuard no_grad;
    num_batches_tracked += 1;
  }
  if (!is_training() && evaluation_statistics == NormStatistics::batch)
    return at::batch_norm(x, weight, bias, {}, {}, /*training=*/true, kNormMomentum, kNormEps, true);
  return at::batch_norm(x, weight, bias, running_mean, running_var, is_training(), kNormMomentum, kNormEps,
                        true);
}

GraphValue BatchNorm::describe(GraphSink& sink, const GraphValue& x) const {
  if (evaluation_statistics == NormStatistics::batch)
    fail("a batch norm that uses each batch's statistics cannot be written in another format");
  return sink.batch_norm(x, weight, bias, running_mean, running_var, kNormEps);
}

at::Tensor Dropout::forward(const at::Tensor& x) {
  if (!is_training() || p == 0) return x;
  if (!generator.defined()) throw std::logic_error("Dropout has no generator; call set_dropout_generator");
  // The generator lives on the CPU whatever the device, so that one seed means one mask everywhere.
  const at::Tensor keep = at::empty(x.sizes(), at::kFloat).bernoulli_(1 - p, generator);
  return x * keep.to(x.options()).div_(1 - p);
}

GraphValue Dropout::describe(GraphSink&, const GraphValue& x) const {
  return x;  // evaluation mode
}

at::Tensor Relu::forward(const at::Tensor& x) { return at::relu(x); }

GraphValue Relu::describe(GraphSink& sink, const GraphValue& x) const { return sink.relu(x); }

at::Tensor LeakyRelu::forward(const at::Tensor& x) { return at::leaky_relu(x, kLeakySlope); }

GraphValue LeakyRelu::describe(GraphSink& sink, const GraphValue& x) const {
  return sink.leaky_relu(x, kLeakySlope);
}

at::Tensor ReflectionPad::forward(const at::Tensor& x) {
  return at::reflection_pad2d(x, {pad, pad, pad, pad});
}

GraphValue ReflectionPad::describe(GraphSink& sink, const GraphValue& x) const {
  return sink.reflection_pad(x, pad);
}

at::Tensor Tanh::forward(const at::Tensor& x) { return at::tanh(x); }

GraphValue Tanh::describe(GraphSink& sink, const GraphValue& x) const { return sink.tanh(x); }

std::vector<std::string> norm_names() {
  return {"instance", "batch", "none", "instance_affine", "instance_affine_running"};
}

LayerPtr make_norm(const std::string& norm, std::int64_t channels) {
  if (norm == "instance") return std::make_shared<InstanceNorm>();
  if (norm == "instance_affine")
    return std::make_shared<AffineInstanceNorm>(channels, RunningStatistics::none);
  if (norm == "instance_affine_running")
    return std::make_shared<AffineInstanceNorm>(channels, RunningStatistics::kept);
  if (norm == "batch") return std::make_shared<BatchNorm>(channels);
  if (norm == "none") return std::make_shared<Identity>();
  fail_usage("unknown norm '{}' (one of {})", norm, join(norm_names()));
}

bool keeps_running_statistics(const std::string& norm) {
  return norm == "batch" || norm == "instance_affine_running";
}

Bias inner_bias(const std::string& norm, const std::string& conv_bias) {
  if (conv_bias == "yes") return Bias::yes;
  if (conv_bias == "no") return Bias::no;
  return norm.starts_with("instance") ? Bias::yes : Bias::no;
}

LayerPtr make_output_activation(const std::string& name) {
  if (name == "tanh") return std::make_shared<Tanh>();
  if (name == "linear") return std::make_shared<Identity>();
  fail_usage("unknown output activation '{}' (one of tanh, linear)", name);
}

void set_dropout_generator(torch::nn::Module& module, const at::Generator& generator) {
  module.apply([&](torch::nn::Module& m) {
    if (auto* dropout = dynamic_cast<Dropout*>(&m)) dropout->generator = generator;
  });
}

void set_norm_statistics(torch::nn::Module& module, NormStatistics statistics) {
  module.apply([&](torch::nn::Module& m) {
    if (auto* norm = dynamic_cast<BatchNorm*>(&m)) norm->evaluation_statistics = statistics;
    if (auto* norm = dynamic_cast<AffineInstanceNorm*>(&m)) norm->evaluation_statistics = statistics;
  });
}

void set_norm_gradient(torch::nn::Module& module, NormGradient gradient) {
  module.apply([&](torch::nn::Module& m) {
    if (auto* norm = dynamic_cast<InstanceNorm*>(&m)) norm->gradient = gradient;
    if (auto* norm = dynamic_cast<AffineInstanceNorm*>(&m)) norm->gradient = gradient;
  });
}

}  // namespace torsor
