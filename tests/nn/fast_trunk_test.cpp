// The residual blocks through the kernel against libtorch's operations: values, gradients, weights that
// change.
#include "nn/fast_trunk.h"

#include <ATen/ATen.h>
#include <torch/autograd.h>
#include <torch/optim/sgd.h>

#include <thread>

#include "nn/nn_test_support.h"

namespace torsor::testing {
namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;

const std::int64_t kChannels = 32;

Tensors weights(std::int64_t blocks) {
  Tensors out;
  for (std::int64_t i = 0; i < 2 * blocks; ++i)
    out.push_back(
        (noise({kChannels, kChannels, 3, 3}, 10 + static_cast<std::uint64_t>(i)) * 0.05).requires_grad_());
  return out;
}

Tensor by_libtorch(const Tensor& x, const Tensors& w, Tensors* residuals = nullptr) {
  const auto half = [](const Tensor& v, const Tensor& weight) {
    return at::instance_norm(at::conv2d(at::reflection_pad2d(v, {1, 1, 1, 1}), weight), {}, {}, {}, {}, true,
                             0.1, 1e-5, true);
  };
  Tensor sum = x;
  for (std::size_t i = 0; i < w.size(); i += 2) {
    const Tensor residual = half(at::relu(half(sum, w[i])), w[i + 1]);
    if (residuals != nullptr) residuals->push_back(residual);
    sum = sum + residual;
  }
  return sum;
}

class FastTrunkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (supported_isas().back() == Isa::plain) GTEST_SKIP() << "this processor has neither AVX2 nor AVX-512";
    trunk_ = std::make_unique<FastTrunk>(weights_, Tensors(), supported_isas().back());
  }
  // Since rounding errors may turn a relu.
  static constexpr double kClose = 1e-5, kGradientsClose = 2e-3;
  Tensors weights_ = weights(3);
  Tensor x_ = noise({2, kChannels, 9, 12}, 1);
  std::unique_ptr<FastTrunk> trunk_;
};

