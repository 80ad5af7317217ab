// Gradients of flows, whose steps are computed again on the way back.
#include <ATen/autocast_mode.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <torch/autograd.h>

#include <atomic>

#include "flow_test_support.h"

namespace torsor {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::flows::flow_of;
using testing::flows::flow_options;
using testing::flows::picture;
using testing::flows::velocity_of;

using Gradients = std::vector<at::Tensor>;

// Of a weighted sum of outputs, and of a residual, with respect to the image and all parameters.
Gradients gradients_of(Generator& flow, const at::Tensor& image,
                       const std::function<at::Tensor(const at::Tensor&)>& loss) {
  flow.zero_grad();
  const at::Tensor x = image.clone().requires_grad_(true);
  loss(x).backward();
  Gradients out = {x.grad()};
  for (const auto& parameter : flow.parameters()) out.push_back(parameter.grad().clone());
  return out;
}

// The same steps, of which autograd keeps everything.
at::Tensor plainly(const Generator& flow, const GeneratorOptions& o, at::Tensor x) {
  const RungeKutta& method = runge_kutta(o.flow_solver);
  const auto steps = static_cast<double>(o.flow_steps);
  for (std::int64_t k = 0; k < o.flow_steps; ++k) {
    const auto velocity =
        velocity_of(flow, o.flow_blocks == "own" ? fmt::format("velocity_{}", k) : "velocity");
    const VelocityField v = [&](const at::Tensor& y, double t) { return velocity->forward(y, t); };
    std::vector<OdeStep> all = {{static_cast<double>(k) / steps, 1 / steps}};
    if (method.adapts()) {
      const auto taken = adaptive_steps(method, v, x.detach(), all.front(), o.flow_tolerance);
      all.clear();
      for (const TakenStep& each : taken) all.push_back(each.step);
    }
    for (const OdeStep& step : all) x = x + ode_increment(method, v, x, step);
  }
  return x;
}

void expect_equal_gradients(const Gradients& found, const Gradients& right, double tolerance,
                            const std::string& what) {
  ASSERT_EQ(found.size(), right.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_LT((found[i] - right[i]).norm().item<double>(), tolerance * right[i].norm().item<double>())
        << what << ", tensor " << i;
}

TEST(FlowGradients, AreThoseOfPlainBackpropagation) {
  for (const std::string& solver : ode_solvers())
    for (const char* blocks : {"shared", "own"}) {
      GeneratorOptions options = flow_options(solver, 3);
      options.flow_blocks = blocks;
      const auto flow = flow_of(options);
      const at::Tensor x = picture({1, 3, 8, 8}), weight = noise({1, 3, 8, 8}, 3);
      const Gradients found = gradients_of(
          *flow, x, [&](const at::Tensor& image) { return (flow->forward(image) * weight).sum(); });
      const Gradients right = gradients_of(
          *flow, x, [&](const at::Tensor& image) { return (plainly(*flow, options, image) * weight).sum(); });
      expect_equal_gradients(found, right, 2e-5, solver + " " + blocks);
    }
}

TEST(FlowGradients, ReachThroughResiduals) {
  const GeneratorOptions options = flow_options("euler", 2);
  const auto flow = flow_of(options);
  const at::Tensor x = picture({2, 3, 8, 8});
  const Gradients found = gradients_of(*flow, x, [&](const at::Tensor& image) {
    std::vector<at::Tensor> residuals;
    flow->forward_with_residuals(image, residuals);
    return (residuals[0].square().sum() + residuals[1].square().sum());
  });
  const Gradients right = gradients_of(*flow, x, [&](const at::Tensor& image) {
    const auto velocity = velocity_of(*flow);
    const at::Tensor first = velocity->forward(image, 0) / 2;
    return first.square().sum() + (velocity->forward(image + first, 0.5) / 2).square().sum();
  });
  expect_equal_gradients(found, right, 1e-5, "residuals");
}

// The backward pass computes steps again outside of the scope that the forward pass was in.
TEST(FlowGradients, AreThoseOfTheForwardPasssNumberFormat) {
  const GeneratorOptions options = flow_options("midpoint", 2);
  const auto flow = flow_of(options);
  const at::Tensor x = picture({1, 3, 8, 8});
  const auto in_bfloat16 = [](const std::function<at::Tensor()>& compute) {
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    const at::Tensor out = compute();
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
    return out.to(at::kFloat).square().sum();
  };
  const Gradients found = gradients_of(
      *flow, x, [&](const at::Tensor& image) { return in_bfloat16([&] { return flow->forward(image); }); });
  EXPECT_FALSE(at::autocast::is_autocast_enabled(at::kCPU));
  const Gradients right = gradients_of(*flow, x, [&](const at::Tensor& image) {
    return in_bfloat16([&] { return plainly(*flow, options, image); });
  });
  // Weights gather their gradients over the steps in bfloat16 there, in float32 here.
  expect_equal_gradients({found[0]}, {right[0]}, 1e-5, "bfloat16, the image");
  expect_equal_gradients(found, right, 1e-2, "bfloat16");
}

TEST(FlowGradients, CannotBeDifferentiatedAgainAndSaySo) {
  const auto flow = flow_of(flow_options());
  const at::Tensor x = picture({1, 3, 8, 8}).requires_grad_(true);
  EXPECT_THAT(error_of([&] {
                torch::autograd::grad({flow->forward(x).sum()}, {x}, {}, /*retain_graph=*/true,
                                      /*create_graph=*/true);
              }),
              HasSubstr("cannot be differentiated again"));
}

TEST(FlowGradients, GoWithoutThoseThatAreFrozen) {
  const auto flow = flow_of(flow_options());
  for (auto& parameter : flow->parameters()) parameter.requires_grad_(false);
  const at::Tensor x = picture({1, 3, 8, 8}).requires_grad_(true);
  flow->forward(x).sum().backward();
  EXPECT_TRUE(x.grad().defined());
  for (const auto& parameter : flow->parameters()) EXPECT_FALSE(parameter.grad().defined());
}

// Bytes of tensors that live, and the most at a time.
class TensorBytes : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, std::int64_t bytes, std::size_t, std::size_t, c10::Device) override {
    most_ = std::max(most_.load(), now_ += bytes);
  }
  bool memoryProfilingEnabled() const override { return true; }
  std::int64_t now() const { return now_; }
  std::int64_t most() const { return most_; }

