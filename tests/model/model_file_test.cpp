// The model file: what it holds comes back, and what is wrong with one is named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/files.h"
#include "model/model_file.h"
#include "model/model_test_support.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ModelFile : public ::testing::Test {
 protected:
  ModelFile()
      : rig_([] {
          CycleGanSpec spec = tiny_spec();
          spec.g_a_to_b.in_channels = spec.g_b_to_a.out_channels = spec.d_a.in_channels = 1;
          return spec;
        }()) {
    rig_.step();
    const CycleGanSpec& spec = rig_.model.spec();
    info_.networks = {generator_info(kAToB, spec.g_a_to_b), generator_info(kBToA, spec.g_b_to_a),
                      discriminator_info({"a"}, spec.d_a)};
    info_.domains.at("a") = {"winter", 1, {90, 0}, {}};
    info_.domains.at("b") = {"summer", 3, {183.5, 0}, {}};
    info_.step = 12;
    info_.preprocessing = {{"load_size", 286}, {"scaling", "percentile_95"}};
    info_.training = {{"lr", 0.5}};
    write(model_metadata(info_));
  }

  void write(const std::map<std::string, std::string>& metadata) const {
    Archive archive;
    for (const auto& [name, network] : rig_.model.networks())
      for (const auto& [key, tensor] : state_dict(*network)) archive.put("net/" + name + "/" + key, tensor);
    archive.write(path_, metadata);
  }

  std::string load_error() const {
    return error_of([&] { load_generator(read_weights(path_), "a_to_b"); });
  }

  TestFolder folder_;
  std::filesystem::path path_ = folder_.path / "model.safetensors";
  Rig rig_;
  ModelInfo info_;
};

TEST_F(ModelFile, GivesBackTheSameGenerators) {
  for (const char* direction : {"a_to_b", "b_to_a"}) {
    const LoadedGenerator loaded = load_generator(read_weights(path_), direction);
    const std::int64_t channels = std::string(direction) == "a_to_b" ? 1 : 3;
    const at::Tensor x = image_noise({2, channels, kSide, kSide}, 5).to(at::kFloat);
    at::NoGradGuard no_grad;
    const auto original = network(rig_.model, std::string("g_") + direction);
    EXPECT_TRUE(at::equal(loaded.generator->forward(x), original->forward(x))) << direction;
    EXPECT_FALSE(loaded.generator->is_training());
    EXPECT_EQ(loaded.options.in_channels, channels);
    EXPECT_EQ(loaded.direction.name(), direction);
  }
}

TEST_F(ModelFile, DescribesItself) {
  const ModelInfo info = load_generator(read_weights(path_), "a_to_b").info;
  EXPECT_EQ(info.type, "cyclegan");
  EXPECT_EQ(info.domains.at("a").name, "winter");
  EXPECT_EQ(info.domains.at("a").channels, 1);
  EXPECT_EQ(info.domains.at("b").name, "summer");
  EXPECT_EQ(info.step, 12);
  EXPECT_EQ(info.domains.at("a").range, (ValueRange{90, 0}));
  EXPECT_EQ(info.domains.at("b").range, (ValueRange{183.5, 0}));
  EXPECT_EQ(info.scaling(), "percentile_95");
  EXPECT_EQ(info.preprocessing, info_.preprocessing);
  EXPECT_EQ(info.training, info_.training);
  EXPECT_EQ(info.to_json(), info_.to_json());
}

TEST_F(ModelFile, OfAnotherDirectionIsAUsageErrorThatNamesThoseThereAre) {
  EXPECT_THAT(error_of<UsageError>([&] { load_generator(read_weights(path_), "b_to_c"); }),
              AllOf(HasSubstr("--direction b_to_c"), HasSubstr("a_to_b, b_to_a")));
}

TEST_F(ModelFile, DamagedAnywhereIsAnErrorThatNamesIt) {
  const std::string good = read_file(path_);
  const auto with = [&](const std::string& bytes) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
    const std::string message = load_error();
    EXPECT_THAT(message, HasSubstr(path_.string()));
    return message;
  };
  std::string flipped = good;
  flipped[good.size() - 5] ^= 0x10;
  with(flipped);
  with(good.substr(0, good.size() - 100));
  with(good.substr(0, 40));
  with("");
  with("not a model");
  std::filesystem::remove(path_);
  EXPECT_THAT(load_error(), HasSubstr(path_.string()));
}

