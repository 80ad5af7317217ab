// The generator that copies: the baseline of measurements, and the test of what reads and writes images.
#include <torch/types.h>

#include "nn/network.h"

namespace torsor {

namespace {

struct IdentityGenerator : Generator {
  at::Tensor forward(const at::Tensor& x) override { return x; }
  GraphValue describe(GraphSink&, const GraphValue& x) const override { return x; }
  SizeRule size_rule() const override { return {}; }
  Channels channels() const override { return Channels::any; }
};

}  // namespace

std::shared_ptr<Generator> make_identity(const GeneratorOptions& options) {
  if (options.in_channels != options.out_channels)
    fail_usage("generator identity: copies its input, so its {} channels cannot become {}",
               options.in_channels, options.out_channels);
  return std::make_shared<IdentityGenerator>();
}

}  // namespace torsor
