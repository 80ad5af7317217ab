// What sinks share that ask of a network's shape rather than of its values.
#pragma once

#include "nn/graph.h"

namespace torsor {

/// Operations that change neither sides nor channels, nor what a pixel depends on, give back what they get.
class PassingSink : public GraphSink {
 public:
  GraphValue batch_norm(const GraphValue& x, const at::Tensor&, const at::Tensor&, const at::Tensor&,
                        const at::Tensor&, double) override {
    return x;
  }
  GraphValue relu(const GraphValue& x) override { return x; }
  GraphValue leaky_relu(const GraphValue& x, double) override { return x; }
  GraphValue tanh(const GraphValue& x) override { return x; }
  GraphValue scale(const GraphValue& x, double) override { return x; }
};

}  // namespace torsor
