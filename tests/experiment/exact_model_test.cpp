// Many runs of a problem in closed form, trained side by side.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiment/exact_model.h"

namespace torsor {
namespace {

using ::testing::ElementsAre;

// (p - 3)^2 for every run.
ExactModel parabola(const at::Tensor& start) {
  OptimizerOptions optimizer;
  optimizer.lr = 0.1;
  return {{{"p", start}},
          [](const ExactParameters& p) {
            return ExactLosses{{"square", (p.at("p") - 3) * (p.at("p") - 3)}};
          },
          optimizer};
}

TEST(ExactModel, EachRunLearnsAsItWouldAlone) {
  const at::Tensor starts = at::tensor({0.0, 5.0, 100.0}, at::kDouble);
  StopFlag stop;
  ExactModel together = parabola(starts);
  std::vector<std::int64_t> seen;
  train_exact(together, {200, "cosine", 50}, stop,
              [&](std::int64_t step, const ExactParameters&) { seen.push_back(step); });
  EXPECT_THAT(seen, ElementsAre(0, 50, 100, 150, 200));
  const at::Tensor end = together.parameters().at("p");
  EXPECT_NEAR(end[0].item<double>(), 3, 3e-3);
  EXPECT_GT(end[2].item<double>(), 50) << "Adam moves by the rate: too far away";
  for (std::int64_t r = 0; r < 3; ++r) {
    ExactModel alone = parabola(starts.narrow(0, r, 1));
    train_exact(alone, {200}, stop);
    EXPECT_EQ(alone.parameters().at("p").item<double>(), end[r].item<double>());
  }
  EXPECT_EQ(starts[0].item<double>(), 0) << "the caller's tensor is its own";
}

}  // namespace
}  // namespace torsor
