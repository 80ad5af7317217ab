// The 3x3 convolution and its plain implementation, both compared with float64.
#include "kernels/conv3x3.h"

#include <torch/autograd.h>
#include <torch/types.h>

#include "kernels/kernel_test_support.h"

namespace torsor::testing {
namespace {

using at::Tensor;

struct Results {
  Tensor y, dx, dw;
};

std::string text(const Conv3x3Shape& s) {
  return fmt::format("{}x{}x{}x{} to {}, {}", s.batch, s.in_channels, s.height, s.width, s.out_channels,
                     s.padding_mode == PaddingMode::reflect ? "reflect" : "zero");
}

struct Problem {
  Conv3x3Shape shape;
  Tensor x, weight, dy;
};

Problem problem(const Conv3x3Shape& s) {
  Noise noise;
  return {s, noise({s.batch, s.in_channels, s.height, s.width}, 1),
          noise({s.out_channels, s.in_channels, 3, 3}, 0.02),
          noise({s.batch, s.out_channels, s.height, s.width}, 1)};
}

// By libtorch, in this precision.
Results torch(const Problem& p, at::ScalarType type) {
  const Tensor x = p.x.to(type).requires_grad_(), w = p.weight.to(type).requires_grad_();
  const std::vector<std::int64_t> one = {1, 1, 1, 1};
  const Tensor padded = p.shape.padding_mode == PaddingMode::reflect ? at::reflection_pad2d(x, one)
                                                                     : at::constant_pad_nd(x, one);
  const Tensor y = at::conv2d(padded, w);
  const auto gradients = torch::autograd::grad({y}, {x, w}, {p.dy.to(type)});
  return {y.detach(), gradients[0], gradients[1]};
}

Results plain(const Problem& p) {
  Results r{at::empty_like(p.dy), at::empty_like(p.x), at::empty_like(p.weight)};
  conv3x3_plain(p.shape, in(p.x), in(p.weight), out(r.y));
  conv3x3_input_gradient_plain(p.shape, in(p.dy), in(p.weight), out(r.dx));
  conv3x3_weight_gradient_plain(p.shape, in(p.x), in(p.dy), out(r.dw));
  return r;
}

Results winograd(const Problem& p, Isa isa) {
  Conv3x3 conv(p.shape, isa);
  FloatBuffer weights;
  float* u = weights.at_least(conv.winograd().weight_floats());
  conv.winograd().transform_weights(in(p.weight), u);
  const Tensor x = blocked(p.x), dy = blocked(p.dy);
  Tensor y = at::empty_like(dy), dx = at::empty_like(x), dw = at::empty_like(p.weight);
  conv.forward(in(x), u, out(y));
  conv.gradients(in(x), in(dy), u, out(dx), out(dw));
  return {planar(y), planar(dx), dw};
}

std::vector<Conv3x3Shape> shapes() {
  std::vector<Conv3x3Shape> out;
  for (const PaddingMode padding_mode : {PaddingMode::reflect, PaddingMode::zeros})
    for (const auto& [height, width] : std::vector<std::pair<std::int64_t, std::int64_t>>{
             {2, 2}, {2, 9}, {3, 4}, {5, 3}, {7, 8}, {8, 8}, {13, 30}, {31, 17}, {32, 32}})
      for (const auto& [in, to] : std::vector<std::pair<std::int64_t, std::int64_t>>{
               {16, 16}, {16, 48}, {48, 16}, {32, 32}, {80, 64}})
        out.push_back({in == 32 ? 3 : 1, in, to, height, width, padding_mode});
  out.push_back({1, 256, 256, 32, 32, PaddingMode::reflect});
  out.push_back({1, 64, 32, 64, 64, PaddingMode::reflect});
  out.push_back({1, 32, 32, 70, 101, PaddingMode::reflect});
  out.push_back({2, 128, 160, 16, 20, PaddingMode::reflect});
  return out;
}

TEST(Conv3x3Plain, IsTheDefinition) {
  for (const Conv3x3Shape& shape : shapes()) {
    if (shape.in_channels > 48) continue;
    const Problem p = problem(shape);
    const Results right = torch(p, at::kDouble), got = plain(p);
    EXPECT_LT(error_of(got.y, right.y), 1e-7) << text(shape);
    EXPECT_LT(error_of(got.dx, right.dx), 1e-7) << text(shape);
    EXPECT_LT(error_of(got.dw, right.dw), 1e-7) << text(shape);
  }
}

// Including those that the fast kernels do not support.
TEST(Conv3x3Plain, SupportsAnyNumberOfChannels) {
  const Problem p = problem({2, 3, 5, 6, 4, PaddingMode::reflect});
  const Results right = torch(p, at::kDouble), got = plain(p);
  EXPECT_LT(error_of(got.y, right.y), 1e-7);
  EXPECT_LT(error_of(got.dx, right.dx), 1e-7);
  EXPECT_LT(error_of(got.dw, right.dw), 1e-7);
}

// An absolute bound for all shapes; for those that --engine auto dispatches to the kernel (blocks of
// generators, from 32 channels and maps of 8 x 8 on) a small multiple of libtorch's own error.
TEST(Conv3x3, IsCloseToFloat64) {
  for (const Isa isa : fast_isas()) {
    for (const Conv3x3Shape& shape : shapes()) {
      const Problem p = problem(shape);
      const Results right = torch(p, at::kDouble), got = winograd(p, isa), theirs = torch(p, at::kFloat);
      const bool dispatched =
          shape.padding_mode == PaddingMode::reflect &&
          std::min({shape.in_channels / 4, shape.out_channels / 4, shape.height, shape.width}) >= 8;
      const auto check = [&](const Tensor& ours, const Tensor& peer, const Tensor& exact, const char* what) {
        const double bound = dispatched ? 4 * error_of(peer, exact) : 2e-6;
        EXPECT_LT(error_of(ours, exact), bound) << isa_name(isa) << ", " << text(shape) << ": " << what;
      };
      check(got.y, theirs.y, right.y, "y");
      check(got.dx, theirs.dx, right.dx, "dx");
      check(got.dw, theirs.dw, right.dw, "dw");
    }
  }
}

TEST(Conv3x3, IsBitwiseTheSameForAnyNumberOfThreads) {
  const Problem p = problem({2, 64, 48, 13, 18, PaddingMode::reflect});
  for (const Isa isa : fast_isas()) {
    const Results one = [&] {
      const Threads single(1);
      return winograd(p, isa);
    }();
    for (const int threads : {2, 3, 5}) {
      const Threads several(threads);
      const Results many = winograd(p, isa);
      EXPECT_TRUE(at::equal(one.y, many.y)) << threads;
      EXPECT_TRUE(at::equal(one.dx, many.dx)) << threads;
      EXPECT_TRUE(at::equal(one.dw, many.dw)) << threads;
    }
  }
}

TEST(Conv3x3, OneObjectServesManyCalls) {
  const Isa isa = supported_isas().back();
  if (isa == Isa::plain) GTEST_SKIP() << "this CPU has neither AVX2 nor AVX-512";
  const Problem p = problem({1, 32, 32, 10, 10, PaddingMode::reflect});
  const Results right = winograd(p, isa);
  Conv3x3 conv(p.shape, isa);
  FloatBuffer weights;
  conv.winograd().transform_weights(in(p.weight), weights.at_least(conv.winograd().weight_floats()));
  const Tensor x = blocked(p.x), dy = blocked(p.dy);
  for (int round = 0; round < 2; ++round) {
    Tensor dw = at::full_like(p.weight, NAN), dx = at::full_like(x, NAN), y = at::full_like(dy, NAN);
    conv.weight_gradient(in(x), in(dy), out(dw));
    conv.input_gradient(in(dy), weights.at_least(0), out(dx));
    conv.forward(in(x), weights.at_least(0), out(y));
    EXPECT_TRUE(at::equal(dw, right.dw));
    EXPECT_TRUE(at::equal(planar(dx), right.dx));
    EXPECT_TRUE(at::equal(planar(y), right.y));
  }
}

TEST(Conv3x3, ReportsWhatItSupports) {
  EXPECT_TRUE(is_supported({1, 16, 32, 2, 2, PaddingMode::zeros}));
  EXPECT_FALSE(is_supported({1, 24, 32, 8, 8, PaddingMode::zeros}));
  EXPECT_FALSE(is_supported({1, 16, 3, 8, 8, PaddingMode::zeros}));
  EXPECT_FALSE(is_supported({1, 16, 16, 1, 8, PaddingMode::zeros}));
  EXPECT_FALSE(is_supported({0, 16, 16, 8, 8, PaddingMode::zeros}));
  if (supported_isas().back() != Isa::plain) {
    EXPECT_THROW(Conv3x3({1, 24, 32, 8, 8, PaddingMode::zeros}, supported_isas().back()), std::logic_error);
  }
  EXPECT_THROW(Conv3x3({1, 16, 16, 8, 8, PaddingMode::zeros}, Isa::plain), std::logic_error);
}

TEST(Blocked, HasSixteenContiguousChannelsPerPixel) {
  const Tensor x = problem({2, 32, 16, 7, 11, PaddingMode::zeros}).x, there = blocked(x);
  EXPECT_TRUE(at::equal(there.view({2, 2, 77, 16}), x.view({2, 2, 16, 77}).transpose(2, 3)));
  EXPECT_TRUE(at::equal(planar(there), x));
}

}  // namespace
}  // namespace torsor::testing
