// The options against ambiguity, what follows from the files that they name, and the encoder.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "model/cures_test_support.h"
#include "model/cyclegan_settings.h"
#include "model/model_file.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// --- options ---

TEST(CureOptionsChecked, TwoThatGoTogetherAndWeightsOfWhatIsThere) {
  const auto refusal = [](const std::function<void(CureOptions&)>& set) {
    CureOptions o;
    set(o);
    return error_of<UsageError>([&] { o.validate(); });
  };
  EXPECT_THAT(refusal([](CureOptions& o) { o.anchors_a = "x"; }), HasSubstr("--anchors-b is missing"));
  EXPECT_THAT(refusal([](CureOptions& o) { o.anchors_b = "x"; }), HasSubstr("--anchors-a is missing"));
  EXPECT_THAT(refusal([](CureOptions& o) { o.lambda_anchor = 1; }), HasSubstr("--lambda-anchor"));
  EXPECT_THAT(refusal([](CureOptions& o) { o.lambda_content = 1; }), HasSubstr("--content-encoder"));
  EXPECT_THAT(refusal([](CureOptions& o) { o.content_encoder = "x"; }), HasSubstr("--init-from"));
  EXPECT_THAT(refusal([](CureOptions& o) { o.content_hash = "x"; }), HasSubstr("--content-encoder"));
  EXPECT_THAT(refusal([](CureOptions& o) { o.labels_b = "x"; }), HasSubstr("--labels-a is missing"));
  EXPECT_THAT(refusal([](CureOptions& o) { o.labels_a = o.labels_b = "x"; }), HasSubstr("--labels-a"));
  EXPECT_THAT(refusal([](CureOptions& o) { o.label_classes = "[\"x\",\"y\"]"; }), HasSubstr("--labels-a"));
  CureOptions damaged;
  damaged.label_classes = "[1,";
  EXPECT_THAT(error_of<UsageError>([&] { damaged.classes(); }), HasSubstr("label_classes"));
  CureOptions off;
  off.lambda_anchor = off.lambda_content = 0;
  EXPECT_NO_THROW(off.validate());
}

TEST(CureOptionsChecked, ClassesAreThoseOfBothTables) {
  const TestFolder folder;
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(folder / name) << text;
    return (folder / name).string();
  };
  CureOptions o;
  o.labels_a = write("a.csv", "name,label\n1,ring\n2,disc\n");
  o.labels_b = write("b.csv", "1,disc\n2,ring\n3,ring\n");
  o.read_files();
  EXPECT_THAT(o.classes(), ElementsAre("disc", "ring"));
  o.labels_b = write("c.csv", "1,disc\n2,square\n3,ring\n");
  EXPECT_THAT(error_of([&] { o.read_files(); }),
              AllOf(HasSubstr("c.csv:2"), HasSubstr("'square'"), HasSubstr("a.csv")));
  o.labels_b = write("d.csv", "1,disc\n");
  EXPECT_THAT(error_of([&] { o.read_files(); }), AllOf(HasSubstr("a.csv:2"), HasSubstr("'ring'")));
  o.labels_a = o.labels_b;
  EXPECT_THAT(error_of([&] { o.read_files(); }), HasSubstr("1 class"));
}

TEST(CureOptionsChecked, ADiscriminatorOfClassesIsNoneOfImagesAlone) {
  CycleGanSettings settings;
  CycleGanSpec spec;
  settings.cyclegan.cures.labels_a = settings.cyclegan.cures.labels_b = "x";
  settings.cyclegan.cures.label_classes = R"(["x","y","z"])";
  ModelInfo info;
  info.networks = settings.networks({1, 3});
  info.anchors = {"0a", "1b"};
  const ModelInfo back = ModelInfo::from_json(info.to_json(), "test", kModelFormat);
  EXPECT_EQ(back.to_json(), info.to_json());
  EXPECT_EQ(back.anchors, info.anchors);
  EXPECT_EQ(find_discriminator(back, {"a"}), nullptr);
  const NetworkInfo& d_a = back.networks.at(2);
  EXPECT_EQ(d_a.name, "d_a");
  EXPECT_THAT(d_a.sees, ElementsAre("a"));
  EXPECT_THAT(d_a.labels, ElementsAre("x", "y", "z"));
  EXPECT_EQ(d_a.options.at("in_channels"), 4);
  EXPECT_FALSE(info.to_json().at("networks")[2].contains("sees"))
      << "who knows of no classes must not use it";
  settings.cyclegan.cures = {};
  info.networks = settings.networks({1, 3});
  EXPECT_NE(find_discriminator(info, {"a"}), nullptr);
}

