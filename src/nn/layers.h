// The layers that the networks are made of. A layer owns its parameters under the names torch uses (weight,
// bias, running_mean, ...), and LayerList numbers its children from 0, parameterless ones included, so that
// state-dict keys equal the reference's. All tensors are [N,C,H,W], but for Linear's.
#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nn/graph.h"
#include "nn/norm_gradient.h"

namespace torsor {

/// While one lives, layers that this thread makes have shapes but no memory (libtorch's device "meta"): for
/// asking what a network would be like before it is allocated.
class ShapesOnly {
 public:
  ShapesOnly();
  ~ShapesOnly();
  ShapesOnly(const ShapesOnly&) = delete;
  ShapesOnly& operator=(const ShapesOnly&) = delete;
};

/// How a layer makes a parameter or buffer: on the CPU, or while a ShapesOnly lives without memory.
at::TensorOptions new_parameter(at::ScalarType dtype = at::kFloat);

/// A module from one tensor to one tensor.
struct Layer : torch::nn::Module {
  virtual at::Tensor forward(const at::Tensor& x) = 0;
  /// Tells the sink what forward() computes in evaluation mode, for export; returns its result's name there.
  /// A layer that does not say throws Error.
  virtual GraphValue describe(GraphSink& sink, const GraphValue& x) const;
};
using LayerPtr = std::shared_ptr<Layer>;

/// Children "0", "1", ... applied in order.
struct LayerList : Layer {
  /// Appends a layer and returns its index.
  std::size_t append(LayerPtr layer);
  at::Tensor forward(const at::Tensor& x) override;
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override;
  const std::vector<LayerPtr>& layers() const { return layers_; }
  /// What the last layer gets.
  at::Tensor before_last(const at::Tensor& x) const;
  /// [N,C,H,W] through the layers first to last - 1 alone.
  at::Tensor forward_part(const at::Tensor& x, std::size_t first, std::size_t last) const;
  /// Makes the layers first to last - 1 those of another list, whose weights then are this one's too.
  void share(const LayerList& other, std::size_t first, std::size_t last);

 private:
  std::vector<LayerPtr> layers_;
};

enum class Bias { no, yes };

struct ConvShape {
  std::int64_t in = 0, out = 0, kernel = 3, stride = 1, padding = 0;
  Bias bias = Bias::yes;
};

/// Convolution with square kernel; weight [out,in,k,k].
struct Conv : Layer {
  explicit Conv(const ConvShape& shape);
  at::Tensor forward(const at::Tensor& x) override;
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override;
  ConvShape shape;
  at::Tensor weight, bias;
};

/// Transposed convolution; weight [in,out,k,k].
struct ConvTranspose : Layer {
  ConvTranspose(const ConvShape& shape, std::int64_t output_padding);
  at::Tensor forward(const at::Tensor& x) override;
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override;
  ConvShape shape;
  std::int64_t output_padding;
  at::Tensor weight, bias;
};

/// Fully connected: rows [R,in] -> [R,out]; weight [out,in], bias [out]. The one layer that takes no images.
struct Linear : Layer {
  Linear(std::int64_t in, std::int64_t out);
  at::Tensor forward(const at::Tensor& x) override;
  at::Tensor weight, bias;
};

/// Instance normalisation without parameters or running statistics: eps 1e-5, biased variance over H,W.
/// Throws Error on 1x1 maps, whose variance is zero by construction.
struct InstanceNorm : Layer {
  at::Tensor forward(const at::Tensor& x) override;
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override;
  NormGradient gradient = NormGradient::planes;
};

/// Which statistics a norm that keeps running ones uses in evaluation mode: those, or the images' own.
enum class NormStatistics { running, batch };

enum class RunningStatistics { none, kept };

/// Instance normalisation with a scale and a shift of each channel behind it: torch's
/// InstanceNorm2d(affine=True), and with running statistics its track_running_stats=True. Training normalises
/// each image by itself and moves the running statistics by 0.1 towards the mean of the batch's; evaluation
/// mode uses them. Throws Error on 1x1 maps that it has to find the variance of.
struct AffineInstanceNorm : Layer {
  AffineInstanceNorm(std::int64_t channels, RunningStatistics running);
  at::Tensor forward(const at::Tensor& x) override;
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override;
  /// Whether forward() finds the statistics of each image, as it is now.
  bool normalises_images() const;
  NormStatistics evaluation_statistics = NormStatistics::running;
  NormGradient gradient = NormGradient::planes;
  at::Tensor weight, bias, running_mean, running_var, num_batches_tracked;
};

/// Batch normalisation: eps 1e-5, momentum 0.1, affine, running statistics.
struct BatchNorm : Layer {
  explicit BatchNorm(std::int64_t channels);
  at::Tensor forward(const at::Tensor& x) override;
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override;
  NormStatistics evaluation_statistics = NormStatistics::running;
  at::Tensor weight, bias, running_mean, running_var, num_batches_tracked;
};

/// Zeroes elements with probability p while training and scales the rest by 1/(1-p), drawing from its own
/// generator, so that the draws are named, saved and restored.
struct Dropout : Layer {
  explicit Dropout(double p = 0.5) : p(p) {}  // the reference's rate in every network
  at::Tensor forward(const at::Tensor& x) override;
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override;
  double p;
  at::Generator generator;  // set by set_dropout_generator; drawing without one throws std::logic_error
};

struct Relu : Layer {
  at::Tensor forward(const at::Tensor& x) override;
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override;
};

inline constexpr double kLeakySlope = 0.2;

struct LeakyRelu : Layer {
  at::Tensor forward(const at::Tensor& x) override;  // slope kLeakySlope
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override;
};

struct ReflectionPad : Layer {
  explicit ReflectionPad(std::int64_t pad) : pad(pad) {}
  at::Tensor forward(const at::Tensor& x) override;
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override;
  std::int64_t pad;
};

struct Tanh : Layer {
  at::Tensor forward(const at::Tensor& x) override;
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override;
};

/// Keeps an index occupied (norm "none", linear output).
struct Identity : Layer {
  at::Tensor forward(const at::Tensor& x) override { return x; }
  GraphValue describe(GraphSink&, const GraphValue& x) const override { return x; }
};

/// Names of norms for options: instance, batch, none, instance_affine, and instance_affine_running, which
/// keeps running statistics.
std::vector<std::string> norm_names();

/// Norm by option name. Throws UsageError on another.
LayerPtr make_norm(const std::string& norm, std::int64_t channels);

/// Whether a norm of this name has running statistics, which each forward pass in training moves.
bool keeps_running_statistics(const std::string& norm);

/// Whether convolutions in front of a norm carry a bias. "auto": in front of an instance norm alone (the
/// reference's use_bias); "yes" and "no" are those of other programs.
Bias inner_bias(const std::string& norm, const std::string& conv_bias);

/// Output activation by option name: tanh, linear. Throws UsageError on another.
LayerPtr make_output_activation(const std::string& name);

/// Gives every Dropout below `module` this generator.
void set_dropout_generator(torch::nn::Module& module, const at::Generator& generator);

/// What every norm with running statistics below `module` normalises with in evaluation mode.
void set_norm_statistics(torch::nn::Module& module, NormStatistics statistics);

/// How gradients reach every instance norm below `module`.
void set_norm_gradient(torch::nn::Module& module, NormGradient gradient);

}  // namespace torsor
