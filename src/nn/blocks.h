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

/// forward() of a list, with what each of its ResnetBlocks adds to its input.
at::Tensor forward_with_block_residuals(const LayerList& list, const at::Tensor& x,
                                        std::vector<at::Tensor>& residuals);

}  // namespace torsor
