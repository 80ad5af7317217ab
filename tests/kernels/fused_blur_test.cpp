// Blurs and their plain implementation, both compared with float64.
#include "kernels/fused_blur.h"

#include <fmt/format.h>
#include <torch/autograd.h>
#include <torch/types.h>

#include "kernels/kernel_test_support.h"

namespace torsor::testing {
namespace {

using at::Tensor;

struct Blurring {
  BlurShape shape;
  Tensor x, taps, dy;
};

struct Blurred {
  Tensor y, dx;
};

Blurring blurring(const BlurShape& s) {
  Noise noise;
  return {s, noise({s.batch, s.channels, s.height, s.width}, 1.5) + 0.3,
          noise({s.channels, 1, s.side(), s.side()}, 0.2),
          noise({s.batch, s.channels, s.out_height(), s.out_width()}, 1)};
}

Tensor by_operations(const BlurShape& s, const Tensor& x, const Tensor& taps) {
  const std::vector<std::int64_t> one = {1, 1, 1, 1};
  const std::int64_t stride = 2, none = 0, cut = 3;
  Tensor y = x;
  if (s.prologue.norm == Prologue::Norm::instance)
    y = at::instance_norm(y, {}, {}, {}, {}, /*use_input_stats=*/true, 0, kNormEpsilon,
                          /*cudnn_enabled=*/false);
  y = at::leaky_relu(y, s.prologue.slope);
  if (s.direction == BlurDirection::down)
    return at::conv2d(at::reflection_pad2d(y, one), taps, {}, stride, none, /*dilation=*/1, s.channels);
  return at::conv_transpose2d(at::replication_pad2d(y, one), taps, {}, stride, cut, none, s.channels);
}

Blurred by_libtorch(const Blurring& b) {
  const Tensor x = b.x.to(at::kDouble).requires_grad_();
  const Tensor y = by_operations(b.shape, x, b.taps.to(at::kDouble));
  return {y.detach(), torch::autograd::grad({y}, {x}, {b.dy.to(at::kDouble)})[0]};
}

Blurred by_plain(const Blurring& b) {
  Blurred result{at::empty_like(b.dy), at::empty_like(b.x)};
  blur_plain(b.shape, in(b.x), in(b.taps), out(result.y));
  blur_gradient_plain(b.shape, in(b.dy), in(b.taps), out(result.dx));
  return result;
}

Blurred by_kernel(const Blurring& b, Isa isa) {
  const FusedBlur blur(b.shape, isa, in(b.taps));
  const Tensor x = blocked(b.x), dy = blocked(b.dy),
               moments = at::empty({static_cast<std::int64_t>(blur.moment_floats())});
  Tensor y = at::full_like(b.dy, NAN), dx = at::full_like(b.x, NAN);
  blur.forward(in(x), {}, out(moments), out(y));
  blur.backward(in(x), {}, in(moments), in(dy), out(dx), nullptr);
  return {planar(y), planar(dx)};
}

std::string text(const BlurShape& s) {
  return fmt::format("{} {}x{}x{}x{}, slope {}", s.direction == BlurDirection::down ? "down" : "up", s.batch,
                     s.channels, s.height, s.width, s.prologue.slope);
}

// Sides whose two edges meet, odd and even ones.
std::vector<BlurShape> shapes(const Prologue& prologue) {
  std::vector<BlurShape> all;
  for (const BlurDirection direction : {BlurDirection::down, BlurDirection::up})
    for (const auto& [height, width] :
         std::vector<std::pair<std::int64_t, std::int64_t>>{{2, 2}, {3, 2}, {4, 3}, {3, 5}, {7, 16}, {12, 9}})
      all.push_back({direction, 2, 48, height, width, prologue});
  all.push_back({BlurDirection::up, 1, 16, 1, 4, prologue});
  return all;
}

const std::vector<Prologue> kPrologues = {{},
                                          {Prologue::Norm::none, 0.2F, PaddingMode::zeros},
                                          {Prologue::Norm::instance, 0, PaddingMode::zeros},
                                          {Prologue::Norm::instance, 1, PaddingMode::zeros}};

TEST(FusedBlurPlain, IsTheDefinition) {
  for (const BlurShape& shape : shapes({})) {
    const Blurring b = blurring(shape);
    const Blurred got = by_plain(b), right = by_libtorch(b);
    EXPECT_LT(error_of(got.y, right.y), 1e-7) << text(shape);
    EXPECT_LT(error_of(got.dx, right.dx), 1e-7) << text(shape);
  }
}

TEST(FusedBlur, IsCloseToFloat64AndToThePlainOne) {
  for (const Isa isa : fast_isas())
    for (const Prologue& prologue : kPrologues)
      for (const BlurShape& shape : shapes(prologue)) {
        const Blurring b = blurring(shape);
        const Blurred got = by_kernel(b, isa), right = by_libtorch(b);
        const std::string what = isa_name(isa) + ", " + text(shape);
        EXPECT_LT(error_of(got.y, right.y), 1e-6) << what;
        EXPECT_LT(error_of(got.dx, right.dx), 2e-6) << what;
        if (prologue.changes_values()) continue;
        const Blurred plain = by_plain(b);
        EXPECT_LT(error_of(got.y, plain.y.to(at::kDouble)), 2e-7) << what;
        EXPECT_LT(error_of(got.dx, plain.dx.to(at::kDouble)), 2e-7) << what;
      }
}

TEST(FusedBlur, IsBitwiseTheSameForAnyNumberOfThreads) {
  for (const Isa isa : fast_isas())
    for (const BlurDirection direction : {BlurDirection::down, BlurDirection::up}) {
      const Blurring b = blurring({direction, 2, 48, 9, 14, kPrologues[2]});
      const Blurred one = [&] {
        const Threads single(1);
        return by_kernel(b, isa);
      }();
      const Threads several(3);
      const Blurred got = by_kernel(b, isa);
      EXPECT_TRUE(at::equal(got.y, one.y) && at::equal(got.dx, one.dx));
    }
}

TEST(FusedBlur, RefusesShapesWithoutAnEdgeToReflectOrTooFewChannels) {
  EXPECT_FALSE(is_supported({BlurDirection::down, 1, 16, 1, 8, {}}));
  EXPECT_TRUE(is_supported({BlurDirection::up, 1, 16, 1, 1, {}}));
  EXPECT_FALSE(is_supported({BlurDirection::up, 1, 16, 1, 1, kPrologues[2]})) << "one pixel has no variance";
  for (const std::int64_t channels : {0, 3, 24})
    EXPECT_FALSE(is_supported({BlurDirection::down, 1, channels, 8, 8, {}}));
  const std::vector<float> taps(16 * 9);
  for (const Isa isa : fast_isas())
    EXPECT_THROW(FusedBlur({BlurDirection::down, 1, 16, 1, 8, {}}, isa, taps.data()), std::logic_error);
}

}  // namespace
}  // namespace torsor::testing
