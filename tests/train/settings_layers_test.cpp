// How settings from several places come together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_support.h"
#include "train/settings_layers.h"
#include "train/train_test_support.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(SettingsLayers, NoneAreTheDefaults) {
  const ResolvedSettings none = resolve_settings({});
  EXPECT_EQ(options_to_json(none.config), options_to_json(TrainConfig()));
  EXPECT_THAT(none.given, IsEmpty());
}

TEST(SettingsLayers, HigherOnesWinAndAllThatIsGivenIsNamed) {
  const ResolvedSettings both =
      resolve_settings({{{{"lr", 0.1}, {"ngf", 8}, {"alpha_id", nullptr}}, "a.json"},
                        {{{"lr", 0.2}, {"out", "run"}}, "flags"}});
  EXPECT_EQ(both.config.optimizer.lr, 0.2);
  EXPECT_EQ(cyclegan(both.config).nets.generator.ngf, 8);
  EXPECT_EQ(both.config.run.out, "run");
  EXPECT_THAT(both.given, UnorderedElementsAre("lr", "ngf", "out"));
}

TEST(SettingsLayers, StandOverThePresetThatTheyName) {
  const ResolvedSettings laptop = resolve_settings({{{{"preset", "paper"}, {"crop_size", 64}}, "a.json"},
                                                    {{{"preset", "laptop"}, {"epochs", 3}}, "flags"}});
  EXPECT_EQ(laptop.config.data.transform.crop_size, 64);
  EXPECT_EQ(laptop.config.schedule.epochs, 3);
  EXPECT_EQ(laptop.config.schedule.epochs_decay, 15) << "the preset's";
  EXPECT_EQ(cyclegan(laptop.config).nets.generator.ngf, 32) << "the preset's";
  EXPECT_EQ(cyclegan(laptop.config).nets.generator.upsample, "blur") << "the preset's";
  EXPECT_EQ(cyclegan(laptop.config).nets.discriminator.n_layers_d, 2) << "the preset's";
  EXPECT_THAT(laptop.given, UnorderedElementsAre("preset", "crop_size", "epochs"));
}

TEST(SettingsLayers, APresetFitsTheNetworksThatAreGiven) {
  const TrainConfig unet =
      resolve_settings({{{{"preset", "laptop"}, {"net_g", "unet_128"}, {"net_d", "pixel"}}, "flags"}}).config;
  EXPECT_NO_THROW(unet.networks());
  EXPECT_EQ(cyclegan(unet).nets.generator.upsample, "transposed") << "a U-Net has no other";
  EXPECT_EQ(cyclegan(unet).nets.discriminator.net_d, "pixel");
}

TEST(SettingsLayers, NetworksOfAModelStandOverThePreset) {
  const TestFolder folder;
  TrainConfig config = tiny_config(folder / "run");
  config.run.steps = 1;
  train(config);
  const std::string model = RunDirectory(folder / "run").model().string();
  const ResolvedSettings tuned = resolve_settings({{{{"init_from", model}, {"preset", "laptop"}}, "flags"}});
  EXPECT_EQ(cyclegan(tuned.config).nets.generator.ngf, 4) << "the model's";
  EXPECT_EQ(cyclegan(tuned.config).nets.generator.upsample, "transposed") << "the model's";
  EXPECT_EQ(tuned.config.schedule.epochs, 15) << "the preset's";
  const ResolvedSettings wider =
      resolve_settings({{{{"init_from", model}}, "a.json"}, {{{"ngf", 6}}, "flags"}});
  EXPECT_EQ(cyclegan(wider.config).nets.generator.ngf, 6) << "given";
}

TEST(SettingsLayers, NameTheModelWhoseOptionsTheyAre) {
  const ResolvedSettings pairs =
      resolve_settings({{{{"model", "pix2pix"}}, "a.json"}, {{{"lr", 0.1}}, "flags"}});
  EXPECT_EQ(pairs.config.model.name(), "pix2pix");
  EXPECT_THAT(error_of<UsageError>([] {
                resolve_settings({{{{"model", "pix2pix"}}, "a.json"}, {{{"model", "cyclegan"}}, "flags"}});
              }),
              AllOf(HasSubstr("a.json"), HasSubstr("'pix2pix'"), HasSubstr("'cyclegan'")));
}

TEST(SettingsLayers, SayWhereAMistakeIs) {
  EXPECT_THAT(error_of<UsageError>([] {
                resolve_settings({{{{"lrr", 1}}, "a.json"}});
              }),
              AllOf(HasSubstr("a.json: unknown option 'lrr'"), HasSubstr("lr")));
  EXPECT_THAT(error_of<UsageError>([] {
                resolve_settings({{{{"lr", "fast"}}, "request"}});
              }),
              HasSubstr("request: lr"));
  EXPECT_THAT(error_of<UsageError>([] {
                resolve_settings({{Json::array(), "request"}});
              }),
              HasSubstr("request: expected an object"));
}

TEST(SettingsLayers, GeneratedImagesAreDrawnAtTheSizeTheyAreUsedIn) {
  const Json generated = {{"data", "generated:glyphs"}, {"crop_size", 32}};
  EXPECT_EQ(resolve_settings({{generated, "flags"}}).config.data.transform.load_size, 32);
  EXPECT_EQ(resolve_settings({{{{"load_size", 40}}, "a.json"}, {generated, "flags"}})
                .config.data.transform.load_size,
            40);
}

}  // namespace
}  // namespace torsor::testing
