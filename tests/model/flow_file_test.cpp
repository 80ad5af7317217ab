// A model file with one flow: both directions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/model_file.h"
#include "model/model_test_support.h"
#include "nn/flow.h"

namespace torsor::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FlowFile : public ::testing::Test {
 protected:
  static GeneratorOptions options_of(const std::string& net) {
    GeneratorOptions options;
    options.net_g = net;
    options.ngf = 4;
    return options;
  }

  // Of one generator of this direction.
  static WeightSet written(const std::filesystem::path& path, const std::string& net, const Direction& maps,
                           std::optional<double> return_error = {}) {
    const auto generator = make_generator(options_of(net));
    init_weights(*generator, {"auto", 1.0}, 3);
    WeightSet set{"", "torsor model", {}, {}, {}, {}};
    set.info.networks = {generator_info(maps, options_of(net))};
    set.info.networks.front().return_error = return_error;
    set.weights[set.info.networks.front().name] = state_dict(*generator);
    write_weights(path, set);
    return read_weights(path);
  }

  TestFolder folder_;
  std::filesystem::path path_ = folder_.path / "model.safetensors";
};

TEST_F(FlowFile, IsBothDirections) {
  const at::NoGradGuard no_grad;
  const at::Tensor x = image_noise({2, 3, 8, 8}, 5).to(at::kFloat);
  for (const Direction& maps : {kAToB, kBToA}) {
    const WeightSet set = written(path_, "flow_1", maps, 0.0123);
    EXPECT_EQ(&generator_for(set, "b_to_a"), &generator_for(set, "a_to_b"));
    const LoadedGenerator there = load_generator(set, maps.name()),
                          back = load_generator(set, maps.opposite().name());
    EXPECT_EQ(there.direction, maps);
    EXPECT_TRUE(there.notes.empty());
    EXPECT_EQ(back.direction, maps.opposite());
    EXPECT_EQ(target_of(back).name,
              target_of(LoadedGenerator{{}, {}, maps.opposite(), {}, set.info, {}}).name);
    EXPECT_THAT(back.notes, ElementsAre(HasSubstr("integrated backwards; images of its training came back "
                                                  "with a mean difference of 0.0123")));
    EXPECT_FALSE(back.generator->is_training());
    const at::Tensor y = there.generator->forward(x);
    EXPECT_TRUE(at::equal(back.generator->forward(y),
                          dynamic_cast<InvertibleGenerator&>(*there.generator).inverse(y)));
    EXPECT_LT((back.generator->forward(y) - x).abs().max().item<double>(),
              (y - x).abs().max().item<double>() / 5);
    EXPECT_EQ(load_generator(set, "").direction, kAToB);
  }
}

TEST_F(FlowFile, KeepsHowWellItComesBack) {
  EXPECT_EQ(written(path_, "flow_1", kAToB, 0.5).info.networks.front().return_error, 0.5);
  EXPECT_EQ(written(path_, "flow_1", kAToB).info.networks.front().return_error, std::nullopt);
}

// A generator in its own direction is preferred, and others than flows have no inverse.
TEST_F(FlowFile, IsNotInvertedWhereThereIsAGeneratorAndOthersNever) {
  const NetworkInfo there = generator_info(kAToB, options_of("flow_1")),
                    back = generator_info(kBToA, options_of("flow_1"));
  const std::vector<NetworkInfo> one = {there}, two = {there, back},
                                 plain = {generator_info(kAToB, options_of("resnet_1blocks"))};
  EXPECT_EQ(find_translator(two, kBToA), &two[1]);
  EXPECT_EQ(find_translator(one, kBToA), &one[0]);
  EXPECT_EQ(find_generator(one, kBToA), nullptr);
  EXPECT_EQ(find_translator(plain, kBToA), nullptr);
  EXPECT_EQ(find_translator(plain, kAToB), &plain[0]);
  EXPECT_EQ(find_translator(one, Direction{}), nullptr);
  const WeightSet lone = written(path_, "resnet_1blocks", kBToA);
  EXPECT_EQ(load_generator(lone, "").direction, kBToA) << "the only one that it has";
  EXPECT_THAT(error_of<UsageError>([&] { load_generator(lone, "a_to_b"); }), HasSubstr("it has b_to_a"));
}

}  // namespace
}  // namespace torsor::testing
