// Convolutions with bfloat16 operands: the micro-kernels compared with plain C++, the convolution with
// float64 on operands that are rounded already, so that only the error of accumulation remains.
#include <fmt/format.h>
#include <torch/autograd.h>
#include <torch/types.h>

#include "kernels/direct_conv.h"
#include "kernels/kernel_test_support.h"

namespace torsor::testing::bf16 {
namespace {

using at::Tensor;

Tensor rounded(const Tensor& t) { return t.to(at::kBFloat16).to(at::kFloat); }

// The values of `t` as bfloat16, in its order.
Tensor narrow(const Tensor& t) { return t.contiguous().to(at::kBFloat16).contiguous(); }
const float* lines(const Tensor& narrowed) { return static_cast<const float*>(narrowed.const_data_ptr()); }

std::vector<Isa> isas() {
  std::vector<Isa> all = supported_isas();
  all.erase(std::remove_if(all.begin(), all.end(), [](Isa isa) { return bf16_stages(isa) == nullptr; }),
            all.end());
  return all;
}

TEST(Bf16, RoundsToNearestAndToEven) {
  for (const float value : {0.0F, -0.0F, 1.0F, 1.00390625F, 1.01171875F, 3.1415926F, -1e-20F, 3.3e38F,
                            3.4028e38F, INFINITY, -INFINITY})
    EXPECT_EQ(from_bf16(to_bf16(value)), at::scalar_tensor(value).to(at::kBFloat16).item<float>()) << value;
  EXPECT_TRUE(std::isnan(from_bf16(to_bf16(NAN))));
}

class Bf16Stage : public ::testing::Test {
 protected:
  void SetUp() override {
    if (isas().size() < 2) GTEST_SKIP() << "this CPU lacks AMX-BF16";
    fast_ = bf16_stages(isas().back());
  }
  const Bf16Stages& plain_ = *bf16_stages(Isa::plain);
  const Bf16Stages* fast_ = nullptr;
  Noise noise_;
};

TEST_F(Bf16Stage, RoundsAsThePlainKernel) {
  for (const std::int64_t count : {1, 15, 16, 50}) {
    const Tensor x = noise_({count}, 1);
    std::vector<std::uint16_t> right(static_cast<std::size_t>(count) + 1, 7), got = right;
    plain_.round(count, in(x), right.data());
    fast_->round(count, in(x), got.data());
    EXPECT_EQ(got, right);
  }
}

TEST_F(Bf16Stage, RowsMatchThePlainKernel) {
  for (const std::int64_t pixels : {1, 5, 15, 16, 17, 31, 32, 33, 34, 64, 66, 70, 100})
    for (const auto& [step, pixel] :
         std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 16}, {2, 16}, {1, 2}, {2, 2}}) {
      const std::vector<std::int64_t> offsets = {0, kBlock, 3 * kBlock, -2 * kBlock};
      TapRow p;
      p.pixels = pixels;
      p.step = step;
      p.pixel_stride = pixel;
      p.blocks = 3;
      p.block_stride = (step * pixels + 20) * kBlock;
      p.taps = 4;
      p.offsets = offsets.data();
      p.out_blocks = 2;
      p.out_step = step * kBlock;
      const RowSpan rows{5, 3 * pixel, pixels * step * kBlock};
      p.out_stride = (5 * pixels * step + 1) * kBlock;
      const Tensor x = narrow(noise_({p.blocks * p.block_stride * 2}, 1)),
                   w = narrow(noise_({p.blocks * p.taps * 2 * kBlock * kWideBlock}, 0.1)),
                   bias = noise_({2 * kBlock}, 1);
      Tensor right = noise_({2 * p.out_stride}, 1), got = right.clone();
      plain_.rows(p, rows, lines(x) + 2 * kBlock, lines(w), in(bias), out(right));
      fast_->rows(p, rows, lines(x) + 2 * kBlock, lines(w), in(bias), out(got));
      EXPECT_LT(error_of(got, right.to(at::kDouble)), 1e-6) << pixels << " pixels, step " << step;
    }
}

TEST_F(Bf16Stage, ImagesAreNarrowedVnniPackedAndTransposedAsByThePlainKernel) {
  const std::int64_t pixels = 37;
  const Tensor x = noise_({pixels * 2 * kBlock}, 1);
  Tensor right = at::zeros({pixels * kBlock}), got = at::zeros({pixels * kBlock});
  for (const std::int64_t half : {0, 1}) {
    plain_.narrow(pixels, in(x) + half * pixels * kBlock, out(right) + half * kBlock / 2);
    fast_->narrow(pixels, in(x) + half * pixels * kBlock, out(got) + half * kBlock / 2);
  }
  EXPECT_TRUE(at::equal(got.view(at::kInt), right.view(at::kInt)));
  for (const std::int64_t step : {1, 2})
    for (const std::int64_t count : {17, 18}) {
      std::vector<std::uint16_t> plain_vnni(4 * kWideBlock * kBlock), vnni(plain_vnni.size()),
          transposed(16 * 50), plain_transposed(16 * 50);
      plain_.vnni_pack(count, step * kBlock, in(right), plain_vnni.data(), 2 * kWideBlock * kBlock);
      fast_->vnni_pack(count, step * kBlock, in(right), vnni.data(), 2 * kWideBlock * kBlock);
      EXPECT_EQ(vnni, plain_vnni);
      plain_.transpose_vnni(plain_vnni.data(), plain_transposed.data(), 50);
      fast_->transpose_vnni(plain_vnni.data(), transposed.data(), 50);
      EXPECT_EQ(transposed, plain_transposed);
    }
}

