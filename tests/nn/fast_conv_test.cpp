// Convolutions with their prologues, by the kernels and by libtorch.
#include "nn/fast_conv.h"

#include <fmt/format.h>
#include <torch/autograd.h>
#include <torch/types.h>

#include "kernels/kernel_test_support.h"
#include "nn/fast_tensors.h"
#include "nn/layers.h"

namespace torsor::testing {
namespace {

using at::Tensor;

struct ConvCase {
  std::int64_t in, out, kernel, stride, padding, output_padding;
  ConvDirection direction;
  Prologue prologue;
};

constexpr auto kNormed = Prologue::Norm::instance;

std::vector<ConvCase> conv_cases() {
  return {{3, 32, 7, 1, 3, 0, ConvDirection::forward, {Prologue::Norm::none, 1, PaddingMode::reflect}},
          {32, 64, 3, 2, 1, 0, ConvDirection::forward, {kNormed, 0, PaddingMode::zeros}},
          {64, 32, 3, 2, 1, 1, ConvDirection::transposed, {kNormed, 0, PaddingMode::zeros}},
          {64, 32, 4, 2, 1, 0, ConvDirection::transposed, {Prologue::Norm::none, 0, PaddingMode::zeros}},
          {64, 32, 3, 2, 1, 1, ConvDirection::transposed, {}},
          {32, 3, 4, 2, 1, 0, ConvDirection::transposed, {kNormed, 0, PaddingMode::zeros}},
          {32, 3, 7, 1, 3, 0, ConvDirection::forward, {kNormed, 0, PaddingMode::reflect}},
          {3, 32, 4, 2, 1, 0, ConvDirection::forward, {}},
          {32, 48, 4, 2, 1, 0, ConvDirection::forward, {Prologue::Norm::none, 0.2F, PaddingMode::zeros}},
          {48, 32, 4, 1, 1, 0, ConvDirection::forward, {kNormed, 0.2F, PaddingMode::zeros}},
          {32, 1, 4, 1, 1, 0, ConvDirection::forward, {kNormed, 0.2F, PaddingMode::zeros}},
          {16, 16, 3, 1, 1, 0, ConvDirection::forward, {kNormed, 1, PaddingMode::reflect}}};
}

struct ConvProblem {
  FastConvSpec spec;
  Tensor x;
};

ConvProblem conv_problem(const ConvCase& c) {
  Noise noise;
  FastConvSpec spec;
  const bool forwards = c.direction == ConvDirection::forward;
  spec.weight =
      noise({forwards ? c.out : c.in, forwards ? c.in : c.out, c.kernel, c.kernel}, 0.05).requires_grad_();
  spec.bias = noise({c.out}, 0.1).requires_grad_();
  spec.direction = c.direction;
  spec.stride = c.stride;
  spec.padding = c.padding;
  spec.output_padding = c.output_padding;
  spec.prologue = c.prologue;
  return {spec, noise({2, c.in, 13, 18}, 1.5) + 0.3};
}

// By libtorch, in the type of `x`.
Tensor by_layers(const FastConvSpec& s, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  Tensor y = s.prologue.norm == kNormed ? InstanceNorm().forward(x) : x;
  y = at::leaky_relu(y, s.prologue.slope);
  if (s.direction == ConvDirection::transposed)
    return at::conv_transpose2d(y, weight, bias, s.stride, s.padding, s.output_padding);
  if (s.prologue.padding_mode == PaddingMode::zeros) return at::conv2d(y, weight, bias, s.stride, s.padding);
  return at::conv2d(at::reflection_pad2d(y, std::vector<std::int64_t>(4, s.padding)), weight, bias);
}

// y, and the gradients of x, weight and bias.
std::vector<Tensor> exact(const ConvProblem& p, const Tensor& dy) {
  const auto leaf = [](const Tensor& t) { return t.detach().to(at::kDouble).requires_grad_(); };
  const Tensor x = leaf(p.x), weight = leaf(p.spec.weight), bias = leaf(p.spec.bias);
  const Tensor y = by_layers(p.spec, x, weight, bias);
  auto out = torch::autograd::grad({y}, {x, weight, bias}, {dy.to(at::kDouble)});
  out.insert(out.begin(), y.detach());
  return out;
}

class FastConvTest : public ::testing::TestWithParam<Isa> {};

TEST_P(FastConvTest, ComputesWhatLayersDoAndItsGradients) {
  for (const ConvCase& c : conv_cases()) {
    const ConvProblem p = conv_problem(c);
    const FastConv conv(p.spec, GetParam());
    const Tensor x = p.x.clone().requires_grad_();
    ASSERT_TRUE(conv.supports(x));
    const Tensor y = to_planar_tensor(conv.forward(x));
    Noise noise;
    const Tensor dy = noise(y.sizes().vec(), 1);
    const auto found = torch::autograd::grad({y}, {x, p.spec.weight, p.spec.bias}, {dy});
    const std::vector<Tensor> right = exact(p, dy), got = {y.detach(), found[0], found[1], found[2]};
    for (std::size_t i = 0; i < got.size(); ++i)
      EXPECT_LT(error_of(got[i], right[i]), 2e-6)
          << fmt::format("{} to {}, kernel {}, result {}", c.in, c.out, c.kernel, i);
    const at::NoGradGuard no_grad;
    EXPECT_TRUE(at::equal(to_planar_tensor(conv.forward(p.x)), y)) << "without gradients";
  }
}

// Under autocast; layers with channels between 4 and 32, or no multiple of 32, stay in fp32.
TEST_P(FastConvTest, MultipliesBfloat16UnderAutocast) {
  for (const ConvCase& c : conv_cases()) {
    const ConvProblem p = conv_problem(c);
    const FastConv conv(p.spec, GetParam());
    const Autocast bf16;
    if (bf16_stages(GetParam()) == nullptr) {
      EXPECT_FALSE(conv.supports(p.x));
      continue;
    }
    const auto outcome = [&](const std::function<Tensor(const Tensor&)>& forward, Tensor& dy) {
      const Tensor x = p.x.clone().requires_grad_(), y = forward(x).to(at::kFloat);
      Noise noise;
      dy = noise(y.sizes().vec(), 1);
      auto all = torch::autograd::grad({y}, {x, p.spec.weight, p.spec.bias}, {dy});
      all.insert(all.begin(), y.detach());
      return all;
    };
    Tensor dy;
    const auto got = outcome([&](const Tensor& x) { return to_planar_tensor(conv.forward(x)); }, dy);
    const auto peer =
        outcome([&](const Tensor& x) { return by_layers(p.spec, x, p.spec.weight, p.spec.bias); }, dy);
    const auto right = exact(p, dy);
    const auto fits = [](std::int64_t channels) {
      return channels <= kMaxSmallChannels || channels % kWideBlock == 0;
    };
    const bool rounds = fits(c.in) && fits(c.out);
    const std::string what = fmt::format("{} to {}, kernel {}, result ", c.in, c.out, c.kernel);
    for (std::size_t i = 0; i < got.size(); ++i)
      EXPECT_LT(error_of(got[i], right[i]), rounds ? 1.1 * error_of(peer[i], right[i]) : 2e-6) << what << i;
    EXPECT_EQ(error_of(got[0], right[0]) > 1e-4, rounds) << what;
  }
}

// A penalty's second derivatives are libtorch's, in floats also under autocast.
TEST_P(FastConvTest, HasGradientsOfGradientsUnderAutocast) {
  if (bf16_stages(GetParam()) == nullptr) GTEST_SKIP() << "no tiles of bfloat16 here";
  const ConvProblem p = conv_problem(conv_cases()[1]);
  const FastConv conv(p.spec, GetParam());
  const Tensor x = p.x.clone().requires_grad_();
  const auto penalty = [&](const Tensor& y) {
    const Tensor slope = torch::autograd::grad({y.pow(2).sum()}, {x}, {}, true, true)[0];
    return torch::autograd::grad({slope.pow(2).sum()}, {x, p.spec.weight});
  };
  const auto right = penalty(by_layers(p.spec, x, p.spec.weight, p.spec.bias));
  const Autocast bf16;
  const auto got = penalty(to_planar_tensor(conv.forward(x)));
  for (std::size_t i = 0; i < got.size(); ++i)
    EXPECT_LT(error_of(got[i], right[i].to(at::kDouble)), 0.02) << i;
}

TEST_P(FastConvTest, ComputesOnlyRequiredGradients) {
  ConvProblem p = conv_problem(conv_cases()[1]);
  p.spec.weight.requires_grad_(false);
  p.spec.bias.requires_grad_(false);
  const FastConv conv(p.spec, GetParam());
  const Tensor x = p.x.clone().requires_grad_();
  const Tensor y = to_planar_tensor(conv.forward(x));
  y.sum().backward();
  EXPECT_TRUE(x.grad().defined());
  EXPECT_FALSE(p.spec.weight.grad().defined());
  EXPECT_FALSE(conv.forward(p.x).requires_grad());
}

TEST_P(FastConvTest, ACancelledBiasHasAGradientOfZero) {
  ConvProblem p = conv_problem(conv_cases()[1]);
  p.spec.bias_role = BiasRole::cancelled;
  const FastConv conv(p.spec, GetParam());
  const Tensor y = to_planar_tensor(conv.forward(p.x));
  EXPECT_LT(error_of(y, by_layers(p.spec, p.x, p.spec.weight, {}).detach().to(at::kDouble)), 1e-5);
  y.sum().backward();
  EXPECT_TRUE(at::equal(p.spec.bias.grad(), at::zeros_like(p.spec.bias)));
}

TEST_P(FastConvTest, SupportsDoubleBackward) {
  for (const ConvCase& c : conv_cases()) {
    const ConvProblem p = conv_problem(c);
    const FastConv conv(p.spec, GetParam());
    const auto penalty = [&](const std::function<Tensor(const Tensor&)>& forward) {
      const Tensor x = p.x.clone().requires_grad_();
      const Tensor slope = torch::autograd::grad({forward(x).pow(2).sum()}, {x}, {}, true, true)[0];
      return torch::autograd::grad({slope.pow(2).sum()}, {x, p.spec.weight});
    };
    const auto got = penalty([&](const Tensor& x) { return to_planar_tensor(conv.forward(x)); });
    const auto right =
        penalty([&](const Tensor& x) { return by_layers(p.spec, x, p.spec.weight, p.spec.bias); });
    for (std::size_t i = 0; i < got.size(); ++i)
      EXPECT_LT(error_of(got[i], right[i].to(at::kDouble)), 1e-4) << c.in << " to " << c.out << ", " << i;
  }
}

TEST_P(FastConvTest, NeverUsesStaleWeights) {
  const ConvProblem p = conv_problem(conv_cases()[4]);
  FastConv conv(p.spec, GetParam());
  Tensor& weight = const_cast<Tensor&>(p.spec.weight);
  const auto check = [&](const char* what) {
    const Tensor x = p.x.clone().requires_grad_();
    const Tensor y = to_planar_tensor(conv.forward(x)), right = by_layers(p.spec, x, weight, p.spec.bias);
    EXPECT_LT(error_of(y, right.to(at::kDouble)), 1e-6) << what;
    EXPECT_LT(error_of(torch::autograd::grad({y.sum()}, {x})[0],
                       torch::autograd::grad({right.sum()}, {x})[0].to(at::kDouble)),
              1e-6)
        << what;
  };
  check("at first");
  {
    const at::NoGradGuard no_grad;
    weight.mul_(2);
  }
  check("written in place");
  weight.set_data(weight.detach().clone().mul_(0.3));
  check("other data");
  weight.data_ptr<float>()[1] += 10;  // not one of the samples
  conv.invalidate();
  check("through a pointer");
}

TEST_P(FastConvTest, ReportsWhatItSupports) {
  const ConvProblem p = conv_problem(conv_cases()[1]);
  const FastConv conv(p.spec, GetParam());
  EXPECT_TRUE(conv.supports(at::zeros({1, 32, 8, 8})));
  EXPECT_TRUE(conv.supports(to_blocked_tensor(at::zeros({1, 32, 8, 8}))));
  EXPECT_FALSE(conv.supports(at::zeros({1, 48, 8, 8})));
  EXPECT_FALSE(conv.supports(at::zeros({1, 32, 8, 8}, at::kDouble)));
  EXPECT_FALSE(conv.supports(at::zeros({1, 32, 1, 1})));
  EXPECT_FALSE(conv.supports(at::zeros({32, 8, 8})));
  EXPECT_THROW(conv.forward(at::zeros({1, 48, 8, 8})), std::logic_error);
  const ConvProblem reflecting = conv_problem(conv_cases()[0]);
  EXPECT_FALSE(FastConv(reflecting.spec, GetParam()).supports(at::zeros({1, 3, 3, 8})))
      << "padding as large as the image";
}

TEST_P(FastConvTest, NormsAndActivatesAlone) {
  Noise noise;
  for (const float slope : {0.0F, 0.2F, 1.0F}) {
    const FastNorm norm(slope, GetParam());
    const Tensor x = (noise({2, 32, 9, 15}, 1) + 2).requires_grad_(), dy = noise({2, 32, 9, 15}, 1);
    const Tensor y = to_planar_tensor(norm.forward(to_blocked_tensor(x)));
    const Tensor exact_x = x.detach().to(at::kDouble).requires_grad_();
    const Tensor right = at::leaky_relu(InstanceNorm().forward(exact_x), slope);
    EXPECT_LT(error_of(y, right.detach()), 1e-6);
    EXPECT_LT(error_of(torch::autograd::grad({y}, {x}, {dy})[0],
                       torch::autograd::grad({right}, {exact_x}, {dy.to(at::kDouble)})[0]),
              1e-6);
  }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FastConvTest);
INSTANTIATE_TEST_SUITE_P(Each, FastConvTest, ::testing::ValuesIn(fast_isas()),
                         [](const auto& tested) { return isa_name(tested.param); });

}  // namespace
}  // namespace torsor::testing
