// The classifier of the MNIST experiment, on the glyphs that torsor draws.
#include "model/classifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "data/glyphs.h"
#include "data/labelled.h"
#include "data/loader.h"
#include "test_support.h"
#include "train/trainer.h"

namespace torsor {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

constexpr std::int64_t kSide = 16;

TransformOptions as_stored() {
  TransformOptions t;
  t.preprocess = "none";
  t.flip = false;
  return t;
}

std::shared_ptr<LabelledDataset> glyph_data(Split split, std::int64_t count) {
  return std::make_shared<LabelledDataset>(make_glyph_source(Domain::a, split, 0, count, kSide), as_stored(),
                                           1, std::make_shared<NullLog>());
}

Classifier small_classifier(std::uint64_t seed = 1) {
  ClassifierOptions options;
  options.side = kSide;
  options.width = 8;
  OptimizerOptions optimizer;
  optimizer.lr = 2e-3;
  optimizer.beta1 = 0.9;
  return {options, optimizer, Placement(), seed};
}

void train(Classifier& model, std::int64_t steps) {
  Loader loader(glyph_data(Split::train, 2000), LoaderOptions{32, 0, true, 5, 0});
  TrainState state(5);
  state.total_steps = steps;
  Trainer trainer(model, loader, Schedule(ScheduleOptions{}), std::move(state));
  trainer.run(StopFlag());
}

double accuracy(const Classifier& model) {
  const auto data = glyph_data(Split::test, 300);
  std::vector<Batch> items;
  Rng rng(0);
  for (std::int64_t i = 0; i < data->size(); ++i) items.push_back(data->get(i, rng));
  const Batch all = collate(items);
  return (model.predict(all.at("image")) == all.at("label")).to(at::kDouble).mean().item<double>();
}

TEST(Classifier, LearnsGlyphsThroughTheOneTrainer) {
  Classifier model = small_classifier();
  EXPECT_LT(accuracy(model), 0.4);
  train(model, 200);
  EXPECT_GT(accuracy(model), 0.9);
}

TEST(Classifier, SavedAndRestoredItGoesOnAsIfNothingHadBeen) {
  Classifier one = small_classifier(), other = small_classifier(7);
  train(one, 3);
  Archive archive;
  one.save(archive);
  other.load(archive);
  train(one, 3);
  train(other, 3);
  const auto a = one.networks()[0].network->parameters(), b = other.networks()[0].network->parameters();
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i].equal(b[i])) << i;
}

TEST(Classifier, RefusesSidesThatItCannotHalveTwice) {
  ClassifierOptions options;
  options.side = 30;
  EXPECT_THAT(error_of<UsageError>([&] { make_classifier(options); }), HasSubstr("multiples of 4"));
}

}  // namespace
}  // namespace torsor
