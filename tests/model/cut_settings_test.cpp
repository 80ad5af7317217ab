// CUT and FastCUT as types of model: the program's defaults, and what follows from the options.
#include "model/cut_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/model_test_support.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::unique_ptr<ModelOptions> with_options(std::unique_ptr<ModelOptions> options, const Json& json) {
  OptionSet set;
  options->describe_networks(set);
  options->describe_losses(set);
  set.from_json(json, "run.json");
  return options;
}

CutSettings settings_with(const Json& json) {
  return dynamic_cast<const CutSettings&>(*with_options(make_cut_options(), json));
}

TEST(CutSettingsTest, DefaultsAreTheProgrammes) {
  const auto options = make_cut_options();
  const auto& s = dynamic_cast<const CutSettings&>(*options);
  EXPECT_EQ(s.nets.init.init_type, "xavier");
  EXPECT_EQ(s.nets.init.init_gain, 0.02);
  EXPECT_EQ(s.gan.gan_mode, "lsgan");
  EXPECT_EQ(s.cut.lambda_gan, 1);
  EXPECT_EQ(s.cut.lambda_nce, 1);
  EXPECT_TRUE(s.cut.nce_idt);
  EXPECT_FALSE(s.cut.flip_equivariance);
  EXPECT_EQ(s.cut.nce_t, 0.07);
  EXPECT_EQ(s.cut.num_patches, 256);
  EXPECT_EQ(s.epochs().full, 200);
  EXPECT_EQ(s.epochs().decay, 200);
  EXPECT_EQ(s.pairing(), Pairing::unpaired);
  const auto networks = s.networks({3, 3});
  ASSERT_EQ(networks.size(), 3u);
  EXPECT_EQ(networks[0].name, "g_a_to_b");
  EXPECT_EQ(networks[1].name, "d_b");
  EXPECT_EQ(networks[2].name, "f_a_to_b");
  EXPECT_EQ(parameter_count({networks[0]}), 11378179);
  EXPECT_EQ(parameter_count({networks[1]}), 2764737);
  EXPECT_EQ(parameter_count({networks[2]}), 560384);
}

TEST(CutSettingsTest, FastCutIsTheSameWithOtherDefaults) {
  const auto options = make_fastcut_options();
  const auto& s = dynamic_cast<const CutSettings&>(*options);
  EXPECT_EQ(s.cut.lambda_nce, 10);
  EXPECT_FALSE(s.cut.nce_idt);
  EXPECT_TRUE(s.cut.flip_equivariance);
  EXPECT_EQ(s.epochs().full, 150);
  EXPECT_EQ(s.epochs().decay, 50);
  const auto own = with_options(make_fastcut_options(), {{"nce_idt", true}, {"lambda_nce", 2}});
  EXPECT_TRUE(dynamic_cast<const CutSettings&>(*own).cut.nce_idt);
  EXPECT_EQ(own->clone()->epochs().full, 150);
}

TEST(CutSettingsTest, OptionsReachTheNetworks) {
  const CutSpec blurred = settings_with(Json::object()).spec({1, 1}, {});
  EXPECT_EQ(blurred.g_a_to_b.downsample, "blur");
  EXPECT_EQ(blurred.g_a_to_b.upsample, "blur");
  EXPECT_EQ(blurred.d_b.downsample, "blur");
  EXPECT_EQ(blurred.d_b.in_channels, 1);
  const CutSettings s = settings_with({{"antialias", false},
                                       {"norm_d", "batch"},
                                       {"nce_layers", "0,7,10"},
                                       {"nce_width", 16},
                                       {"ngf", 8},
                                       {"net_g", "resnet_2blocks"}});
  const CutSpec spec = s.spec({3, 3}, {});
  EXPECT_EQ(spec.g_a_to_b.downsample, "strided");
  EXPECT_EQ(spec.g_a_to_b.upsample, "blur");
  EXPECT_EQ(spec.d_b.downsample, "strided");
  EXPECT_EQ(spec.d_b.norm, "batch");
  EXPECT_EQ(spec.features().channels, "3,32,32");
  EXPECT_EQ(spec.features().width, 16);
  EXPECT_EQ(settings_with({{"antialias_up", false}}).spec({3, 3}, {}).g_a_to_b.upsample, "transposed");
  EXPECT_THAT(s.summary({3, 3}), ElementsAre(AllOf(HasSubstr("0,7,10"), HasSubstr("identity term on"))));
}