TEST_F(FastTrunkTest, ComputesWhatLibtorchDoes) {
  const at::NoGradGuard no_grad;
  EXPECT_LT(distance(trunk_->forward(x_, nullptr), by_libtorch(x_, weights_)), kClose);
  Tensors ours, theirs;
  const Tensor sum = trunk_->forward(x_, &ours);
  EXPECT_LT(distance(sum, by_libtorch(x_, weights_, &theirs)), kClose);
  ASSERT_EQ(ours.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_LT(distance(ours[i], theirs[i]), kClose);
}

TEST_F(FastTrunkTest, HasItsGradients) {
  Tensors inputs = weights_, ours, theirs;
  inputs.insert(inputs.begin(), x_.clone().requires_grad_());
  const auto loss = [](const Tensor& sum, const Tensors& residuals) {
    return (sum * noise(sum.sizes(), 5)).sum() + residuals[0].pow(3).sum() + (residuals[2] * 0.5).sin().sum();
  };
  const Tensor sum = trunk_->forward(inputs[0], &ours), peer = by_libtorch(inputs[0], weights_, &theirs);
  const Tensors got = torch::autograd::grad({loss(sum, ours)}, inputs);
  const Tensors right = torch::autograd::grad({loss(peer, theirs)}, inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) EXPECT_LT(distance(got[i], right[i]), kGradientsClose) << i;
}

TEST_F(FastTrunkTest, GivesOnlyTheGradientsThatAreWanted) {
  for (Tensor& w : weights_) w.requires_grad_(false);
  Tensor x = x_.clone().requires_grad_();
  trunk_->forward(x, nullptr).sum().backward();
  EXPECT_TRUE(x.grad().defined());
  EXPECT_FALSE(weights_[0].grad().defined());
  weights_[2].requires_grad_();
  trunk_->forward(x_, nullptr).pow(2).sum().backward();
  EXPECT_TRUE(weights_[2].grad().defined());
  EXPECT_FALSE(weights_[3].grad().defined());
}

TEST_F(FastTrunkTest, ResidualsAloneHaveGradients) {
  Tensor x = x_.clone().requires_grad_();
  Tensors ours, theirs;
  trunk_->forward(x, &ours);
  const Tensors got = torch::autograd::grad({ours[1].pow(3).sum()}, {x, weights_[0]});
  by_libtorch(x, weights_, &theirs);
  const Tensors right = torch::autograd::grad({theirs[1].pow(3).sum()}, {x, weights_[0]});
  EXPECT_LT(distance(got[0], right[0]), kGradientsClose);
  EXPECT_LT(distance(got[1], right[1]), kGradientsClose);
}

TEST_F(FastTrunkTest, HasGradientsOfGradients) {
  Tensor x = x_.clone().requires_grad_();
  const auto penalty = [&](const Tensor& y) {
    const Tensor slope = torch::autograd::grad({y.pow(2).sum()}, {x}, {}, true, /*create_graph=*/true)[0];
    return torch::autograd::grad({slope.pow(2).sum()}, {x, weights_[1]});
  };
  const Tensors got = penalty(trunk_->forward(x, nullptr)), right = penalty(by_libtorch(x, weights_));
  EXPECT_LT(distance(got[0], right[0]), kGradientsClose);
  EXPECT_LT(distance(got[1], right[1]), kGradientsClose);
}

// The transformed weights are those of now, whoever changed them.
TEST_F(FastTrunkTest, NeverUsesStaleWeights) {
  const auto is_current = [&](const char* after) {
    Tensor x = x_.clone().requires_grad_();
    const Tensor sum = trunk_->forward(x, nullptr), peer = by_libtorch(x, weights_);
    EXPECT_LT(distance(sum.detach(), peer.detach()), kClose) << after;
    EXPECT_LT(distance(torch::autograd::grad({sum.pow(2).sum()}, {x})[0],
                       torch::autograd::grad({peer.pow(2).sum()}, {x})[0]),
              kGradientsClose)
        << after;
  };
  is_current("the start");
  torch::optim::SGD optimizer(weights_, 0.01);
  trunk_->forward(x_, nullptr).pow(2).sum().backward();
  optimizer.step();
  is_current("an optimiser's step");
  {
    const at::NoGradGuard no_grad;
    weights_[0].mul_(-0.5);
    weights_[5].copy_(noise(weights_[5].sizes(), 77) * 0.05);
  }
  is_current("writes in place without gradients");
  weights_[1].set_data(noise(weights_[1].sizes(), 78) * 0.05);
  is_current("set_data");
  float* raw = weights_[4].data_ptr<float>();
  for (std::int64_t i = 0; i < weights_[4].numel(); ++i) raw[i] = -raw[i];
  trunk_->invalidate();
  is_current("a raw write and invalidate()");
}

TEST_F(FastTrunkTest, AWeightWrittenOverBeforeTheBackwardPassIsAnError) {
  const Tensor sum = trunk_->forward(x_, nullptr);
  {
    const at::NoGradGuard no_grad;
    weights_[0].mul_(2);
  }
  EXPECT_ANY_THROW(sum.sum().backward());
}

TEST_F(FastTrunkTest, ServesManyThreadsAndShapes) {
  const c10::InferenceMode inference;
  const Tensor y = noise({1, kChannels, 16, 5}, 3), right_x = trunk_->forward(x_, nullptr),
               right_y = trunk_->forward(y, nullptr);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      const c10::InferenceMode here;
      for (int i = 0; i < 5; ++i) {
        const bool first = (i + t) % 2 == 0;
        if (!at::equal(trunk_->forward(first ? x_ : y, nullptr), first ? right_x : right_y)) ++wrong;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(FastTrunkTest, TakesOddlyStridedImages) {
  const at::NoGradGuard no_grad;
  const Tensor strided = noise({2, kChannels, 12, 9}, 1).transpose(2, 3);
  EXPECT_LT(distance(trunk_->forward(strided, nullptr), by_libtorch(strided, weights_)), kClose);
  const Tensor last = x_.contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_LT(distance(trunk_->forward(last, nullptr), by_libtorch(last, weights_)), kClose);
}

TEST_F(FastTrunkTest, SaysWhatItTakes) {
  EXPECT_TRUE(trunk_->takes(x_));
  EXPECT_FALSE(trunk_->takes(x_.to(at::kDouble)));
  EXPECT_FALSE(trunk_->takes(x_[0]));
  EXPECT_FALSE(trunk_->takes(noise({1, 16, 8, 8}, 1)));
  EXPECT_FALSE(trunk_->takes(noise({1, kChannels, 1, 8}, 1)));
  EXPECT_THROW(trunk_->forward(noise({1, 16, 8, 8}, 1), nullptr), std::logic_error);
}

}  // namespace
}  // namespace torsor::testing
