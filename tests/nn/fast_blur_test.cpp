// Blurs with their prologues, by the kernel and by libtorch.
#include "nn/fast_blur.h"

#include <torch/autograd.h>
#include <torch/types.h>

#include <atomic>
#include <thread>

#include "kernels/kernel_test_support.h"
#include "nn/layers.h"
#include "nn/resampling.h"

namespace torsor::testing {
namespace {

using at::Tensor;

constexpr std::int64_t kBlurChannels = 32;

struct BlurCase {
  BlurDirection direction;
  Prologue prologue;
  bool affine;
};

const std::vector<BlurCase> kBlurCases = {
    {BlurDirection::down, {Prologue::Norm::instance, 0, PaddingMode::zeros}, false},
    {BlurDirection::down, {Prologue::Norm::instance, 0.2F, PaddingMode::zeros}, true},
    {BlurDirection::down, {Prologue::Norm::none, 0.2F, PaddingMode::zeros}, false},
    {BlurDirection::up, {Prologue::Norm::instance, 0, PaddingMode::zeros}, true},
    {BlurDirection::up, {}, false}};

FastBlurSpec spec_of(const BlurCase& c) {
  FastBlurSpec spec{c.direction, {}, c.prologue, {}};
  spec.filt = c.direction == BlurDirection::down ? BlurDown(kBlurChannels).filt : BlurUp(kBlurChannels).filt;
  if (!c.affine) return spec;
  Noise noise;
  spec.norm = {(noise({kBlurChannels}, 0.3) + 1).requires_grad_(),
               noise({kBlurChannels}, 0.2).requires_grad_()};
  return spec;
}

// By the layers, in the type of x.
Tensor blurred_by_layers(const FastBlurSpec& spec, const Tensor& x, const NormTensors& norm) {
  const Tensor y = prologue_by_libtorch(spec.prologue, x, norm), filt = spec.filt.to(x.scalar_type());
  return spec.direction == BlurDirection::down ? blurred_down(y, filt) : blurred_up(y, filt);
}

std::vector<Tensor> leaves(const Tensor& x, const NormTensors& norm) {
  return norm.defined() ? std::vector<Tensor>{x, norm.gain, norm.shift} : std::vector<Tensor>{x};
}

Tensor blur_image() {
  Noise noise;
  return noise({2, kBlurChannels, 9, 14}, 1.5) + 0.3;
}

class FastBlurTest : public ::testing::TestWithParam<Isa> {};

TEST_P(FastBlurTest, ComputesWhatLayersDoAndItsGradients) {
  for (const BlurCase& c : kBlurCases) {
    const FastBlurSpec spec = spec_of(c);
    const FastBlur blur(spec, GetParam());
    const Tensor x = blur_image().requires_grad_();
    ASSERT_TRUE(blur.supports(x));
    const Tensor y = to_planar_tensor(blur.forward(x));
    Noise noise;
    const Tensor dy = noise(y.sizes().vec(), 1);
    const auto exact_leaf = [](const Tensor& t) {
      return t.defined() ? t.detach().to(at::kDouble).requires_grad_() : Tensor();
    };
    const Tensor exact_x = exact_leaf(x);
    const NormTensors exact_norm = {exact_leaf(spec.norm.gain), exact_leaf(spec.norm.shift)};
    const Tensor right = blurred_by_layers(spec, exact_x, exact_norm);
    EXPECT_LT(error_of(y, right.detach()), 1e-6);
    const auto got = torch::autograd::grad({y}, leaves(x, spec.norm), {dy}),
               wanted = torch::autograd::grad({right}, leaves(exact_x, exact_norm), {dy.to(at::kDouble)});
    for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_LT(error_of(got[i], wanted[i]), 2e-6) << i;
    const at::NoGradGuard no_grad;
    EXPECT_TRUE(at::equal(to_planar_tensor(blur.forward(x.detach())), y)) << "without gradients";
  }
}

TEST_P(FastBlurTest, SupportsDoubleBackward) {
  for (const BlurCase& c : kBlurCases) {
    const FastBlurSpec spec = spec_of(c);
    const FastBlur blur(spec, GetParam());
    const auto penalty = [&](const std::function<Tensor(const Tensor&)>& forward) {
      const Tensor x = blur_image().requires_grad_();
      const Tensor slope = torch::autograd::grad({forward(x).pow(2).sum()}, {x}, {}, true, true)[0];
      return torch::autograd::grad({slope.pow(2).sum()}, leaves(x, spec.norm));
    };
    const auto got = penalty([&](const Tensor&x) { return to_planar_tensor(blur.forward(x)); }),
               right = penalty([&](const Tensor&x) { return blurred_by_layers(spec, x, spec.norm); });
    for (std::size_t i = 0; i < got.size(); ++i)
      EXPECT_LT(error_of(got[i], right[i].to(at::kDouble)), 1e-4) << i;
  }
}

// In fp32, unlike libtorch's.
TEST_P(FastBlurTest, DoesNotRoundUnderAutocast) {
  const FastBlur blur(spec_of(kBlurCases[0]), GetParam());
  const Tensor x = blur_image(), right = blur.forward(x);
  const Autocast bf16;
  if (bf16_stages(GetParam()) == nullptr)
    EXPECT_FALSE(blur.supports(x));
  else
    EXPECT_TRUE(at::equal(blur.forward(x), right));
}

TEST_P(FastBlurTest, ComputesByTheKernelThatTheWeightsHold) {
  const FastBlurSpec spec = spec_of(kBlurCases[4]);
  const FastBlur blur(spec, GetParam());
  const Tensor before = blur.forward(blur_image());
  spec.filt.mul_(2);
  EXPECT_TRUE(at::equal(blur.forward(blur_image()), 2 * before));
}

// One blur has images of several shapes in turn, as a crop and a whole picture, and some at once.
TEST_P(FastBlurTest, KeepsNothingOfOtherShapes) {
  for (const BlurCase& c : kBlurCases) {
    const FastBlurSpec spec = spec_of(c);
    const FastBlur blur(spec, GetParam());
    const auto gradient = [&](const FastBlur& by, const Tensor& image) {
      const Tensor x = image.detach().requires_grad_();
      return torch::autograd::grad({by.forward(x).pow(2).sum()}, {x})[0];
    };
    const Tensor small = blur_image().slice(2, 0, 5).contiguous(), large = blur_image();
    for (const Tensor& x : {large, small, small, large})
      EXPECT_TRUE(at::equal(gradient(blur, x), gradient(FastBlur(spec, GetParam()), x)));
    const Tensor of_small = small.detach().requires_grad_(), y = blur.forward(of_small).pow(2).sum();
    blur.forward(large);
    EXPECT_TRUE(at::equal(torch::autograd::grad({y}, {of_small})[0], gradient(blur, small)));
  }
}

TEST_P(FastBlurTest, ServesSeveralThreads) {
  const FastBlur blur(spec_of(kBlurCases[0]), GetParam());
  const at::NoGradGuard no_grad;
  const Tensor small = blur_image().slice(2, 0, 5).contiguous(), large = blur_image();
  const Tensor of_small = blur.forward(small), of_large = blur.forward(large);
  std::atomic<int> wrong{0};
  const auto work = [&](const Tensor& x, const Tensor& right) {
    const at::NoGradGuard none;
    for (int i = 0; i < 50; ++i) wrong += !at::equal(blur.forward(x), right);
  };
  {
    const std::jthread first([&] { work(small, of_small); }), second([&] { work(large, of_large); });
  }
  EXPECT_EQ(wrong, 0);
}

TEST_P(FastBlurTest, ReportsWhatItSupports) {
  const FastBlur blur(spec_of(kBlurCases[0]), GetParam());
  EXPECT_TRUE(blur.supports(at::zeros({1, kBlurChannels, 2, 3})));
  EXPECT_TRUE(blur.supports(to_blocked_tensor(at::zeros({1, kBlurChannels, 4, 4}))));
  EXPECT_FALSE(blur.supports(at::zeros({1, 16, 4, 4}))) << "channels of other weights";
  EXPECT_FALSE(blur.supports(at::zeros({1, kBlurChannels, 4, 4}, at::kDouble)));
  EXPECT_FALSE(blur.supports(at::zeros({1, kBlurChannels, 1, 4})));
  EXPECT_FALSE(blur.supports(at::zeros({kBlurChannels, 4, 4})));
  EXPECT_THROW(blur.forward(at::zeros({1, kBlurChannels, 1, 4})), std::logic_error);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FastBlurTest);
INSTANTIATE_TEST_SUITE_P(Each, FastBlurTest, ::testing::ValuesIn(fast_isas()),
                         [](const auto& tested) { return isa_name(tested.param); });

}  // namespace
}  // namespace torsor::testing
