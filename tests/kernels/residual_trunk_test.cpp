// The residual trunk and its plain implementation, both compared with float64.
#include "kernels/residual_trunk.h"

#include <torch/autograd.h>
#include <torch/types.h>

#include "kernels/kernel_test_support.h"

namespace torsor::testing {
namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;

struct Trunk {
  TrunkShape shape;
  Tensor x, dy;
  Tensors weights, of_residuals;
};

struct Outcome {
  Tensor y, dx;
  Tensors residuals, dw;
};

Trunk trunk(const TrunkShape& s) {
  Noise noise;
  const std::vector<std::int64_t> image = {s.batch, s.channels, s.height, s.width};
  Trunk t{s, noise(image, 1), noise(image, 1), {}, {}};
  for (std::int64_t i = 0; i < 2 * s.blocks; ++i)
    t.weights.push_back(noise({s.channels, s.channels, 3, 3}, 0.02));
  for (std::int64_t i = 0; i < s.blocks; ++i) t.of_residuals.push_back(noise(image, 0.5));
  return t;
}

Outcome by_libtorch(const Trunk& t, at::ScalarType type) {
  const Tensor x = t.x.to(type).requires_grad_();
  Tensors inputs = {x}, outputs, gradients = {t.dy.to(type)};
  for (const Tensor& w : t.weights) inputs.push_back(w.to(type).requires_grad_());
  Tensor sum = x;
  const auto norm = [](const Tensor& v) {
    return at::instance_norm(v, {}, {}, {}, {}, /*use_input_stats=*/true, 0, 1e-5, /*cudnn_enabled=*/false);
  };
  Outcome result;
  for (std::size_t b = 0; b < t.of_residuals.size(); ++b) {
    const Tensor middle =
        at::relu(norm(at::conv2d(at::reflection_pad2d(sum, {1, 1, 1, 1}), inputs[1 + 2 * b])));
    const Tensor residual = norm(at::conv2d(at::reflection_pad2d(middle, {1, 1, 1, 1}), inputs[2 + 2 * b]));
    outputs.push_back(residual);
    gradients.push_back(t.of_residuals[b].to(type));
    result.residuals.push_back(residual.detach());
    sum = sum + residual;
  }
  outputs.insert(outputs.begin(), sum);
  const Tensors all = torch::autograd::grad(outputs, inputs, gradients);
  result.y = sum.detach();
  result.dx = all[0];
  result.dw.assign(all.begin() + 1, all.end());
  return result;
}

std::vector<const float*> pointers(const Tensors& tensors) {
  std::vector<const float*> result;
  for (const Tensor& t : tensors) result.push_back(in(t));
  return result;
}

std::vector<float*> places(const Tensors& tensors) {
  std::vector<float*> result;
  for (const Tensor& t : tensors) result.push_back(out(t));
  return result;
}

Tensors like(const Tensors& tensors) {
  Tensors result;
  for (const Tensor& t : tensors) result.push_back(at::full_like(t, NAN));
  return result;
}

Outcome by_plain(const Trunk& t) {
  const auto blocks = t.shape.blocks;
  const Tensor residuals = at::stack(t.of_residuals);
  Tensor made = at::empty_like(residuals);
  Outcome result{at::empty_like(t.x), at::empty_like(t.x), {}, like(t.weights)};
  residual_trunk_plain(t.shape, in(t.x), pointers(t.weights), out(result.y), out(made));
  residual_trunk_gradient_plain(t.shape, in(t.x), pointers(t.weights), in(t.dy), in(residuals),
                                out(result.dx), places(result.dw));
  for (std::int64_t b = 0; b < blocks; ++b) result.residuals.push_back(made[b]);
  return result;
}

Outcome by_kernel(const Trunk& t, Isa isa, Operands operands = Operands::fp32) {
  ResidualTrunk kernel(t.shape, isa, operands);
  const auto blocks = static_cast<std::size_t>(t.shape.blocks);
  const auto floats = static_cast<std::int64_t>(kernel.convolution().weight_floats());
  Tensors u, inputs, normalised, scales;
  for (const Tensor& w : t.weights) {
    u.push_back(at::empty({floats + 16}));  // 16 more: kernels work on whole cache lines
    kernel.convolution().transform_weights(in(w), out(u.back()));
    normalised.push_back(at::full_like(t.x, NAN));
    scales.push_back(at::empty({t.shape.batch, t.shape.channels}));
  }
  for (std::size_t b = 1; b < blocks; ++b) inputs.push_back(at::full_like(t.x, NAN));
  const ResidualTrunk::Record record{places(inputs), places(normalised), places(scales)};
  const Tensor x = blocked(t.x), dy = blocked(t.dy);
  Tensors of_residuals;
  for (const Tensor& g : t.of_residuals) of_residuals.push_back(blocked(g));
  Tensor y = at::full_like(x, NAN), dx = at::full_like(x, NAN), lean = at::full_like(x, NAN);
  Outcome result;
  result.dw = like(t.weights);
  kernel.forward(in(x), pointers(u), {}, &record, out(y));
  kernel.backward(in(x), record, pointers(u), {}, in(dy), pointers(of_residuals), out(dx), places(result.dw),
                  {});
  kernel.forward(in(x), pointers(u), {}, nullptr, out(lean));
  EXPECT_TRUE(at::equal(lean, y)) << "without a record";
  for (std::size_t b = 0; b < blocks; ++b) result.residuals.push_back(planar(normalised[2 * b + 1]));
  result.y = planar(y);
  result.dx = planar(dx);
  return result;
}

template <class Check>
void compare(const Outcome& got, const Outcome& right, const Check& check) {
  check(got.y, right.y, "y");
  check(got.dx, right.dx, "dx");
  for (std::size_t b = 0; b < right.residuals.size(); ++b)
    check(got.residuals[b], right.residuals[b], fmt::format("residual {}", b));
  for (std::size_t i = 0; i < right.dw.size(); ++i) check(got.dw[i], right.dw[i], fmt::format("dw {}", i));
}

const std::vector<TrunkShape> kShapes = {{1, 16, 4, 4, 1},  {2, 16, 8, 8, 2},   {1, 32, 7, 9, 3},
                                         {3, 48, 5, 13, 2}, {1, 64, 16, 16, 3}, {1, 128, 16, 20, 2}};

TEST(ResidualTrunkPlain, IsTheDefinition) {
  for (const TrunkShape& shape : {kShapes[0], kShapes[1], TrunkShape{2, 5, 6, 7, 2}}) {
    const Trunk t = trunk(shape);
    compare(by_plain(t), by_libtorch(t, at::kDouble),
            [&](const Tensor& got, const Tensor& right, const std::string& what) {
              EXPECT_LT(error_of(got, right), 1e-5) << shape.channels << ": " << what;
            });
  }
}

// At a ReLU's zero crossing a rounding error switches a sample of the gradient, in libtorch as in kernels:
// the bound of gradients is a multiple of libtorch's own error, and at least the effect of one sample.
TEST(ResidualTrunk, IsCloseToFloat64) {
  for (const Isa isa : fast_isas()) {
    for (const TrunkShape& shape : kShapes) {
      const Trunk t = trunk(shape);
      const Outcome right = by_libtorch(t, at::kDouble), theirs = by_libtorch(t, at::kFloat);
      double worst = 0;
      compare(theirs, right, [&](const Tensor& got, const Tensor& exact, const std::string&) {
        worst = std::max(worst, error_of(got, exact));
      });
      compare(by_kernel(t, isa), right, [&](const Tensor& got, const Tensor& exact, const std::string& what) {
        EXPECT_LT(error_of(got, exact), std::max(4 * worst, 1e-5))
            << isa_name(isa) << ", " << shape.channels << " channels: " << what;
      });
    }
  }
}

// With AMX-BF16: everything around the products is fp32, unlike under libtorch's autocast, so that errors are
// smaller.
TEST(ResidualTrunk, WithBfloat16IsAsCloseToFloat64AsLibtorch) {
  const Isa isa = supported_isas().back();
  if (bf16_stages(isa) == nullptr || isa == Isa::plain) GTEST_SKIP() << "this CPU lacks AMX-BF16";
  for (const TrunkShape& shape :
       {TrunkShape{1, 32, 7, 9, 2}, {2, 64, 16, 16, 3}, {1, 96, 5, 40, 1}, {1, 128, 16, 20, 2}}) {
    const Trunk t = trunk(shape);
    const Outcome right = by_libtorch(t, at::kDouble), got = by_kernel(t, isa, Operands::bf16);
    const Outcome theirs = [&] {
      const Autocast bf16;
      return by_libtorch(t, at::kFloat);
    }();
    std::vector<double> distances;
    compare(theirs, right, [&](const Tensor& peer, const Tensor& exact, const std::string&) {
      distances.push_back(error_of(peer, exact));
    });
    std::size_t i = 0;
    compare(got, right, [&](const Tensor& ours, const Tensor& exact, const std::string& what) {
      EXPECT_LT(error_of(ours, exact), 1.1 * distances[i++]) << shape.channels << " channels: " << what;
      EXPECT_GT(error_of(ours, exact), 1e-4) << "not bfloat16";
    });
  }
}

TEST(ResidualTrunk, IsBitwiseTheSameForAnyNumberOfThreads) {
  const auto check = [](const Trunk& t, Isa isa, Operands operands) {
    const Outcome one = [&] {
      const Threads single(1);
      return by_kernel(t, isa, operands);
    }();
    for (const int threads : {2, 5}) {
      const Threads several(threads);
      compare(by_kernel(t, isa, operands), one,
              [&](const Tensor& got, const Tensor& first, const std::string& what) {
                EXPECT_TRUE(at::equal(got, first)) << threads << " threads: " << what;
              });
    }
  };
  const Trunk narrow = trunk({2, 48, 9, 14, 2}), wide = trunk({2, 64, 9, 14, 2});
  for (const Isa isa : fast_isas()) {
    check(narrow, isa, Operands::fp32);
    if (bf16_stages(isa) != nullptr) check(wide, isa, Operands::bf16);
  }
}

}  // namespace
}  // namespace torsor::testing
