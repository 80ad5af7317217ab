// The velocity v(x, t) of a flow, and its steps with gradients that cost the memory of one step.
#pragma once

#include <memory>

#include "nn/engine.h"
#include "nn/init.h"
#include "nn/layer_run.h"
#include "nn/ode.h"

namespace torsor {

struct VelocityShape {
  std::int64_t channels = 3, width = 64, blocks = 2;
};

/// [N,C,H,W] and a time in [0, 1] -> [N,C,H,W]: the time as one more channel, a convolution to `width`
/// channels and a relu, residual blocks of two convolutions, a convolution back to C; all 3x3, mirrored at
/// the edges, with biases. No norm: statistics of a batch would make an image's path depend on others, and
/// instance norm is too steep on flat channels to be integrated backwards. Keys model.<i>.
struct Velocity : torch::nn::Module, HasEngine, HasOwnInit {
  explicit Velocity(const VelocityShape& shape);

  at::Tensor forward(const at::Tensor& x, double t);
  GraphValue describe(GraphSink& sink, const GraphValue& x, double t) const;
  /// kaiming, which keeps signals alive without norms, but a last layer of a tenth of xavier's scale: a flow
  /// begins as a small move of each image. A gain is that of the last layer.
  OwnInit own_init(std::optional<double> gain) const override;

 private:
  std::shared_ptr<LayerList> model_ = std::make_shared<LayerList>();
  LayerRun run_{model_};
};

/// ode_increment() of a step. Where gradients are wanted it keeps x alone: the backward pass computes the
/// step again, under the same autocast. `known` is the increment where that has been computed before. Throws
/// Error when that gradient is to be differentiated again.
at::Tensor checkpointed_increment(const RungeKutta& method, const std::shared_ptr<Velocity>& velocity,
                                  const at::Tensor& x, const OdeStep& step, const at::Tensor& known = {});

}  // namespace torsor