TEST_F(Bf16Stage, ColumnsAreAddedAsByThePlainKernel) {
  const ColumnSums c{13, 7, 20 * kBlock};
  const Tensor sums = noise_({2 * c.block_stride}, 1), bias = noise_({4}, 1);
  Tensor right = at::empty({c.pixels * 4}), got = at::empty({c.pixels * 4});
  plain_.add_columns(c, in(sums), in(bias), out(right));
  fast_->add_columns(c, in(sums), in(bias), out(got));
  EXPECT_LT(error_of(got, right.to(at::kDouble)), 1e-6);
}

TEST_F(Bf16Stage, ProductsMatchThePlainKernel) {
  const std::vector<std::int64_t> offsets = {0, 3 * kWideBlock, 7 * kWideBlock};
  const PixelProducts p{3, 2, 3 * 16 * 64, 16 * 64, 64, 3 * 3 * 512, 3 * 512, 3, offsets.data()};
  const Tensor a = narrow(noise_({2 * p.a_block}, 1)), b = narrow(noise_({2 * p.b_block}, 1));
  Tensor right = noise_({p.taps * kTapSums}, 1), got = right.clone();
  const auto values = [](const Tensor& t) { return static_cast<const std::uint16_t*>(t.const_data_ptr()); };
  plain_.products(p, values(a), values(b), out(right));
  fast_->products(p, values(a), values(b), out(got));
  EXPECT_LT(error_of(got, right.to(at::kDouble)), 1e-6);
}

struct Results {
  Tensor y, dx, dw;
};

struct Problem {
  DirectShape shape;
  Tensor x, weight, bias, dy;
};

Problem problem(const DirectShape& s) {
  Noise noise;
  return {s, rounded(noise({s.batch, s.in_channels, s.height, s.width}, 1)),
          rounded(noise({s.out_channels, s.in_channels, s.kernel, s.kernel}, 0.02)),
          noise({s.out_channels}, 0.1),
          rounded(noise({s.batch, s.out_channels, s.out_height(), s.out_width()}, 1))};
}

Results exact(const Problem& p) {
  const Tensor x = p.x.to(at::kDouble).requires_grad_(), w = p.weight.to(at::kDouble).requires_grad_();
  const Tensor y = at::conv2d(x, w, p.bias.to(at::kDouble), p.shape.stride, p.shape.padding);
  const auto gradients = torch::autograd::grad({y}, {x, w}, {p.dy.to(at::kDouble)});
  return {y.detach(), gradients[0], gradients[1]};
}

// [N,C,H,W] as a padded tensor, with NaN in memory that is not written.
Tensor padded(const DirectConv& conv, const PaddedTensor& t, const Tensor& planar) {
  const auto floats = static_cast<std::int64_t>(t.floats());
  Tensor memory = at::full({2 * floats}, NAN, at::kBFloat16);
  auto* begin = static_cast<float*>(memory.data_ptr());
  if (t.pixel_stride < kBlock) {
    conv.pad_planar(t, PaddingMode::zeros, in(planar), begin);
    return memory;
  }
  memory.view({t.batch, t.blocks(), t.padded_height(), t.padded_width(), kWideBlock})
      .slice(2, t.padding, t.padding + t.height)
      .slice(3, t.padding, t.padding + t.width)
      .copy_(planar.view({t.batch, t.blocks(), kWideBlock, t.height, t.width}).permute({0, 1, 3, 4, 2}));
  for (std::int64_t i = 0; i < t.batch * t.blocks(); ++i)
    fill_padding(t, PaddingMode::zeros, begin + i * t.plane_floats());
  return memory;
}

// A result, planar or blocked, as planar.
Tensor as_planar(const Tensor& result) { return result.size(1) < kBlock ? result : planar(result); }

