// Blocks that several generators share.
#pragma once

#include <memory>

#include "nn/engine.h"
#include "nn/layer_run.h"
#include "nn/network.h"

namespace torsor {

/// x + f(x) with f = pad, conv, norm, relu, [dropout], pad, conv, norm; no activation after the sum. The
/// reference's ResnetBlock; at least 2x2 maps. With padding "zero" the convolutions pad.
struct ResnetBlock : Layer {
  ResnetBlock(std::int64_t channels, const GeneratorOptions& options);
  at::Tensor residual(const at::Tensor& x) { return conv_block->forward(x); }
  /// Whether f is, as it is now, what FastTrunk computes: instance norms of each image, and no dropout at
  /// work.
  bool suits_fast_trunk() const;
  /// Its two convolutions, and the norms behind them that have parameters.
  std::vector<Conv*> convolutions() const;
  std::vector<AffineInstanceNorm*> affine_norms() const;
  at::Tensor forward(const at::Tensor& x) override { return x + residual(x); }
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override;

  std::shared_ptr<LayerList> conv_block = std::make_shared<LayerList>();

 private:
  bool is_of_trunk_, drops_;
};

/// x + f(x) with f = pad, conv, relu, pad, conv, without norms; the convolutions have biases. At least 2x2
/// maps.
struct PlainBlock : Layer {
  explicit PlainBlock(std::int64_t channels);
  /// Its two.
  std::vector<Conv*> convolutions() const;
  at::Tensor forward(const at::Tensor& x) override { return x + conv_block->forward(x); }
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override;

  std::shared_ptr<LayerList> conv_block = std::make_shared<LayerList>();
};

/// Appends the convolution, the norm of the options, and a relu.
void append_conv_norm_relu(LayerList& list, LayerPtr conv, const GeneratorOptions& options,
                           std::int64_t channels);

/// A network that is its list of layers, one after the other.
template <class Kind>
struct Sequential : Kind, HasEngine {
  explicit Sequential(const std::string& list_name) { this->register_module(list_name, model); }
  at::Tensor forward(const at::Tensor& x) override { return run.forward(x, *this); }
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override {
    return model->describe(sink, x);
  }
  /// What the last layer gets.
  at::Tensor before_last(const at::Tensor& x) const { return model->before_last(x); }
  /// Its layers; none is put in another's place once it has run.
  LayerList& list() const { return *model; }

 protected:
  std::shared_ptr<LayerList> model = std::make_shared<LayerList>();
  LayerRun run{model};
};

using SequentialDiscriminator = Sequential<Network>;

/// Its residuals are those of the list's ResnetBlocks.
struct SequentialGenerator : Sequential<Generator> {
  SequentialGenerator() : Sequential("model") {}
  at::Tensor forward_with_residuals(const at::Tensor& x, std::vector<at::Tensor>& residuals) override {
    return run.forward(x, *this, &residuals);
  }
  std::int64_t layer_count() const override { return static_cast<std::int64_t>(model->layers().size()); }
  std::vector<at::Tensor> features(const at::Tensor& x, const std::vector<std::int64_t>& layers) override {
    return run.features(x, *this, layers);
  }
  std::vector<std::int64_t> feature_channels(std::int64_t in_channels,
                                             const std::vector<std::int64_t>& layers) const override;
};

}  // namespace torsor