TEST_F(ModelFile, ThatIsNotOneOrOfAnotherFormatIsRefused) {
  write({});
  EXPECT_THAT(load_error(), AllOf(HasSubstr(path_.string()), HasSubstr("not a torsor model")));
  auto metadata = model_metadata(info_);
  metadata["torsor.format"] = "7";
  write(metadata);
  EXPECT_THAT(load_error(), AllOf(HasSubstr(path_.string()), HasSubstr("format 7")));
  metadata = model_metadata(info_);
  metadata["torsor.model"] = "{\"type\": \"cyclegan\"}";
  write(metadata);
  EXPECT_THAT(load_error(), AllOf(HasSubstr(path_.string()), HasSubstr("incomplete")));
  metadata["torsor.model"] = "{";
  write(metadata);
  EXPECT_THAT(load_error(), HasSubstr(path_.string()));
}

TEST_F(ModelFile, WhoseRangeItsScalingCannotHaveIsRefused) {
  const auto write_with = [&](const std::string& scaling, const ValueRange& range) {
    info_.preprocessing["scaling"] = scaling;
    info_.domains.at("a").range = info_.domains.at("b").range = range;
    write(model_metadata(info_));
  };
  const auto error_with = [&](const std::string& scaling, const ValueRange& range) {
    write_with(scaling, range);
    return load_error();
  };
  write_with("white", {});
  EXPECT_NO_THROW(read_weights(path_));
  write_with("percentile_95", {255, 0});
  EXPECT_NO_THROW(read_weights(path_));
  for (const ValueRange& bad : {ValueRange{0, -1}, ValueRange{255, -1, 255}, ValueRange{90, 0}})
    EXPECT_THAT(error_with("white", bad), AllOf(HasSubstr(path_.string()), HasSubstr("black and white")));
  for (const ValueRange& bad : {ValueRange{}, ValueRange{0, 0}, ValueRange{-3, 0}, ValueRange{256, 0}})
    EXPECT_THAT(error_with("percentile_95", bad),
                AllOf(HasSubstr(path_.string()), HasSubstr("black and white")));
  EXPECT_THAT(error_with("percentile_96", {90, 0}), HasSubstr("'percentile_96'"));
}

TEST_F(ModelFile, KeepsDepthAndScaleOfEachDomain) {
  info_.preprocessing["scaling"] = "white";
  const ValueRange deep{4095, -1, 0, PixelType::u16}, heights{1200, -1, 300.5, PixelType::f32};
  info_.domains.at("a").range = deep;
  info_.domains.at("b").range = heights;
  write(model_metadata(info_));
  const ModelInfo info = read_weights(path_).info;
  EXPECT_EQ(info.domain("a").range, deep);
  EXPECT_EQ(info.domain("b").range, heights);
  auto metadata = model_metadata(info_);
  Json model = parse_json(metadata["torsor.model"], "model");
  model["domains"]["a"]["value_range"]["bit_depth"] = 12;
  metadata["torsor.model"] = model.dump();
  write(metadata);
  EXPECT_THAT(load_error(), AllOf(HasSubstr(path_.string()), HasSubstr("12 bits")));
}

// Up to format 3 an input's range followed from the scaling alone: another would have gone unnoticed.
TEST_F(ModelFile, OfAnOlderFormatHasTheWholeRange) {
  info_.preprocessing["scaling"] = "white";
  info_.domains.at("a").range = info_.domains.at("b").range = {};
  auto metadata = model_metadata(info_);
  Json model = parse_json(metadata["torsor.model"], "model");
  for (const char* key : {"a", "b"}) model["domains"][key]["value_range"]["white"] = 254;
  metadata["torsor.model"] = model.dump();
  metadata["torsor.format"] = "3";
  write(metadata);
  EXPECT_THAT(load_error(), AllOf(HasSubstr(path_.string()), HasSubstr("they are -1 and 255")));
}