TEST(CutSettingsTest, ItsNetworksAreThoseOfTheModelAndMadeAgainFromTheirDescription) {
  const CutSettings s = settings_with(
      {{"ngf", 4}, {"ndf", 4}, {"net_g", "resnet_3blocks"}, {"nce_layers", "0,4,14"}, {"nce_width", 8}});
  const auto model = s.make({3, 3}, {}, cpu(), 1);
  const auto described = s.networks({3, 3});
  const auto made = model->networks();
  ASSERT_EQ(described.size(), made.size());
  for (std::size_t i = 0; i < described.size(); ++i) {
    const auto& [name, network] = made[i];
    EXPECT_EQ(described[i].name, name);
    const auto again = make_network(described[i], "file");
    load_state_dict(*again, state_dict(*network), name);
    EXPECT_EQ(parameter_count(*again), parameter_count({described[i]})) << name;
  }
  EXPECT_EQ(described[2].kind, "features");
  EXPECT_EQ(network_label(described[2]), "f_a_to_b");
  EXPECT_EQ(described[2].maps, kAToB);
  NetworkInfo damaged = described[2];
  damaged.options["channels"] = "3,x";
  EXPECT_THAT(error_of<UsageError>([&] { make_network(damaged, "a.safetensors"); }),
              AllOf(HasSubstr("a.safetensors"), HasSubstr("channels")));
}

TEST(CutSettingsTest, WhatCannotBeTrainedIsRefused) {
  const auto refused = [](const Json& json, const DomainChannels& channels = {}) {
    return error_of<UsageError>([&] { settings_with(json).validate(channels); });
  };
  settings_with(Json::object()).validate({3, 3});
  settings_with({{"net_g", "resnet_6blocks"}}).validate({1, 1});
  EXPECT_THAT(refused({{"net_g", "unet_256"}}), HasSubstr("--net-g unet_256"));
  EXPECT_THAT(refused({{"net_g", "residual_unet_4"}}), HasSubstr("--net-g residual_unet_4"));
  EXPECT_THAT(refused({{"net_g", "identity"}}), HasSubstr("nothing to train"));
  EXPECT_THAT(refused(Json::object(), {3, 1}), HasSubstr("channels"));
  EXPECT_THAT(refused({{"nce_layers", "0,40"}}), HasSubstr("0 to 31"));
  EXPECT_THAT(refused({{"nce_layers", "0,x"}}), HasSubstr("nce_layers"));
  EXPECT_THAT(refused({{"nce_layers", "4,0"}}), HasSubstr("ascend"));
  EXPECT_THAT(refused({{"lambda_nce", 0}}), HasSubstr("lambda_nce"));
  EXPECT_THAT(refused({{"nce_t", 0}}), HasSubstr("nce_t"));
  EXPECT_THAT(refused({{"num_patches", 0}}), HasSubstr("num_patches"));
}

TEST(CutSettingsTest, ThePaperPresetHasItsOwnEpochs) {
  const Json json = {{"crop_size", 256}, {"epochs", 100}, {"epochs_decay", 100}};
  EXPECT_EQ(make_cut_options()->preset("paper", json)["epochs"], 200);
  EXPECT_EQ(make_fastcut_options()->preset("paper", json)["epochs_decay"], 50);
  EXPECT_EQ(make_cut_options()->preset("laptop", json), json);
}

}  // namespace
}  // namespace torsor::testing