// --- the encoder ---

TEST(Encoder, ShowsImagesOfEitherDomainAsTheClassifierTakesThem) {
  const TestFolder folder;
  const ContentEncoder grey(write_classifier(folder, 1));
  const at::Tensor x = image_noise({2, 1, 8, 8}, 1).to(at::kFloat);
  const at::Tensor features = grey(x);
  EXPECT_EQ(features.size(0), 2);
  EXPECT_EQ(features.dim(), 2);
  EXPECT_TRUE(at::allclose(grey(x.expand({2, 3, 8, 8})), features, 1e-4, 1e-5)) << "grey RGB is grey";
  const at::Tensor pixels = x.repeat_interleave(2, 2).repeat_interleave(2, 3);
  EXPECT_EQ(classifier_input(pixels,
                             [] {
                               ClassifierOptions o;
                               o.side = 8;
                               return o;
                             }())
                .sizes(),
            at::IntArrayRef({2, 1, 8, 8}));
  EXPECT_FALSE(at::allclose(grey(-x), features));
  EXPECT_NO_THROW(grey.require_channels(3));
  EXPECT_THAT(error_of<UsageError>([&] { grey.require_channels(4); }),
              AllOf(HasSubstr("--content-encoder"), HasSubstr("classifier.safetensors"), HasSubstr("4")));
}

TEST(Encoder, GivesImagesAGradientAndItsOwnWeightsNone) {
  const TestFolder folder;
  CycleGanSpec spec = tiny_spec();
  encode(spec, write_classifier(folder, 3));
  const at::Tensor x = image_noise({1, 3, 16, 16}, 1).to(at::kFloat).requires_grad_(true);
  (*spec.encoder)(x).sum().backward();
  EXPECT_GT(x.grad().abs().sum().item<double>(), 0);
  const std::string before = spec.encoder->hash();
  Rig rig(spec);
  const at::Tensor seen = (*spec.encoder)(x.detach());
  rig.step();
  EXPECT_TRUE(at::equal((*spec.encoder)(x.detach()), seen)) << "neither weights nor statistics move";
  EXPECT_FALSE(seen.requires_grad());
  EXPECT_EQ(spec.encoder->hash(), before);
  EXPECT_EQ(rig.model.networks().size(), 4U);
}

TEST(Encoder, IsToldByItsWeightsAndNothingElseIsOne) {
  const TestFolder folder;
  const std::string first = ContentEncoder(write_classifier(folder, 3)).hash();
  EXPECT_EQ(ContentEncoder(write_classifier(folder, 3)).hash(), first);
  EXPECT_NE(ContentEncoder(write_classifier(folder, 3, 4)).hash(), first);
  Archive other;
  other.put("net/classifier/x", at::zeros({1}));
  other.write(folder / "other.safetensors", {});
  EXPECT_THAT(error_of([&] { ContentEncoder(folder / "other.safetensors"); }),
              AllOf(HasSubstr("other.safetensors"), HasSubstr("no classifier")));
}

TEST(Encoder, OfOtherWeightsThanTheRunBeganWithIsRefused) {
  const TestFolder folder;
  CycleGanSettings settings;
  settings.nets.generator.net_g = "resnet_1blocks";
  settings.nets.generator.ngf = settings.nets.discriminator.ndf = 2;
  settings.cyclegan.cures.content_encoder = write_classifier(folder, 3).string();
  settings.read_files();
  EXPECT_NO_THROW(settings.make({3, 3}, {}, cpu(), 1));
  EXPECT_THAT(error_of<UsageError>([&] {
                settings.make({3, 5}, {}, cpu(), 1);
              }),
              HasSubstr("--content-encoder"));
  write_classifier(folder, 3, 5);
  EXPECT_THAT(error_of<UsageError>([&] { settings.make({3, 3}, {}, cpu(), 1); }), HasSubstr("other weights"));
}

}  // namespace
}  // namespace torsor::testing