 private:
  std::atomic<std::int64_t> now_{0}, most_{0};
};

struct StepMemory {
  std::int64_t kept = 0, most = 0;  // between the passes, and in both
};

StepMemory memory_of(Generator& flow, const at::Tensor& x,
                     const std::function<at::Tensor(const at::Tensor&)>& forward) {
  flow.zero_grad();
  const auto bytes = std::make_shared<TensorBytes>();
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, bytes);
  StepMemory out;
  const at::Tensor loss = forward(x).square().sum();
  out.kept = bytes->now();
  loss.backward();
  out.most = bytes->most();
  return out;
}

TEST(FlowGradients, TakeTheMemoryOfOneStepWhateverTheirNumber) {
  const at::Tensor x = picture({1, 3, 16, 16});
  const std::int64_t image = x.numel() * 4;
  const auto memory = [&](std::int64_t steps) {
    const GeneratorOptions options = flow_options("midpoint", steps, 32);
    const auto flow = flow_of(options);
    return std::pair{memory_of(*flow, x, [&](const at::Tensor& y) { return flow->forward(y); }),
                     memory_of(*flow, x, [&](const at::Tensor& y) { return plainly(*flow, options, y); })};
  };
  const auto [few, few_plain] = memory(2);
  const auto [many, many_plain] = memory(12);
  EXPECT_LE(many.kept - few.kept, 3 * 10 * image) << "a state and its increment for each step";
  EXPECT_LE(many.most - few.most, 4 * 10 * image);
  EXPECT_GT(many_plain.kept - few_plain.kept, 100 * 10 * image) << "this is what it saves";
  EXPECT_LT(many.most, many_plain.most / 5);
}

}  // namespace
}  // namespace torsor
