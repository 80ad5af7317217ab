// Looking at a model that trains: with which weights, in which mode, and that no trace is left.
#include "model/model_in_use.h"

#include "model/model_test_support.h"
#include "model/weight_average.h"

namespace torsor::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

at::Tensor an_image() { return image_noise({3, kSide, kSide}, 7).to(at::kFloat); }

std::vector<NetworkInfo> infos(const CycleGanSpec& spec) {
  return {generator_info(kAToB, spec.g_a_to_b), generator_info(kBToA, spec.g_b_to_a),
          discriminator_info({"a"}, spec.d_a), generator_info({}, spec.g_a_to_b)};
}

TEST(ModelInUse, TranslatesWithTheAverageAndLeavesTheModelAsItWas) {
  Rig rig(tiny_spec());
  rig.model.keep_average(0.999);
  rig.step();
  rig.model.update_average();
  const Weights before = weights_of(rig.model);
  const NetworkInfo info = generator_info(kAToB, tiny_spec().g_a_to_b);
  at::Tensor seen, own;
  {
    const ModelInUse used(rig.model, cpu());
    seen = used.run(info, an_image());
    EXPECT_FALSE(network(rig.model, "g_a_to_b")->is_training());
    EXPECT_FALSE(seen.requires_grad());
  }
  EXPECT_EQ(first_difference(before, weights_of(rig.model)), "");
  EXPECT_TRUE(network(rig.model, "g_a_to_b")->is_training());
  {
    const at::NoGradGuard no_grad;
    own = network(rig.model, "g_a_to_b")->forward(an_image().unsqueeze(0))[0];
    for (auto& [key, tensor] : state_dict(*network(rig.model, "g_a_to_b")))
      tensor.copy_(find_tensor(*rig.model.average()->of("g_a_to_b"), key));
    EXPECT_TRUE(at::equal(seen, network(rig.model, "g_a_to_b")->forward(an_image().unsqueeze(0))[0]));
  }
  EXPECT_FALSE(at::equal(seen, own));
  EXPECT_EQ(seen.sizes(), at::IntArrayRef({3, kSide, kSide}));
}

TEST(ModelInUse, ReturnsSinglePrecisionWhateverTheModelHas) {
  Rig rig(tiny_spec(), cpu(at::kDouble));
  const ModelInUse used(rig.model, cpu(at::kDouble));
  EXPECT_EQ(used.run(generator_info(kBToA, tiny_spec().g_b_to_a), an_image()).scalar_type(), at::kFloat);
}

TEST(ModelInUse, OfANetworkThatTheModelLacksIsAnError) {
  Rig rig(tiny_spec());
  const ModelInUse used(rig.model, cpu());
  EXPECT_THAT(error_of([&] { used.run(generator_info({}, tiny_spec().g_a_to_b), an_image()); }),
              HasSubstr("no network g"));
}

TEST(NetworkInfo, GeneratorsAreFoundByTheirDirection) {
  const std::vector<NetworkInfo> all = infos(tiny_spec());
  ASSERT_NE(find_generator(all, kBToA), nullptr);
  EXPECT_EQ(find_generator(all, kBToA)->name, "g_b_to_a");
  EXPECT_EQ(find_generator(all, Direction()), nullptr) << "an unknown one is none";
  const std::vector<NetworkInfo> directed = directed_generators(all);
  ASSERT_THAT(directed, SizeIs(2));
  EXPECT_EQ(directed[0].name, "g_a_to_b");
  EXPECT_EQ(directed[1].name, "g_b_to_a");
}

}  // namespace
}  // namespace torsor::testing
