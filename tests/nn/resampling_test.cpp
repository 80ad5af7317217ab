// Layers that change sides, and the networks of other programs that are built with them.
#include "nn/resampling.h"

#include <torch/types.h>

#include "nn_test_support.h"

namespace torsor {
namespace {

using testing::discriminator_options;
using testing::generator_options;
using testing::initialised;
using testing::noise;

// By their definitions, pixel by pixel along one side; index(i) says which pixel stands for i.
template <class Index>
at::Tensor along_rows(const at::Tensor& x, std::int64_t size, const std::vector<std::int64_t>& offsets,
                      const std::vector<double>& taps, std::int64_t step, Index index) {
  at::Tensor out = at::zeros({x.size(0), x.size(1), size, x.size(3)}, at::kDouble);
  for (std::int64_t i = 0; i < size; ++i)
    for (std::size_t t = 0; t < taps.size(); ++t)
      out.select(2, i).add_(x.to(at::kDouble).select(2, index(step * i + offsets[t])), taps[t]);
  return out;
}

at::Tensor blurred_rows(const at::Tensor& x) {
  const std::int64_t n = x.size(2);
  const auto mirrored = [&](std::int64_t i) { return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i; };
  return along_rows(x, (n + 1) / 2, {-1, 0, 1}, {0.25, 0.5, 0.25}, 2, mirrored);
}

at::Tensor doubled_rows(const at::Tensor& x) {
  const std::int64_t n = x.size(2);
  const auto repeated = [&](std::int64_t i) { return std::clamp<std::int64_t>(i, 0, n - 1); };
  const at::Tensor even = along_rows(x, n, {-1, 0}, {0.25, 0.75}, 1, repeated),
                   odd = along_rows(x, n, {0, 1}, {0.75, 0.25}, 1, repeated);
  return at::stack({even, odd}, 3).reshape({x.size(0), x.size(1), 2 * n, x.size(3)});
}

template <class Rows>
at::Tensor both_sides(const at::Tensor& x, Rows rows) {
  return rows(rows(x).transpose(2, 3)).transpose(2, 3);
}

TEST(BlurDown, IsTheBlurOfItsDefinitionAtOddSidesToo) {
  for (const auto& [height, width] : {std::pair{8, 6}, {7, 9}, {2, 3}}) {
    const at::Tensor x = noise({2, 3, height, width}, 1), y = BlurDown(3).forward(x);
    EXPECT_TRUE(at::allclose(y.to(at::kDouble), both_sides(x, blurred_rows), 1e-5, 1e-6)) << height;
  }
}

TEST(BlurUp, DoublesBetweenPixelsAndRepeatsEdges) {
  for (const auto& [height, width] : {std::pair{4, 5}, {1, 3}}) {
    const at::Tensor x = noise({2, 3, height, width}, 2), y = BlurUp(3).forward(x);
    EXPECT_TRUE(at::allclose(y.to(at::kDouble), both_sides(x, doubled_rows), 1e-5, 1e-6)) << height;
  }
}

TEST(RepeatPixels, GivesEachPixelFourTimes) {
  const at::Tensor x = noise({1, 2, 3, 5}, 3), y = RepeatPixels().forward(x);
  EXPECT_TRUE(at::equal(y, x.repeat_interleave(2, 2).repeat_interleave(2, 3)));
}

TEST(Blurs, ComputeByTheKernelThatTheWeightsHold) {
  BlurDown layer(1);
  layer.filt.zero_();
  EXPECT_EQ(layer.forward(noise({1, 1, 4, 4}, 4)).abs().sum().item<double>(), 0);
  EXPECT_EQ(layer.parameters().size(), 0u) << "a kernel is not trained";
}

GeneratorOptions as_cut() {
  GeneratorOptions o = generator_options("resnet_9blocks");
  o.downsample = o.upsample = "blur";
  return o;
}

std::vector<std::string> names_of(const torch::nn::Module& module, const std::string& ending) {
  std::vector<std::string> out;
  for (const auto& [name, tensor] : state_dict(module))
    if (name.ends_with(ending)) out.push_back(name);
  return out;
}

TEST(BlurredNetworks, HaveCutsKeysAndSizes) {
  GeneratorOptions wide = as_cut();
  wide.ngf = 64;
  EXPECT_EQ(parameter_count(*make_generator(wide)), 11378179);
  const auto g = initialised(make_generator(as_cut()));
  EXPECT_EQ(names_of(*g, "filt"),
            (std::vector<std::string>{"model.7.filt", "model.11.filt", "model.21.filt", "model.25.filt"}));
  EXPECT_EQ(g->forward(noise({1, 3, 20, 24}, 5)).sizes(), at::IntArrayRef({1, 3, 20, 24}));
  DiscriminatorOptions blurred = discriminator_options("basic");
  blurred.downsample = "blur";
  const auto d = initialised(make_discriminator(blurred));
  EXPECT_EQ(names_of(*d, "filt"),
            (std::vector<std::string>{"model.2.filt", "model.6.filt", "model.10.filt"}));
  EXPECT_EQ(d->forward(noise({1, 3, 32, 32}, 6)).sizes(), at::IntArrayRef({1, 1, 2, 2}));
}

TEST(ResnetGenerators, OfEveryLayoutKeepSidesOfTheirRule) {
  for (const char* up : {"transposed", "resize", "blur"}) {
    for (const char* padding : {"reflect", "zero"}) {
      for (const std::int64_t halvings : {1, 2, 3}) {
        GeneratorOptions o = generator_options("resnet_1blocks");
        o.upsample = up;
        o.padding = padding;
        o.n_downsampling = halvings;
        const auto g = initialised(make_generator(o));
        const SizeRule rule = g->size_rule();
        EXPECT_EQ(rule.multiple, 1 << halvings);
        const std::vector<std::int64_t> sides = {1, 3, rule.minimum, rule.minimum + rule.multiple};
        EXPECT_EQ(g->forward(noise(sides, 7)).sizes(), at::IntArrayRef(sides)) << up << padding << halvings;
      }
    }
  }
}

}  // namespace
}  // namespace torsor
