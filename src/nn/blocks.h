// Blocks that several generators share.
#pragma once

#include <memory>

#include "nn/layers.h"
#include "nn/network.h"

namespace torsor {

/// x + f(x) with f = pad, conv, norm, relu, [dropout], pad, conv, norm; no activation after the sum. The
/// reference's ResnetBlock; at least 2x2 maps.
struct ResnetBlock : Layer {
  ResnetBlock(std::int64_t channels, const GeneratorOptions& options);
  at::Tensor residual(const at::Tensor& x) { return conv_block->forward(x); }
  at::Tensor forward(const at::Tensor& x) override { return x + residual(x); }
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override;

  std::shared_ptr<LayerList> conv_block = std::make_shared<LayerList>();
};

/// Appends the convolution, the norm of the options, and a relu.
void append_conv_norm_relu(LayerList& list, LayerPtr conv, const GeneratorOptions& options,
                           std::int64_t channels);

/// A generator that is its list of layers, "model", one after the other; its residuals are those of the
/// list's ResnetBlocks.
struct SequentialGenerator : Generator {
  SequentialGenerator() { register_module("model", model); }
  at::Tensor forward(const at::Tensor& x) override { return model->forward(x); }
  at::Tensor forward_with_residuals(const at::Tensor& x, std::vector<at::Tensor>& residuals) override;
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override {
    return model->describe(sink, x);
  }

 protected:
  std::shared_ptr<LayerList> model = std::make_shared<LayerList>();
};

}  // namespace torsor
