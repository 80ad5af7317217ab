// The direct convolution and its plain implementation, both compared with float64; padded tensors.
#include "kernels/direct_conv.h"

#include <fmt/format.h>
#include <torch/autograd.h>
#include <torch/types.h>

#include "kernels/kernel_test_support.h"

namespace torsor::testing::direct {
namespace {

using at::Tensor;

struct Results {
  Tensor y, dx, dw;
};

std::string text(const DirectShape& s) {
  return fmt::format("{}x{}x{}x{} to {}, kernel {}, stride {}, padding {}", s.batch, s.in_channels, s.height,
                     s.width, s.out_channels, s.kernel, s.stride, s.padding);
}

struct Problem {
  DirectShape shape;
  Tensor x, weight, bias, dy;
};

Problem problem(const DirectShape& s) {
  Noise noise;
  return {s, noise({s.batch, s.in_channels, s.height, s.width}, 1),
          noise({s.out_channels, s.in_channels, s.kernel, s.kernel}, 0.02), noise({s.out_channels}, 0.1),
          noise({s.batch, s.out_channels, s.out_height(), s.out_width()}, 1)};
}

// By libtorch, in this precision.
Results torch(const Problem& p, at::ScalarType type) {
  const Tensor x = p.x.to(type).requires_grad_(), w = p.weight.to(type).requires_grad_();
  const Tensor y = at::conv2d(x, w, p.bias.to(type), p.shape.stride, p.shape.padding);
  const auto gradients = torch::autograd::grad({y}, {x, w}, {p.dy.to(type)});
  return {y.detach(), gradients[0], gradients[1]};
}

Results plain(const Problem& p) {
  Results r{at::empty_like(p.dy), at::empty_like(p.x), at::empty_like(p.weight)};
  conv_plain(p.shape, in(p.x), in(p.weight), in(p.bias), out(r.y));
  conv_input_gradient_plain(p.shape, in(p.dy), in(p.weight), out(r.dx));
  conv_weight_gradient_plain(p.shape, in(p.x), in(p.dy), out(r.dw));
  return r;
}

// [N,C,H,W] as a padded tensor, with NaN in lanes that must not be read.
Tensor padded(const PaddedTensor& t, const Tensor& planar, PaddingMode mode = PaddingMode::zeros) {
  Tensor memory = at::full({t.batch, t.blocks(), t.padded_height(), t.padded_width(), kBlock}, NAN);
  if (t.channels < kBlock) {
    pad_planar(t, mode, in(planar), out(memory));
    return memory;
  }
  memory.slice(2, t.padding, t.padding + t.height)
      .slice(3, t.padding, t.padding + t.width)
      .copy_(planar.view({t.batch, t.blocks(), kBlock, t.height, t.width}).permute({0, 1, 3, 4, 2}));
  for (std::int64_t i = 0; i < t.batch * t.blocks(); ++i)
    fill_padding(t, mode, out(memory) + i * t.plane_floats());
  return memory;
}

// A result, planar or blocked, as planar.
Tensor as_planar(const Tensor& result) { return result.size(1) < kBlock ? result : planar(result); }

Results by_kernel(const Problem& p, Isa isa) {
  DirectConv conv(p.shape, isa);
  Tensor packed = at::empty({p.weight.numel()}), packed_backward = at::empty({p.weight.numel()});
  conv.pack_weights(in(p.weight), out(packed));
  conv.pack_weights_backward(in(p.weight), out(packed_backward));
  const Tensor x = padded(conv.padded_input(), p.x), dy = padded(conv.padded_output(), p.dy);
  Results r{at::full_like(p.dy, NAN), at::full_like(p.x, NAN), at::full_like(p.weight, NAN)};
  conv.forward(in(x), in(packed), in(p.bias), out(r.y));
  conv.input_gradient(in(dy), in(packed_backward), Region::image, nullptr, out(r.dx));
  conv.weight_gradient(in(x), in(dy), out(r.dw));
  return {as_planar(r.y), as_planar(r.dx), r.dw};
}

std::vector<DirectShape> shapes() {
  std::vector<DirectShape> out;
  for (const auto& [height, width] :
       std::vector<std::pair<std::int64_t, std::int64_t>>{{7, 7}, {8, 9}, {13, 30}, {16, 16}, {31, 17}})
    for (const auto& [from, to] : std::vector<std::pair<std::int64_t, std::int64_t>>{
             {16, 16}, {16, 48}, {48, 32}, {3, 64}, {1, 16}, {2, 48}, {4, 32}})
      for (const auto& [kernel, stride, padding] : std::vector<std::array<std::int64_t, 3>>{{3, 2, 1},
                                                                                            {4, 2, 1},
                                                                                            {4, 1, 1},
                                                                                            {7, 1, 3},
                                                                                            {3, 1, 0},
                                                                                            {1, 1, 0},
                                                                                            {1, 2, 0},
                                                                                            {5, 2, 2},
                                                                                            {4, 1, 0}}) {
        const std::int64_t batch = height == 8 ? 3 : 1;
        out.push_back({batch, from, to, height, width, kernel, stride, padding});
        if (from < 16 && stride == 1)
          out.push_back({batch, to, from, height, width, kernel, stride, padding});
      }
  out.push_back({1, 64, 128, 64, 64, 3, 2, 1});
  out.push_back({1, 128, 256, 32, 32, 4, 2, 1});
  out.push_back({1, 256, 512, 16, 16, 4, 1, 1});
  out.push_back({2, 512, 1, 15, 15, 4, 1, 1});
  out.push_back({1, 64, 3, 70, 101, 7, 1, 3});
  out.push_back({1, 3, 64, 70, 101, 7, 1, 3});
  return out;
}

TEST(DirectConvPlain, IsTheDefinition) {
  for (const DirectShape& shape : shapes()) {
    if (shape.height * shape.width * shape.in_channels * shape.out_channels > 200000) continue;
    const Problem p = problem(shape);
    const Results right = torch(p, at::kDouble), got = plain(p);
    EXPECT_LT(error_of(got.y, right.y), 1e-7) << text(shape);
    EXPECT_LT(error_of(got.dx, right.dx), 1e-7) << text(shape);
    EXPECT_LT(error_of(got.dw, right.dw), 1e-7) << text(shape);
  }
}

TEST(DirectConv, IsCloseToFloat64) {
  for (const Isa isa : fast_isas())
    for (const DirectShape& shape : shapes()) {
      const Problem p = problem(shape);
      const Results right = torch(p, at::kDouble), got = by_kernel(p, isa), theirs = torch(p, at::kFloat);
      const auto check = [&](const Tensor& ours, const Tensor& peer, const Tensor& exact, const char* what) {
        // Where libtorch is exact but for one rounding, a multiple of its error is no bound.
        const double bound = std::max(4 * error_of(peer, exact), 2e-7);
        EXPECT_LT(error_of(ours, exact), bound) << isa_name(isa) << ", " << text(shape) << ": " << what;
      };
      check(got.y, theirs.y, right.y, "y");
      check(got.dx, theirs.dx, right.dx, "dx");
      check(got.dw, theirs.dw, right.dw, "dw");
    }
}

TEST(DirectConv, IsBitwiseTheSameForAnyNumberOfThreads) {
  for (const DirectShape& shape :
       {DirectShape{2, 64, 48, 40, 50, 3, 2, 1}, {2, 3, 64, 64, 80, 7, 1, 3}, {2, 64, 3, 64, 80, 7, 1, 3}}) {
    const Problem p = problem(shape);
    for (const Isa isa : fast_isas()) {
      const Results one = [&] {
        const Threads single(1);
        return by_kernel(p, isa);
      }();
      for (const int threads : {2, 3, 5}) {
        const Threads several(threads);
        const Results many = by_kernel(p, isa);
        EXPECT_TRUE(at::equal(one.y, many.y)) << threads;
        EXPECT_TRUE(at::equal(one.dx, many.dx)) << threads;
        EXPECT_TRUE(at::equal(one.dw, many.dw)) << threads;
      }
    }
  }
}

// The input gradient as a transposed convolution, whose bias is per input channel here.
TEST(DirectConv, InputGradientIsATransposedConvolution) {
  const DirectShape shape{2, 32, 48, 18, 22, 3, 2, 1};
  const Problem p = problem(shape);
  Noise noise;
  const Tensor bias = noise({32}, 0.1);
  const Tensor right = at::conv_transpose2d(p.dy.to(at::kDouble), p.weight.to(at::kDouble),
                                            bias.to(at::kDouble), 2, 1, /*output_padding=*/1);
  for (const Isa isa : fast_isas()) {
    const DirectConv conv(shape, isa);
    Tensor packed = at::empty({p.weight.numel()}), y = at::full_like(p.x, NAN);
    conv.pack_weights_backward(in(p.weight), out(packed));
    conv.input_gradient(in(padded(conv.padded_output(), p.dy)), in(packed), Region::image, in(bias), out(y));
    EXPECT_LT(error_of(planar(y), right), 5e-7);
  }
}

// With the gradient of the padding added to the pixels that it reflects.
TEST(DirectConv, HandlesReflectionPadding) {
  for (const DirectShape& shape :
       {DirectShape{2, 3, 32, 9, 12, 7, 1, 3}, {2, 32, 3, 9, 12, 7, 1, 3}, {1, 16, 16, 9, 8, 3, 1, 1}}) {
    const Problem p = problem(shape);
    const std::vector<std::int64_t> pad(4, shape.padding);
    const auto right = [&](at::ScalarType type) -> Results {
      const Tensor x = p.x.to(type).requires_grad_(), w = p.weight.to(type).requires_grad_();
      const Tensor y = at::conv2d(at::reflection_pad2d(x, pad), w);
      const auto gradients = torch::autograd::grad({y}, {x, w}, {p.dy.to(type)});
      return {y.detach(), gradients[0], gradients[1]};
    }(at::kDouble);
    for (const Isa isa : fast_isas()) {
      DirectConv conv(shape, isa);
      const PaddedTensor& input = conv.padded_input();
      Tensor packed = at::empty({p.weight.numel()}), packed_backward = at::empty({p.weight.numel()});
      conv.pack_weights(in(p.weight), out(packed));
      conv.pack_weights_backward(in(p.weight), out(packed_backward));
      const Tensor x = padded(input, p.x, PaddingMode::reflect), dy = padded(conv.padded_output(), p.dy);
      Results got{at::full_like(p.dy, NAN), at::full_like(p.x, NAN), at::full_like(p.weight, NAN)};
      conv.forward(in(x), in(packed), nullptr, out(got.y));
      conv.weight_gradient(in(x), in(dy), out(got.dw));
      const std::int64_t lanes = shape.in_channels < kBlock ? 1 : kBlock;
      const std::int64_t pixels = input.padded_height() * input.padded_width();
      Tensor whole = at::full({shape.batch * shape.in_channels * pixels}, NAN);
      conv.input_gradient(in(dy), in(packed_backward), Region::with_padding, nullptr, out(whole));
      for (std::int64_t i = 0; i < shape.batch * shape.in_channels / lanes; ++i)
        reflection_pad_backward(input, lanes, out(whole) + i * pixels * lanes,
                                out(got.dx) + i * shape.height * shape.width * lanes);
      EXPECT_LT(error_of(as_planar(got.y), right.y), 5e-7) << text(shape);
      EXPECT_LT(error_of(as_planar(got.dx), right.dx), 5e-7) << text(shape);
      EXPECT_LT(error_of(got.dw, right.dw), 5e-7) << text(shape);
    }
  }
}

TEST(DirectConv, ReportsWhatItSupports) {
  EXPECT_TRUE(is_supported({1, 16, 32, 8, 8, 3, 2, 1}));
  EXPECT_TRUE(is_supported({1, 3, 32, 8, 8, 4, 2, 1}));
  EXPECT_TRUE(is_supported({1, 32, 1, 8, 8, 4, 1, 1}));
  EXPECT_FALSE(is_supported({1, 32, 1, 8, 8, 4, 2, 1}));
  EXPECT_FALSE(is_supported({1, 3, 3, 8, 8, 3, 1, 1}));
  EXPECT_FALSE(is_supported({1, 24, 32, 8, 8, 3, 1, 1}));
  EXPECT_FALSE(is_supported({1, 16, 32, 8, 8, 3, 3, 1}));
  EXPECT_FALSE(is_supported({1, 16, 32, 1, 8, 4, 1, 1}));
  EXPECT_FALSE(is_supported({0, 16, 32, 8, 8, 3, 1, 1}));
  EXPECT_THROW(DirectConv({1, 16, 16, 8, 8, 3, 1, 1}, Isa::plain), std::logic_error);
  for (const Isa isa : fast_isas())
    EXPECT_THROW(DirectConv({1, 24, 16, 8, 8, 3, 1, 1}, isa), std::logic_error);
}

}  // namespace
}  // namespace torsor::testing::direct