Results by_kernel(const Problem& p, Isa isa) {
  const DirectConv conv(p.shape, isa, Operands::bf16);
  const auto floats = static_cast<std::int64_t>(conv.weight_floats());
  Tensor packed = at::empty({floats}), packed_backward = at::empty({floats});
  conv.pack_weights(in(p.weight), out(packed));
  conv.pack_weights_backward(in(p.weight), out(packed_backward));
  const Tensor x = padded(conv, conv.padded_input(), p.x), dy = padded(conv, conv.padded_output(), p.dy);
  Results r{at::full_like(p.dy, NAN), at::full_like(p.x, NAN), at::full_like(p.weight, NAN)};
  conv.forward(lines(x), in(packed), in(p.bias), out(r.y));
  conv.input_gradient(lines(dy), in(packed_backward), Region::image, nullptr, out(r.dx));
  conv.weight_gradient(lines(x), lines(dy), out(r.dw));
  return {as_planar(r.y), as_planar(r.dx), r.dw};
}

const std::vector<DirectShape> kShapes = {
    {1, 32, 32, 7, 7, 3, 1, 1},   {3, 32, 64, 8, 9, 3, 2, 1},    {1, 64, 32, 13, 30, 4, 2, 1},
    {1, 32, 96, 16, 16, 4, 1, 1}, {2, 64, 32, 31, 17, 3, 1, 1},  {1, 32, 32, 20, 70, 5, 2, 2},
    {1, 32, 32, 9, 40, 7, 1, 3},  {1, 32, 32, 6, 6, 1, 1, 0},    {1, 32, 32, 6, 7, 1, 2, 0},
    {1, 96, 64, 10, 35, 3, 1, 0}, {1, 64, 128, 33, 66, 3, 2, 1}, {1, 3, 32, 20, 37, 7, 1, 3},
    {2, 64, 3, 20, 37, 7, 1, 3},  {1, 3, 64, 17, 40, 4, 2, 1},   {2, 4, 32, 9, 12, 3, 1, 1},
    {1, 1, 32, 9, 33, 8, 1, 4},   {1, 96, 1, 15, 15, 4, 1, 1},   {1, 32, 2, 6, 7, 1, 1, 0},
    {1, 2, 32, 6, 7, 1, 2, 0},    {1, 32, 4, 9, 40, 5, 1, 2},    {1, 3, 32, 70, 101, 7, 1, 3},
    {2, 3, 32, 2, 3, 4, 2, 1},    {1, 32, 3, 2, 3, 7, 1, 3},     {1, 32, 32, 1, 5, 3, 2, 1},
    {2, 3, 32, 1, 5, 3, 2, 1},    {1, 32, 64, 2, 2, 4, 1, 1}};

std::string text(const DirectShape& s) {
  return fmt::format("{}x{}x{}x{} to {}, kernel {}, stride {}, padding {}", s.batch, s.in_channels, s.height,
                     s.width, s.out_channels, s.kernel, s.stride, s.padding);
}

TEST(Bf16Conv, IsCloseToFloat64) {
  for (const Isa isa : isas())
    for (const DirectShape& shape : kShapes) {
      const Problem p = problem(shape);
      const Results right = exact(p), got = by_kernel(p, isa);
      const std::string where = isa_name(isa) + ", " + text(shape);
      EXPECT_LT(error_of(got.y, right.y), 1e-6) << where;
      EXPECT_LT(error_of(got.dx, right.dx), 1e-6) << where;
      EXPECT_LT(error_of(got.dw, right.dw), 1e-6) << where;
    }
}

TEST(Bf16Conv, IsBitwiseTheSameForAnyNumberOfThreads) {
  for (const DirectShape& shape :
       {DirectShape{2, 64, 96, 19, 22, 3, 2, 1}, {2, 3, 64, 19, 22, 7, 1, 3}, {2, 64, 3, 19, 22, 7, 1, 3}})
    for (const Isa isa : isas()) {
      const Problem p = problem(shape);
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

TEST(Bf16Conv, ReportsWhatItSupports) {
  EXPECT_TRUE(is_supported({1, 32, 64, 8, 8, 3, 2, 1}, Operands::bf16));
  EXPECT_FALSE(is_supported({1, 16, 64, 8, 8, 3, 2, 1}, Operands::bf16));
  EXPECT_TRUE(is_supported({1, 32, 3, 8, 8, 7, 1, 3}, Operands::bf16));
  EXPECT_TRUE(is_supported({1, 3, 32, 8, 8, 7, 1, 3}, Operands::bf16));
  EXPECT_FALSE(is_supported({1, 3, 32, 12, 12, 9, 1, 4}, Operands::bf16));
  EXPECT_FALSE(is_supported({1, 3, 48, 8, 8, 7, 1, 3}, Operands::bf16));
  EXPECT_EQ(bf16_stages(Isa::avx2), nullptr);
  EXPECT_THROW(DirectConv({1, 48, 32, 8, 8, 3, 1, 1}, Isa::plain, Operands::bf16), std::logic_error);
  EXPECT_THROW(DirectConv({1, 32, 32, 8, 8, 3, 1, 1}, Isa::avx2, Operands::bf16), std::logic_error);
}

}  // namespace
}  // namespace torsor::testing::bf16
