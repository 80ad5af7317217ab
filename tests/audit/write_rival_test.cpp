// A rival as a model file: what it is chosen by, and that it computes what it says.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "audit/rivals.h"
#include "audit/write_rival.h"
#include "infer/generator_runner.h"
#include "interchange/onnx_graph.h"
#include "model/model_options.h"
#include "planted_translators.h"
#include "random_generators.h"
#include "test_support.h"

namespace torsor {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using namespace torsor::testing;

Json battery(const std::string& id, const std::string& automorphism, double displacement) {
  return {{"id", id},
          {"automorphism", automorphism},
          {"displacement", {{"value", displacement}, {"interval", {displacement, displacement}}}}};
}

TEST(StrongestRival, IsShownBeforeUndecidedAndThenMovesMost) {
  Json parts = {{"symmetries",
                 {{"rivals",
                   {battery("symmetry:a:rot90", "undecided", 0.9), battery("symmetry:a:hflip", "shown", 0.4),
                    battery("symmetry:b:hflip", "shown", 0.5), battery("symmetry:a:vflip", "excluded", 0.8),
                    battery("symmetry:a:hue-30", "shown", 0.01)}}}}};
  EXPECT_EQ(strongest_rival(parts, {}), "symmetry:b:hflip");
  parts["anchors"]["beaten"] = {"symmetry:a:hflip", "symmetry:b:hflip"};
  EXPECT_EQ(strongest_rival(parts, {}), "symmetry:a:rot90");
  parts["anchors"]["beaten"].push_back("symmetry:a:rot90");
  EXPECT_EQ(strongest_rival(parts, {}), "") << "one is excluded, one is too small to matter";
}

class WriteRival : public ::testing::Test {
 protected:
  WriteRival() {
    model_ = folder_ / "model.safetensors";
    write_weights(model_, testing::random_generators());
  }

  AuditMaterial material() {
    AuditInputs inputs = planted_inputs({open_audited_run(model_, Placement{})}, {.images = 8, .pairs = 0});
    return AuditMaterial(std::move(inputs), AuditOptions(), folder_.path, std::make_shared<NullLog>(), stop_);
  }

  TestFolder folder_;
  StopFlag stop_;
  std::filesystem::path model_;
};

TEST_F(WriteRival, TheFileLoadsAndIsTheComposition) {
  const AuditMaterial m = material();
  for (const std::string id : {"symmetry:a:hflip", "symmetry:b:rot90", "symmetry:a:shift-x",
                               "symmetry:a:hue-120", "symmetry:b:negative", "symmetry:b:intensity"}) {
    const Json parts = {{"symmetries", {{"rivals", {battery(id, "shown", 0.5)}}}}};
    const std::filesystem::path file = write_rival(m, parts, folder_ / "rival");
    for (const Direction& direction : {kAToB, kBToA}) {
      RunnerOptions options;
      options.direction = direction.name();
      const GeneratorRunner runner = GeneratorRunner::open(file, options);
      const at::Tensor x = m.images(direction.from).values;
      const at::Tensor made = m.subject().generator(direction)(x);
      at::Tensor wanted;
      for (const RivalAnswer& rival : rival_answers(m, direction))
        if (rival.id == id) wanted = rival.answer(x, made);
      EXPECT_LT((runner.translate(x) - wanted).abs().max().item<double>(), 1e-4) << id << direction.name();
      if (direction == kAToB) {  // the other way a norm takes the brightness of the input out
        EXPECT_GT((made - wanted).abs().mean().item<double>(), 1e-3) << "the rival is another translator";
      }
    }
    const Json written = read_json(folder_ / "rival/rival.json");
    EXPECT_EQ(written.at("symmetry"), id);
    EXPECT_TRUE(written.at("kid").at("a_to_b").contains("rival"));
    EXPECT_TRUE(std::filesystem::exists(folder_ / "rival/rival.png"));
  }
}

TEST_F(WriteRival, SidesThatDoNotFitArePaddedBehindTheMap) {
  const Json parts = {{"symmetries", {{"rivals", {battery("symmetry:a:hflip", "shown", 0.5)}}}}};
  const GeneratorRunner rival = GeneratorRunner::open(write_rival(material(), parts, folder_ / "rival"), {}),
                        model = GeneratorRunner::open(model_, {});
  const at::Tensor x = scenes("a", 1, 9).values.slice(2, 0, 27).slice(3, 0, 30).contiguous();
  EXPECT_LT((rival.translate(x) - model.translate(x.flip({3}))).abs().max().item<double>(), 1e-5);
}

TEST_F(WriteRival, ColoursCanBeExportedAndMovesOfPixelsSaySo) {
  const AuditMaterial m = material();
  const auto graph_of = [&](const std::string& id) {
    const Json parts = {{"symmetries", {{"rivals", {battery(id, "shown", 0.5)}}}}};
    const WeightSet set = read_weights(write_rival(m, parts, folder_ / "rival"));
    return onnx_graph(*load_generator(set, "a_to_b").generator, {3, "g"});
  };
  EXPECT_THAT(graph_of("symmetry:a:hue-120"), HasSubstr("colour.weight"));
  EXPECT_THAT(error_of([&] { graph_of("symmetry:a:hflip"); }), HasSubstr("hflip before it"));
}

TEST_F(WriteRival, RefusesWhatIsNoAffineChangeOfColours) {
  const Json parts = {{"symmetries", {{"rivals", {battery("symmetry:a:gamma", "shown", 0.5)}}}}};
  EXPECT_THAT(error_of([&] { write_rival(material(), parts, folder_ / "rival"); }), HasSubstr("'gamma'"));
  EXPECT_THAT(error_of([&] { write_rival(material(), Json::object(), folder_ / "rival"); }),
              HasSubstr("there is no rival to write"));
}

TEST_F(WriteRival, ANameNeedsAMapThatThereIs) {
  GeneratorOptions options;
  options.net_g = "before_hflip_resnet_1blocks";
  EXPECT_NO_THROW(make_generator(options));
  options.net_g = "before_twist_resnet_1blocks";
  EXPECT_THAT(error_of<UsageError>([&] { make_generator(options); }), HasSubstr("there is no map 'twist'"));
  NetworkChoice choice;
  choice.generator.net_g = "before_hflip_resnet_1blocks";
  EXPECT_THAT(error_of<UsageError>([&] { choice.validate(); }), HasSubstr("train resnet_1blocks"));
}

}  // namespace
}  // namespace torsor
