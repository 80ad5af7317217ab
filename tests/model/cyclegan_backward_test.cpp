// --backward grouped and joint: the same update but for rounding.
#include <functional>

#include "model/model_test_support.h"

namespace torsor::testing {
namespace {

struct Form {
  std::string name;
  std::function<void(CycleGanSpec&)> set;
};
void PrintTo(const Form& form, std::ostream* out) { *out << form.name; }

class BackwardForms : public ::testing::TestWithParam<Form> {};

struct Outcome {
  std::vector<StepReport> reports;
  Weights weights;
};

Outcome trained(const Form& form, const std::string& backward, c10::ScalarType dtype) {
  CycleGanSpec spec = tiny_spec();
  spec.cyclegan.pool_size = 2;
  form.set(spec);
  spec.cyclegan.backward = backward;
  Rig rig(spec, cpu(dtype));
  rig.batches.batch_size = 2;
  Outcome out;
  for (int step = 0; step < 3; ++step) out.reports.push_back(rig.step());
  out.weights = weights_of(rig.model);
  return out;
}

// Adam divides a gradient by its size: weights whose gradient is rounding alone move by the rate either way,
// so plain gradient descent, which is as exact as the gradients are.
TEST_P(BackwardForms, AgreeInWeightsStatisticsAndLosses) {
  const auto descending = [&](CycleGanSpec& spec) {
    GetParam().set(spec);
    spec.optimizer.optimizer = "sgd";
    spec.optimizer.lr = 1e-3;
  };
  for (const auto& [dtype, tolerance] : {std::pair{at::kDouble, 1e-12}, std::pair{at::kFloat, 3e-5}}) {
    const Form form{GetParam().name, descending};
    const Outcome joint = trained(form, "joint", dtype), grouped = trained(form, "grouped", dtype);
    for (std::size_t step = 0; step < joint.reports.size(); ++step)
      for (const auto& [name, value] : joint.reports[step].losses)
        EXPECT_NEAR(grouped.reports[step].loss(name), value, tolerance * (1 + std::abs(value)))
            << step << ' ' << name << ' ' << dtype;
    for (const auto& [name, right] : joint.weights) {
      const at::Tensor off = (grouped.weights.at(name) - right).to(at::kDouble).norm();
      EXPECT_LE(off.item<double>(), tolerance * (1 + right.to(at::kDouble).norm().item<double>()))
          << name << ' ' << dtype;
    }
  }
}

// Dropout's draws and the running statistics of batch norm are those of the reference's order of passes.
TEST_P(BackwardForms, TheFirstLossesAreTheSameBits) {
  const Outcome joint = trained(GetParam(), "joint", at::kFloat),
                grouped = trained(GetParam(), "grouped", at::kFloat);
  EXPECT_EQ(joint.reports[0].losses, grouped.reports[0].losses);
}

INSTANTIATE_TEST_SUITE_P(
    CycleGan, BackwardForms,
    ::testing::Values(Form{"target_identity", [](CycleGanSpec&) {}},
                      Form{"source_identity", [](CycleGanSpec& spec) { spec.cyclegan.alpha_id = 2; }},
                      Form{"source_identity_alone",
                           [](CycleGanSpec& spec) {
                             spec.cyclegan.alpha_id = 2;
                             spec.cyclegan.lambda_gan = 0;
                             spec.cyclegan.lambda_cycle_b = 0;
                           }},
                      Form{"batch_norm_and_dropout",
                           [](CycleGanSpec& spec) {
                             for (GeneratorOptions* g : {&spec.g_a_to_b, &spec.g_b_to_a}) {
                               g->norm = "batch";
                               g->dropout = true;
                             }
                             spec.d_a.norm = spec.d_b.norm = "batch";
                             spec.cyclegan.lambda_cycle_a = 0;
                           }},
                      Form{"wgangp", [](CycleGanSpec& spec) { spec.gan.gan_mode = "wgangp"; }},
                      Form{"no_adversary", [](CycleGanSpec& spec) { spec.cyclegan.lambda_gan = 0; }},
                      Form{"one_adversary", [](CycleGanSpec& spec) { spec.cyclegan.lambda_gan_a = 0; }},
                      Form{"every_term",
                           [](CycleGanSpec& spec) {
                             spec.cyclegan.lambda_gan_cycle = 0.5;
                             spec.cyclegan.lambda_feature_cycle = 2;
                             spec.cyclegan.lambda_feature_identity = 1;
                             spec.cyclegan.cycle_norm = "euclidean";
                           }}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace torsor::testing
