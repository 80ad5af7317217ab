// Layers that halve and double sides without a strided or a transposed convolution.
#pragma once

#include "nn/layers.h"

namespace torsor {

/// The blurs of the layers below by libtorch's operations, by a kernel `filt` [C,1,side,side] of each
/// channel.
at::Tensor blurred_down(const at::Tensor& x, const at::Tensor& filt);
at::Tensor blurred_up(const at::Tensor& x, const at::Tensor& filt);

/// Every second pixel of x blurred with [1,2,1] x [1,2,1] / 16, mirrored at the edges: sides of n become
/// ceil(n / 2). The kernel [C,1,3,3] is the buffer `filt`, as antialiased networks keep it (Zhang, Making
/// Convolutional Networks Shift-Invariant Again, 2019).
struct BlurDown : Layer {
  explicit BlurDown(std::int64_t channels);
  at::Tensor forward(const at::Tensor& x) override;
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override;
  at::Tensor filt;
};

/// Sides doubled: along each, pixels 2i and 2i + 1 are (x[i-1] + 3 x[i]) / 4 and (3 x[i] + x[i+1]) / 4, edges
/// repeated. The buffer `filt` [C,1,4,4] is [1,3,3,1] x [1,3,3,1] / 16.
struct BlurUp : Layer {
  explicit BlurUp(std::int64_t channels);
  at::Tensor forward(const at::Tensor& x) override;
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override;
  at::Tensor filt;
};

/// Sides doubled by repeating pixels.
struct RepeatPixels : Layer {
  at::Tensor forward(const at::Tensor& x) override;
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override;
};

}  // namespace torsor
