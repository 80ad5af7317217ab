// Worlds with a known truth: right translators score as right, others do not, and the files say the same.
#include "experiment/worlds.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "data/label_table.h"
#include "data/tensor_image.h"
#include "image/codec.h"
#include "test_support.h"

namespace torsor {
namespace {

using at::Tensor;
using testing::TestFolder;

constexpr std::int64_t kImages = 30;
constexpr WorldSize kSmall = {12, 4, 3, 2, 6};

// A translator that knows the truths of the images in their order; `hue` changes what they show.
TensorMapping knowing(const World& world, Domain source, double hue = 0) {
  auto next = std::make_shared<std::int64_t>(0);
  return [=, &world](const Tensor& images) {
    std::vector<Tensor> out;
    for (std::int64_t i = 0; i < images.size(0); ++i) {
      SceneTruth truth = translated(world, source, test_truth(source, (*next)++));
      truth.hue += hue;
      const Domain target = source == Domain::a ? Domain::b : Domain::a;
      out.push_back(to_tensor(world_image(world, target, truth), {}));
    }
    return at::stack(out);
  };
}

const TensorMapping kCopy = [](const Tensor& images) { return images; };

TEST(Worlds, RightTranslationsPassWithoutError) {
  for (const World& world : worlds())
    for (const Domain source : {Domain::a, Domain::b}) {
      const WorldDirection right = measure_world(world, source, knowing(world, source), kImages);
      EXPECT_LT(right.error, 0.01) << world.name;
      EXPECT_EQ(right.pass, 1) << world.name;
    }
}

TEST(Worlds, WrongHuesAreAnErrorAndRightShapes) {
  for (const World& world : worlds()) {
    const WorldDirection wrong = measure_world(world, Domain::a, knowing(world, Domain::a, 0.5), kImages);
    EXPECT_GT(wrong.error, 0.6) << world.name;
    EXPECT_EQ(wrong.pass, 1) << world.name;
    const WorldDirection right = measure_world(world, Domain::a, knowing(world, Domain::a), kImages);
    EXPECT_NEAR(shown_difference(world, right, wrong), wrong.error, 0.01) << world.name;
    EXPECT_EQ(shown_difference(world, wrong, wrong), 0);
  }
}

TEST(Worlds, TwentyDegreesOfHueAreTheLine) {
  const World& world = world_named("kept");
  const auto error = [&](double degrees) {
    return measure_world(world, Domain::a, knowing(world, Domain::a, degrees / 360), kImages).error;
  };
  EXPECT_LT(error(19), kRightError);
  EXPECT_GT(error(21), kRightError);
}

TEST(Worlds, CopiesKeepWhatIsShownAndFailByTheirShape) {
  const WorldDirection kept = measure_world(world_named("kept"), Domain::a, kCopy, kImages);
  EXPECT_LT(kept.error, 0.01);
  EXPECT_EQ(kept.pass, 0);
  EXPECT_NEAR(measure_world(world_named("turned"), Domain::a, kCopy, kImages).error, 0.866, 0.01);
  EXPECT_GT(measure_world(world_named("inverted"), Domain::a, kCopy, kImages).error, 0.6);
}

TEST(Worlds, TheColourWorldIsTheGeneratedTask) {
  const SceneTruth truth = test_truth(Domain::b, 3);
  const Image made = world_image(world_named("kept"), Domain::b, truth);
  const Image task = render_scene("circles-squares", Domain::b, truth, kWorldSide);
  for (std::int64_t i = 0; i < made.samples(); ++i) ASSERT_NEAR(made.u8()[i], task.u8()[i], 2);
}

TEST(Worlds, TranslationsComeBack) {
  for (const World& world : worlds()) {
    const SceneTruth truth = test_truth(Domain::a, 5);
    const SceneTruth back = translated(world, Domain::b, translated(world, Domain::a, truth));
    EXPECT_NEAR(back.hue, truth.hue, 1e-12);
  }
}

TEST(Worlds, FilesArePairsByNameAndLabelsThoseOfThePartner) {
  TestFolder folder;
  const World& world = world_named("turned");
  write_world(folder.path, world, kSmall);
  const WorldFolders files = world_folders(folder.path, world);
  for (const fs::path& pairs : {files.pairs_a, files.pairs_b})
    EXPECT_TRUE(fs::exists(pairs / "00002.png")) << pairs;
  EXPECT_TRUE(fs::exists(anchor_folder(folder.path, world, Domain::b, 2) / "00001.png"));
  EXPECT_EQ(read_image(files.test_b / "00003.png").bytes,
            world_image(world, Domain::b, test_truth(Domain::b, 3)).bytes);
  // An image of B belongs to the images of A whose hue is 120 degrees behind.
  const LabelTable labels(files.labels_b);
  const std::int64_t shown = world_class(training_truth(Domain::b, 7), kSmall.classes);
  EXPECT_EQ(labels.find("00007.png")->label, std::to_string((shown + 4) % 6));
}

TEST(Worlds, ThatDifferInTheTruthAloneShareTheirImages) {
  TestFolder folder;
  const WorldFolders kept = world_folders(folder.path, world_named("kept")),
                     turned = world_folders(folder.path, world_named("turned")),
                     inverted = world_folders(folder.path, world_named("inverted"));
  EXPECT_EQ(kept.train_a, turned.train_a);
  EXPECT_NE(kept.pairs_b, turned.pairs_b);
  EXPECT_NE(kept.train_a, inverted.train_a);
}

}  // namespace
}  // namespace torsor
