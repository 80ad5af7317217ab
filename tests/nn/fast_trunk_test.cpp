// The residual blocks by the kernel compared with libtorch's operations: values, gradients, weights that
// change.
#include "nn/fast_trunk.h"

#include <ATen/ATen.h>
#include <torch/autograd.h>
#include <torch/optim/sgd.h>

#include <thread>

#include "kernels/kernel_test_support.h"
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

class FastTrunkTest : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override { trunk_ = std::make_unique<FastTrunk>(weights_, Tensors(), GetParam()); }
  // Since rounding errors may switch a ReLU.
  static constexpr double kClose = 1e-5, kGradientsClose = 2e-3;
  Tensors weights_ = weights(3);
  Tensor x_ = noise({2, kChannels, 9, 12}, 1);
  std::unique_ptr<FastTrunk> trunk_;
};

TEST_P(FastTrunkTest, ComputesWhatLibtorchDoes) {
  const at::NoGradGuard no_grad;
  EXPECT_LT(error_of(trunk_->forward(x_, nullptr), by_libtorch(x_, weights_)), kClose);
  Tensors ours, theirs;
  const Tensor sum = trunk_->forward(x_, &ours);
  EXPECT_LT(error_of(sum, by_libtorch(x_, weights_, &theirs)), kClose);
  ASSERT_EQ(ours.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_LT(error_of(ours[i], theirs[i]), kClose);
}

TEST_P(FastTrunkTest, HasItsGradients) {
  Tensors inputs = weights_, ours, theirs;
  inputs.insert(inputs.begin(), x_.clone().requires_grad_());
  const auto loss = [](const Tensor& sum, const Tensors& residuals) {
    return (sum * noise(sum.sizes(), 5)).sum() + residuals[0].pow(3).sum() + (residuals[2] * 0.5).sin().sum();
  };
  const Tensor sum = trunk_->forward(inputs[0], &ours), peer = by_libtorch(inputs[0], weights_, &theirs);
  const Tensors got = torch::autograd::grad({loss(sum, ours)}, inputs);
  const Tensors right = torch::autograd::grad({loss(peer, theirs)}, inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) EXPECT_LT(error_of(got[i], right[i]), kGradientsClose) << i;
}

// Under autocast, with a kernel and packed weights of its own; unsupported where there is none.
TEST_P(FastTrunkTest, MultipliesBfloat16UnderAutocast) {
  if (bf16_stages(GetParam()) == nullptr) {
    const Autocast bf16;
    EXPECT_FALSE(trunk_->supports(x_));
    return;
  }
  Tensors inputs = weights_;
  inputs.insert(inputs.begin(), x_.clone().requires_grad_());
  const auto outcome = [&](const auto& forward) {
    const Tensor y = forward(inputs[0]).to(at::kFloat);
    Tensors all = torch::autograd::grad({(y * noise(y.sizes(), 5)).sum()}, inputs);
    all.push_back(y.detach());
    return all;
  };
  const auto ours = [&](const Tensor& x) { return trunk_->forward(x, nullptr); };
  const auto libtorchs = [&](const Tensor& x) { return by_libtorch(x, weights_); };
  const Tensors right = outcome(libtorchs), before = outcome(ours);
  Tensors got, peer;
  {
    const Autocast bf16;
    got = outcome(ours);
    peer = outcome(libtorchs);
  }
  for (std::size_t i = 0; i < right.size(); ++i) {
    EXPECT_LT(error_of(got[i], right[i]), 1.1 * error_of(peer[i], right[i])) << i;
    EXPECT_GT(error_of(got[i], right[i]), 1e-4) << "not bfloat16: " << i;
  }
  EXPECT_TRUE(at::equal(outcome(ours).back(), before.back())) << "fp32 again";
}

TEST_P(FastTrunkTest, ComputesOnlyRequiredGradients) {
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

TEST_P(FastTrunkTest, ResidualsAloneHaveGradients) {
  Tensor x = x_.clone().requires_grad_();
  Tensors ours, theirs;
  trunk_->forward(x, &ours);
  const Tensors got = torch::autograd::grad({ours[1].pow(3).sum()}, {x, weights_[0]});
  by_libtorch(x, weights_, &theirs);
  const Tensors right = torch::autograd::grad({theirs[1].pow(3).sum()}, {x, weights_[0]});
  EXPECT_LT(error_of(got[0], right[0]), kGradientsClose);
  EXPECT_LT(error_of(got[1], right[1]), kGradientsClose);
}

TEST_P(FastTrunkTest, SupportsDoubleBackward) {
  Tensor x = x_.clone().requires_grad_();
  const auto penalty = [&](const Tensor& y) {
    const Tensor slope = torch::autograd::grad({y.pow(2).sum()}, {x}, {}, true, /*create_graph=*/true)[0];
    return torch::autograd::grad({slope.pow(2).sum()}, {x, weights_[1]});
  };
  const Tensors got = penalty(trunk_->forward(x, nullptr)), right = penalty(by_libtorch(x, weights_));
  EXPECT_LT(error_of(got[0], right[0]), kGradientsClose);
  EXPECT_LT(error_of(got[1], right[1]), kGradientsClose);
}

// As in a cycle, where a generator's input is an output of its own.
TEST_P(FastTrunkTest, DoubleBackwardDoesNotCountGradientsThroughTheInputTwice) {
  Tensor x = x_.clone().requires_grad_();
  const auto penalty = [&](const Tensor& y) {
    const Tensor slope =
        torch::autograd::grad({y.pow(2).sum()}, {weights_[1]}, {}, true, /*create_graph=*/true)[0];
    return torch::autograd::grad({slope.pow(2).sum()}, {x, weights_[1]});
  };
  const Tensors got = penalty(trunk_->forward(trunk_->forward(x, nullptr), nullptr));
  const Tensors right = penalty(by_libtorch(by_libtorch(x, weights_), weights_));
  EXPECT_LT(error_of(got[0], right[0]), kGradientsClose);
  EXPECT_LT(error_of(got[1], right[1]), kGradientsClose);
}

TEST_P(FastTrunkTest, SupportsBackwardTwice) {
  Tensor x = x_.clone().requires_grad_();
  const Tensor loss = trunk_->forward(x, nullptr).pow(2).sum();
  const Tensors once = torch::autograd::grad({loss}, {x, weights_[3]}, {}, /*retain_graph=*/true);
  const Tensors twice = torch::autograd::grad({loss}, {x, weights_[3]});
  for (std::size_t i = 0; i < 2; ++i) EXPECT_TRUE(at::equal(once[i], twice[i]));
}

TEST_P(FastTrunkTest, ADamagedImageStaysDamaged) {
  const at::NoGradGuard no_grad;
  Tensor x = x_.clone();
  x[0][3][4][5] = NAN;
  const Tensor y = trunk_->forward(x, nullptr), right = by_libtorch(x, weights_);
  EXPECT_TRUE(at::equal(y.isnan(), right.isnan()));
  EXPECT_TRUE(y[0].isnan().any().item<bool>());
}

// The transformed weights are current, whoever changed them.
TEST_P(FastTrunkTest, NeverUsesStaleWeights) {
  const auto is_current = [&](const char* after) {
    Tensor x = x_.clone().requires_grad_();
    const Tensor sum = trunk_->forward(x, nullptr), peer = by_libtorch(x, weights_);
    EXPECT_LT(error_of(sum.detach(), peer.detach()), kClose) << after;
    EXPECT_LT(error_of(torch::autograd::grad({sum.pow(2).sum()}, {x})[0],
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
  raw[1] += 3;  // not one of the sampled values
  {
    const at::NoGradGuard no_grad;
    EXPECT_GT(error_of(trunk_->forward(x_, nullptr), by_libtorch(x_, weights_)), kClose)
        << "nothing to invalidate";
  }
  trunk_->invalidate();
  is_current("a raw write and invalidate()");
}

TEST_P(FastTrunkTest, AWeightModifiedBeforeTheBackwardPassIsAnError) {
  const Tensor sum = trunk_->forward(x_, nullptr);
  {
    const at::NoGradGuard no_grad;
    weights_[0].mul_(2);
  }
  EXPECT_ANY_THROW(sum.sum().backward());
}

TEST_P(FastTrunkTest, IsThreadSafeForAnyShapes) {
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

TEST_P(FastTrunkTest, SupportsAnyStrides) {
  const at::NoGradGuard no_grad;
  const Tensor strided = noise({2, kChannels, 12, 9}, 1).transpose(2, 3);
  EXPECT_LT(error_of(trunk_->forward(strided, nullptr), by_libtorch(strided, weights_)), kClose);
  const Tensor last = x_.contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_LT(error_of(trunk_->forward(last, nullptr), by_libtorch(last, weights_)), kClose);
}

TEST_P(FastTrunkTest, ReportsWhatItSupports) {
  EXPECT_TRUE(trunk_->supports(x_));
  EXPECT_FALSE(trunk_->supports(x_.to(at::kDouble)));
  EXPECT_FALSE(trunk_->supports(x_[0]));
  EXPECT_FALSE(trunk_->supports(noise({1, 16, 8, 8}, 1)));
  EXPECT_FALSE(trunk_->supports(noise({1, kChannels, 1, 8}, 1)));
  EXPECT_THROW(trunk_->forward(noise({1, 16, 8, 8}, 1), nullptr), std::logic_error);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FastTrunkTest);
INSTANTIATE_TEST_SUITE_P(Each, FastTrunkTest, ::testing::ValuesIn(fast_isas()),
                         [](const auto& info) { return isa_name(info.param); });

}  // namespace
}  // namespace torsor::testing
