// The gradient of an instance norm of one image, see NormGradient.
#include "nn/norm_gradient.h"

#include "nn_test_support.h"

namespace torsor {
namespace {

using testing::noise;

// libtorch's gradient for one image and a gradient whose channels are last in memory is another without the
// guard; that for two images is right (NormGradient).
TEST(InstanceNormGradient, OfOneImageIsThatOfTwoWhateverTheMemoryOfWhatComesIn) {
  const auto options = at::TensorOptions(at::kDouble);
  const at::Tensor x = noise({1, 4, 5, 6}, 3).to(options), g = noise({1, 4, 5, 6}, 4).to(options);
  for (const std::string norm : {"instance", "instance_affine", "instance_affine_running"}) {
    const LayerPtr layer = make_norm(norm, 4);
    layer->to(at::kDouble);
    const auto gradients = [&](const at::Tensor& images, const at::Tensor& incoming) {
      layer->zero_grad();
      const at::Tensor leaf = images.detach().clone().requires_grad_();
      layer->forward(leaf).backward(incoming);
      std::vector<at::Tensor> out = {leaf.grad()};
      for (const at::Tensor& parameter : layer->parameters()) out.push_back(parameter.grad().clone());
      return out;
    };
    const auto alone = gradients(x, g.contiguous(at::MemoryFormat::ChannelsLast)),
               twice = gradients(at::cat({x, x}), at::cat({g, g}));
    EXPECT_LT((alone[0] - twice[0].slice(0, 0, 1)).abs().max().item<double>(), 1e-12) << norm;
    for (std::size_t i = 1; i < alone.size(); ++i)
      EXPECT_LT((2 * alone[i] - twice[i]).abs().max().item<double>(), 1e-12) << norm;
  }
}

// By finite differences of the sum of the outputs, weighted.
TEST(InstanceNormGradient, IsTheSlope) {
  const at::Tensor x = noise({1, 3, 3, 4}, 5).to(at::kDouble), g = noise({1, 3, 3, 4}, 6).to(at::kDouble);
  InstanceNorm norm;
  const at::Tensor leaf = x.clone().requires_grad_();
  norm.forward(leaf).backward(g.contiguous(at::MemoryFormat::ChannelsLast));
  constexpr double kStep = 1e-5;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const auto value = [&](double by) {
      at::Tensor moved = x.clone();
      moved.view({-1})[i] += by;
      return (norm.forward(moved) * g).sum().item<double>();
    };
    EXPECT_NEAR(leaf.grad().flatten()[i].item<double>(), (value(kStep) - value(-kStep)) / (2 * kStep), 1e-7);
  }
}

}  // namespace
}  // namespace torsor
