// The moving average of the generators' weights: its values by hand, and that whoever looks through it leaves
// no trace.
#include "model/weight_average.h"
#include "model/average_scope.h"

#include "model/model_test_support.h"

namespace torsor::testing {
namespace {

constexpr double kDecay = 0.3;  // smaller than (1 + t) / (10 + t) from the fourth step on

at::Tensor weight(const Model& model, const std::string& key = "model.1.weight") {
  return network(model, "g_a_to_b")->named_parameters()[key].detach();
}

TEST(WeightAverage, FollowsTheFormula) {
  Rig rig(tiny_spec(), cpu(at::kDouble));
  rig.model.keep_average(kDecay);
  at::Tensor expected = weight(rig.model).clone();
  for (int t = 1; t <= 6; ++t) {
    rig.step();
    rig.model.update_average();
    const double decay = std::min(kDecay, (1.0 + t) / (10.0 + t));
    expected = decay * expected + (1 - decay) * weight(rig.model);
    const at::Tensor averaged = find_tensor(*rig.model.average()->of("g_a_to_b"), "model.1.weight");
    EXPECT_TRUE(at::allclose(averaged, expected, 1e-13, 1e-15)) << "step " << t;
    EXPECT_FALSE(at::equal(averaged, weight(rig.model)));
  }
}

TEST(WeightAverage, IsOfGeneratorsAlone) {
  Rig rig(tiny_spec());
  rig.model.keep_average(kDecay);
  EXPECT_NE(rig.model.average()->of("g_b_to_a"), nullptr);
  EXPECT_EQ(rig.model.average()->of("d_a"), nullptr);
}

TEST(WeightAverage, CopiesRunningStatistics) {
  CycleGanSpec spec = tiny_spec();
  for (GeneratorOptions* g : {&spec.g_a_to_b, &spec.g_b_to_a}) g->norm = "batch";
  Rig rig(spec);
  rig.model.keep_average(0.999);
  for (int i = 0; i < 2; ++i) {
    rig.step();
    rig.model.update_average();
  }
  const auto live = state_dict(*network(rig.model, "g_a_to_b"));
  int buffers = 0;
  for (const auto& [key, tensor] : live)
    if (key.find("running_") != std::string::npos) {
      EXPECT_TRUE(at::equal(tensor, find_tensor(*rig.model.average()->of("g_a_to_b"), key))) << key;
      ++buffers;
    }
  EXPECT_GT(buffers, 0);
}

TEST(WeightAverage, ScopeShowsItAndRestoresTheWeightsToTheBit) {
  Rig rig(tiny_spec());
  rig.model.keep_average(0.999);
  rig.step();
  rig.model.update_average();
  const Weights before = weights_of(rig.model);
  {
    const AverageScope scope(rig.model);
    for (const auto& [key, tensor] : *rig.model.average()->of("g_b_to_a"))
      EXPECT_TRUE(at::equal(weights_of(rig.model).at("g_b_to_a " + key), tensor)) << key;
    EXPECT_EQ(first_difference(before, weights_of(rig.model), "d_"), "");
    EXPECT_NE(first_difference(before, weights_of(rig.model), "g_a_to_b"), "");
  }
  EXPECT_EQ(first_difference(before, weights_of(rig.model)), "");
}

TEST(WeightAverage, DoesNotChangeTheSteps) {
  Rig with(tiny_spec()), without(tiny_spec());
  with.model.keep_average(0.99);
  for (int i = 0; i < 3; ++i) {
    with.step();
    with.model.update_average();
    { const AverageScope scope(with.model); }
    without.step();
    without.model.update_average();  // keeps none
  }
  EXPECT_EQ(first_difference(weights_of(with.model), weights_of(without.model)), "");
}

TEST(WeightAverage, IsSavedAndRestored) {
  Rig rig(tiny_spec()), other(tiny_spec(), cpu(), 2);
  rig.model.keep_average(0.9);
  other.model.keep_average(0.9);
  for (int i = 0; i < 3; ++i) {
    rig.step();
    rig.model.update_average();
  }
  Archive archive;
  rig.model.save(archive);
  other.model.load(archive);
  other.batches.next_index = rig.batches.next_index;
  other.rng = rig.rng;
  for (Rig* each : {&rig, &other}) {
    each->step();
    each->model.update_average();
  }
  for (const auto& [key, tensor] : *rig.model.average()->of("g_a_to_b"))
    EXPECT_TRUE(at::equal(tensor, find_tensor(*other.model.average()->of("g_a_to_b"), key))) << key;
}

TEST(WeightAverage, RefusesDecaysThatAverageNothing) {
  Rig rig(tiny_spec());
  EXPECT_THROW(rig.model.keep_average(1), UsageError);
  EXPECT_THROW(rig.model.keep_average(0), UsageError);
}

}  // namespace
}  // namespace torsor::testing