TEST_F(ModelFile, OfAnOlderFormatHasOneRangeForAll) {
  for (const char* format : {"format-1.safetensors", "format-2.safetensors"}) {
    const ModelInfo info =
        read_weights(std::filesystem::path(TORSOR_TEST_DATA) / "checkpoints" / format).info;
    EXPECT_EQ(info.domains.at("a").range, ValueRange{}) << format;
    EXPECT_EQ(info.domains.at("b").range, ValueRange{}) << format;
  }
  auto metadata = model_metadata(info_);
  Json model = parse_json(metadata["torsor.model"], "model");
  model["value_range"] = {{"bit_depth", 8}, {"white", 255}};
  metadata["torsor.model"] = model.dump();
  write(metadata);
  EXPECT_THAT(load_error(), HasSubstr("and one for all"));
}

TEST_F(ModelFile, HoldsAnyNamedNetworksAndDomains) {
  info_.domains = {
      {"t1", {"T1", 1, {90, 0}, {}}}, {"flair", {"FLAIR", 3, {80, 0}, {}}}, {"pd", {"PD", 1, {70, 0}, {}}}};
  info_.networks[0].maps = {"t1", "flair"};
  info_.networks[1].maps = {"flair", "pd"};
  info_.networks[2].sees = {"t1"};
  write(model_metadata(info_));
  const WeightSet set = read_weights(path_);
  EXPECT_EQ(set.info.to_json(), info_.to_json());
  const LoadedGenerator loaded = load_generator(set, "t1_to_flair");
  EXPECT_EQ(loaded.direction, (Direction{"t1", "flair"}));
  EXPECT_EQ(target_of(loaded).name, "FLAIR");
  EXPECT_THAT(error_of<UsageError>([&] { load_generator(set, "a_to_b"); }),
              AllOf(HasSubstr("--direction a_to_b"), HasSubstr("t1_to_flair, flair_to_pd")));
  EXPECT_NO_THROW(load_discriminator(set, "t1"));
  EXPECT_THAT(error_of<Error>([&] { load_discriminator(set, "pd"); }),
              AllOf(HasSubstr(path_.string()), HasSubstr("pd")));
}

TEST_F(ModelFile, GoesByWhatItSaysOfANetworkNotByItsName) {
  std::swap(info_.networks[0].maps, info_.networks[1].maps);
  write(model_metadata(info_));
  EXPECT_EQ(load_generator(read_weights(path_), "b_to_a").options.in_channels, 1);  // g_a_to_b's weights
}

TEST_F(ModelFile, WhoseNetworksDoNotFitItsDomainsIsRefused) {
  const ModelInfo good = info_;
  info_.networks[0].maps.to = "c";
  write(model_metadata(info_));
  EXPECT_THAT(load_error(), AllOf(HasSubstr(path_.string()), HasSubstr("g_a_to_b"), HasSubstr("'c'")));
  info_ = good;
  info_.networks[2].sees = {"a", "d"};
  write(model_metadata(info_));
  EXPECT_THAT(load_error(), AllOf(HasSubstr(path_.string()), HasSubstr("'d'")));
  info_ = good;
  info_.networks[1].name = info_.networks[0].name;
  write(model_metadata(info_));
  EXPECT_THAT(load_error(),
              AllOf(HasSubstr(path_.string()), HasSubstr("two networks"), HasSubstr("g_a_to_b")));
}

TEST_F(ModelFile, OfAnOlderFormatPlacesItsNetworksByName) {
  for (const char* format : {"format-1.safetensors", "format-2.safetensors", "format-3.safetensors"}) {
    const WeightSet set = read_weights(std::filesystem::path(TORSOR_TEST_DATA) / "checkpoints" / format);
    EXPECT_EQ(generator_for(set, "a_to_b").name, "g_a_to_b") << format;
    EXPECT_EQ(generator_for(set, "b_to_a").name, "g_b_to_a") << format;
    for (const NetworkInfo& network : set.info.networks)
      if (network.kind == kDiscriminatorKind) {
        EXPECT_EQ(network.sees, std::vector{network.name.substr(2)}) << format;
      }
  }
}

TEST_F(ModelFile, WhoseDescriptionDoesNotFitItsWeightsIsRefused) {
  info_.networks[0].options["ngf"] = 6;
  write(model_metadata(info_));
  EXPECT_THAT(load_error(), AllOf(HasSubstr(path_.string()), HasSubstr("model.1.weight")));
  info_.networks[0].options["ngf"] = "wide";
  write(model_metadata(info_));
  EXPECT_THAT(load_error(), AllOf(HasSubstr(path_.string()), HasSubstr("ngf")));
}

}  // namespace
}  // namespace torsor::testing
