#include "transport/block_path.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "core/rng.h"
#include "test_support.h"

namespace torsor {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

std::shared_ptr<Generator> small_generator(const std::string& name) {
  GeneratorOptions options;
  options.net_g = name;
  options.ngf = 4;
  const auto generator = make_generator(options);
  std::uint64_t seed = 1;
  const at::NoGradGuard no_grad;
  for (at::Tensor& parameter : generator->parameters()) {
    Rng rng(seed++);
    for (std::int64_t i = 0; i < parameter.numel(); ++i)
      parameter.data_ptr<float>()[i] = static_cast<float>(0.2 * rng.normal());
  }
  generator->eval();
  return generator;
}

TEST(BlockPath, EndsAtTheOutputAndStandsStillWhereABlockAddsNothing) {
  const auto generator = small_generator("resnet_3blocks");
  const at::NoGradGuard no_grad;
  const at::Tensor x = at::linspace(-1, 1, 2 * 3 * 16 * 16).reshape({2, 3, 16, 16}).sin();
  const std::vector<at::Tensor> path = decoded_after_blocks(*generator, x);
  ASSERT_EQ(path.size(), 4u);
  EXPECT_TRUE(at::allclose(path.back(), generator->forward(x), 1e-4, 1e-5));
  EXPECT_FALSE(at::allclose(path[0], path[1], 1e-3, 1e-3));
  // Without its last convolution's weights the second block adds nothing.
  for (auto& parameter : generator->named_parameters())
    if (parameter.key().starts_with("model.11.conv_block.5")) parameter.value().zero_();
  const std::vector<at::Tensor> still = decoded_after_blocks(*generator, x);
  EXPECT_TRUE(at::equal(still[1], still[2]));
  EXPECT_TRUE(at::equal(still[1], path[1]));
  EXPECT_FALSE(at::equal(still[2], still[3]));
}

TEST(BlockPath, OfAFlowAreItsStates) {
  const auto flow = small_generator("flow_1");
  const at::NoGradGuard no_grad;
  const at::Tensor x = at::linspace(-1, 1, 2 * 3 * 8 * 8).reshape({2, 3, 8, 8}).sin();
  const std::vector<at::Tensor> path = decoded_after_blocks(*flow, x);
  ASSERT_EQ(path.size(), 5u) << "four steps by default";
  EXPECT_TRUE(at::equal(path.front(), x));
  EXPECT_TRUE(at::equal(path.back(), flow->forward(x)));
  for (std::size_t k = 1; k < path.size(); ++k) EXPECT_FALSE(at::equal(path[k], path[k - 1])) << k;
}

TEST(BlockPath, RefusesGeneratorsWithoutOne) {
  const at::Tensor x = at::zeros({1, 3, 32, 32});
  EXPECT_THAT(error_of([&] { decoded_after_blocks(*small_generator("unet_128"), x); }),
              HasSubstr("no path of its images"));
  EXPECT_THAT(error_of([&] { decoded_after_blocks(*small_generator("residual_unet_2"), x); }),
              HasSubstr("no list of layers"));
  EXPECT_THAT(error_of([&] { decoded_after_blocks(*small_generator("identity"), x); }), HasSubstr("no"));
}

}  // namespace
}  // namespace torsor
