// pix2pix as a type of model: the reference's defaults, and what follows from the options.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "model/model_test_support.h"
#include "model/pix2pix_settings.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Pix2PixSettings settings_with(const Json& json) {
  Pix2PixSettings settings;
  OptionSet set;
  settings.describe_networks(set);
  settings.describe_losses(set);
  set.from_json(json, "run.json");
  return settings;
}

TEST(Pix2PixSettingsTest, DefaultsAreTheReferences) {
  const Pix2PixSettings s = settings_with(Json::object());
  EXPECT_EQ(s.nets.generator.net_g, "unet_256");
  EXPECT_EQ(s.nets.generator.norm, "batch");
  EXPECT_TRUE(s.nets.generator.dropout);
  EXPECT_EQ(s.gan.gan_mode, "vanilla");
  EXPECT_EQ(s.pix2pix.lambda_l1, 100);
  EXPECT_EQ(s.pix2pix.lambda_gan, 1);
  EXPECT_EQ(s.pairing(), Pairing::aligned);
  EXPECT_EQ(s.images_kept(), 0);
  const auto networks = s.networks({3, 3});
  ASSERT_EQ(networks.size(), 2u);
  EXPECT_EQ(networks[0].name, "g_a_to_b");
  EXPECT_EQ(networks[1].name, "d_ab");
  EXPECT_EQ(parameter_count({networks[0]}), 54413955);
  EXPECT_EQ(parameter_count({networks[1]}), 2768705);
  EXPECT_EQ(common_sides(networks).multiple, 256);
}

TEST(Pix2PixSettingsTest, OptionsReachTheNetworks) {
  const Pix2PixSettings s = settings_with(
      {{"dropout", false}, {"direction", "b_to_a"}, {"norm_d", "instance"}, {"net_g", "unet_128"}});
  const Pix2PixSpec spec = s.spec({1, 3}, {});
  EXPECT_FALSE(spec.generator.dropout);
  EXPECT_EQ(spec.generator.in_channels, 3);
  EXPECT_EQ(spec.generator.out_channels, 1);
  EXPECT_EQ(spec.discriminator.in_channels, 4);
  EXPECT_EQ(spec.discriminator.norm, "instance");
  EXPECT_EQ(spec.generator.norm, "batch");
  EXPECT_EQ(s.networks({1, 3})[0].name, "g_b_to_a");
  EXPECT_THAT(s.summary({1, 3}), ElementsAre(AllOf(HasSubstr("B is the input, A the target"),
                                                   HasSubstr("100"), HasSubstr("vanilla"))));
  EXPECT_THAT(settings_with(Json::object()).summary({3, 3}),
              ElementsAre(HasSubstr("A is the input, B the target"), HasSubstr("dropout")));
  EXPECT_THAT(error_of<UsageError>([] {
                settings_with({{"direction", "AtoB"}});
              }),
              AllOf(HasSubstr("direction"), HasSubstr("a_to_b, b_to_a")));
}

TEST(Pix2PixSettingsTest, WhatCannotBeTrainedIsRefused) {
  EXPECT_THAT(error_of<UsageError>([] {
                settings_with({{"lambda_l1", 0}, {"lambda_gan", 0}}).validate({3, 3});
              }),
              HasSubstr("nothing would be learnt"));
  EXPECT_THAT(error_of<UsageError>([] {
                settings_with({{"net_g", "identity"}}).validate({3, 3});
              }),
              HasSubstr("identity"));
  EXPECT_NO_THROW(settings_with({{"lambda_gan", 0}}).validate({1, 3}));
}

TEST(Pix2PixSettingsTest, PresetsAndSizesTakeAUnetWhoseSidesFit) {
  const Pix2PixSettings s;
  EXPECT_EQ(s.preset("laptop", {{"crop_size", 128}, {"net_g", "resnet_6blocks"}}),
            Json({{"crop_size", 128}, {"net_g", "unet_128"}}));
  EXPECT_EQ(s.preset("paper", {{"net_g", "resnet_9blocks"}})["net_g"], "unet_256");
  const auto sizes = s.sizes();
  EXPECT_EQ(sizes.size(), 5u);
  for (const ModelSize& size : sizes) {
    GeneratorOptions options;
    options.net_g = size.net_g;
    options.ngf = size.width;
    EXPECT_EQ(size.crop % size_rule_of(options).multiple, 0) << size.net_g << " at " << size.crop;
  }
  EXPECT_TRUE(std::is_sorted(sizes.begin(), sizes.end(), [](const ModelSize& x, const ModelSize& y) {
    return std::pair(x.crop, x.width) > std::pair(y.crop, y.width);
  }));
}

TEST(Pix2PixSettingsTest, MakesTheModelThatItDescribes) {
  const auto options = make_pix2pix_options();
  OptionSet set;
  options->describe_networks(set);
  set.from_json({{"net_g", "resnet_1blocks"}, {"ngf", 4}, {"ndf", 4}}, "run.json");
  const DomainChannels channels{3, 1};
  const auto model = options->clone()->make(channels, OptimizerOptions{}, cpu(), 5);
  const auto described = options->networks(channels);
  const auto networks = model->networks();
  ASSERT_EQ(networks.size(), described.size());
  for (std::size_t i = 0; i < networks.size(); ++i) {
    EXPECT_EQ(networks[i].name, described[i].name);
    EXPECT_EQ(parameter_count(*networks[i].network), parameter_count({described[i]})) << networks[i].name;
  }
}

}  // namespace
}  // namespace torsor::testing
