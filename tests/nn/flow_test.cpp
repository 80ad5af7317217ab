// Flows as generators: their network, both ways in time, gradients, what they refuse.
#include "nn/flow.h"

#include "flow_test_support.h"
#include "nn/reach.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using testing::noise;
using ::testing::StartsWith;
using testing::tensor_names;
using testing::flows::find_parameter;
using testing::flows::flow_of;
using testing::flows::flow_options;
using testing::flows::inverse_at;
using testing::flows::largest;
using testing::flows::picture;
using testing::flows::velocity_of;

TEST(Flow, IsASmallResnetWithATimeChannelAndNoNorm) {
  const auto flow = make_generator(flow_options());
  EXPECT_THAT(
      tensor_names(*flow),
      ElementsAre("velocity.model.1.weight", "velocity.model.1.bias", "velocity.model.3.conv_block.1.weight",
                  "velocity.model.3.conv_block.1.bias", "velocity.model.3.conv_block.4.weight",
                  "velocity.model.3.conv_block.4.bias", "velocity.model.4.conv_block.1.weight",
                  "velocity.model.4.conv_block.1.bias", "velocity.model.4.conv_block.4.weight",
                  "velocity.model.4.conv_block.4.bias", "velocity.model.6.weight", "velocity.model.6.bias"));
  const auto weights = state_dict(*flow);
  EXPECT_EQ(weights.front().second.sizes(), at::IntArrayRef({8, 4, 3, 3})) << "three channels and the time";
  EXPECT_EQ(weights[10].second.sizes(), at::IntArrayRef({3, 8, 3, 3}));
  EXPECT_EQ(parameter_count(*flow), (4 * 9 + 1) * 8 + 4 * (8 * 9 + 1) * 8 + (8 * 9 + 1) * 3);
}

TEST(Flow, OfUnsharedBlocksHasAVelocityForEachStep) {
  GeneratorOptions options = flow_options("euler", 3);
  options.flow_blocks = "own";
  const auto flow = flow_of(options);
  EXPECT_EQ(parameter_count(*flow), 3 * parameter_count(*make_generator(flow_options())));
  const at::NoGradGuard no_grad;
  at::Tensor x = picture({2, 3, 9, 7}), y = x;
  for (std::int64_t k = 0; k < 3; ++k)
    y = y + velocity_of(*flow, fmt::format("velocity_{}", k))->forward(y, static_cast<double>(k) / 3) / 3;
  EXPECT_LT(largest(flow->forward(x) - y), 1e-6) << "the plain residual network of the slides";
}

TEST(Flow, TakesEverySideAndLeavesItsOutputUnclamped) {
  const auto flow = flow_of(flow_options());
  const at::NoGradGuard no_grad;
  for (const auto& [h, w] : {std::pair{2, 2}, {9, 7}, {16, 16}})
    EXPECT_EQ(flow->forward(picture({1, 3, h, w})).sizes(), at::IntArrayRef({1, 3, h, w}));
  for (auto& [name, tensor] : state_dict(*flow))
    if (name.ends_with("6.bias")) tensor.fill_(3);
  EXPECT_GT(largest(flow->forward(picture({1, 3, 8, 8}))), 2);
}

TEST(Flow, ItsVelocityDependsOnTheTime) {
  const auto velocity = velocity_of(*flow_of(flow_options()));
  const at::NoGradGuard no_grad;
  const at::Tensor x = picture({1, 3, 8, 8});
  EXPECT_GT(largest(velocity->forward(x, 0) - velocity->forward(x, 1)), 1e-3);
}

// (1/K) sum |v_k|^2 = K sum |r_k|^2, which transport's block energy is.
TEST(Flow, ItsResidualsAreItsStepsInOrder) {
  const at::NoGradGuard no_grad;
  const at::Tensor x = picture({2, 3, 8, 8});
  for (const std::string& solver : ode_solvers()) {
    const auto flow = flow_of(flow_options(solver, 5));
    std::vector<at::Tensor> residuals;
    const at::Tensor y = flow->forward_with_residuals(x, residuals);
    EXPECT_TRUE(at::equal(y, flow->forward(x))) << solver;
    ASSERT_EQ(residuals.size(), 5u) << solver;
    at::Tensor state = x;
    for (std::size_t k = 0; k < residuals.size(); ++k) {
      if (solver == "euler") {
        const at::Tensor v = velocity_of(*flow)->forward(state, static_cast<double>(k) / 5);
        EXPECT_LT(largest(residuals[k] * 5 - v), 1e-5) << k;
      }
      state = state + residuals[k];
    }
    EXPECT_TRUE(at::equal(state, y)) << solver;
  }
}

double return_error_of(const std::string& solver, std::int64_t steps, double tolerance = 1e-3) {
  GeneratorOptions options = flow_options(solver, steps);
  options.flow_tolerance = tolerance;
  const auto flow = flow_of(options);
  flow->to(at::kDouble);
  return return_error(*flow, picture({1, 3, 6, 6}).to(at::kDouble)).value();
}

TEST(Flow, ComesBackTheBetterTheMoreSteps) {
  for (const char* solver : {"euler", "midpoint", "rk4"}) {
    const double few = return_error_of(solver, 2), many = return_error_of(solver, 32);
    EXPECT_GT(few, 1e-9) << solver << ": it moves images";
    EXPECT_LT(many, few / 8) << solver;
  }
  EXPECT_LT(return_error_of("rk4", 8), return_error_of("midpoint", 8));
  EXPECT_LT(return_error_of("midpoint", 8), return_error_of("euler", 8));
  // So steep a flow carries an error of its tolerance some hundred times as far on the way back.
  EXPECT_LT(return_error_of("dopri5", 1, 1e-5), 1e-2);
  EXPECT_LT(return_error_of("dopri5", 1, 1e-5), return_error_of("dopri5", 1, 1e-2) / 10);
}

TEST(Flow, OfUnsharedBlocksComesBackInTheirOrder) {
  GeneratorOptions options = flow_options("rk4", 4);
  options.flow_blocks = "own";
  const auto flow = flow_of(options);
  const at::Tensor x = picture({2, 3, 8, 8});
  const at::NoGradGuard no_grad;
  const at::Tensor y = flow->forward(x);
  EXPECT_LT(largest(inverse_at(*flow, y) - x), largest(y - x) / 50);
}

TEST(InverseOfAFlow, IsAGeneratorOfTheSameWeights) {
  const at::NoGradGuard no_grad;
  const auto flow = flow_of(flow_options());
  const auto inverse = inverse_of(flow);
  const at::Tensor x = picture({1, 3, 8, 8});
  EXPECT_TRUE(at::equal(inverse->forward(x), inverse_at(*flow, x)));
  EXPECT_TRUE(at::equal(inverse_at(*inverse, x), flow->forward(x)));
  for (auto& parameter : flow->parameters()) parameter.zero_();
  EXPECT_TRUE(at::equal(inverse->forward(x), x));
  EXPECT_EQ(inverse->size_rule().minimum, 2);
  EXPECT_THROW(inverse_of(make_generator(testing::generator_options("resnet_1blocks"))), std::logic_error);
  EXPECT_FALSE(return_error(*make_generator(testing::generator_options("resnet_1blocks")), x));
}

// Each on its own: what lies beside an image in a batch does not choose its steps.
TEST(Flow, StepsThatAdaptAreThoseOfEachImage) {
  GeneratorOptions options = flow_options("dopri5", 1);
  const auto flow = flow_of(options);
  const at::NoGradGuard no_grad;
  const at::Tensor calm = picture({1, 3, 8, 8}), wild = 40 * picture({1, 3, 8, 8}, 2);
  EXPECT_TRUE(at::equal(flow->forward(at::cat({calm, wild})).narrow(0, 0, 1), flow->forward(calm)));
}

TEST(FlowReach, IsThatOfItsStepsAndAllOfTheImageWhereTheyAdapt) {
  // Each velocity looks 1 + 2 * 2 + 1 pixels far, and midpoint asks for two in a step.
  EXPECT_EQ(reach_of(*make_generator(flow_options("euler", 3))), 3 * 6);
  EXPECT_EQ(reach_of(*make_generator(flow_options("midpoint", 3))), 3 * 2 * 6);
  EXPECT_EQ(reach_of(*make_generator(flow_options("rk4", 1))), 4 * 6);
  EXPECT_EQ(reach_of(*inverse_of(make_generator(flow_options("euler", 3)))), 3 * 6);
  EXPECT_EQ(reach_of(*make_generator(flow_options("dopri5", 3))), std::nullopt);
}

TEST(FlowEngine, KernelsAgreeWithLibtorchAndAreUsed) {
  const auto flow = flow_of(flow_options("euler", 2, 32));
  const at::Tensor x = picture({2, 3, 24, 20});
  const auto gradients = [&](Engine engine) {
    set_engine(*flow, engine);
    return gradients_of(*flow, x,
                        [&](const at::Tensor& image) { return flow->forward(image).square().sum(); });
  };
  const Gradients right = gradients(Engine::torch);
  ASSERT_TRUE(watch_engine(*flow));
  expect_equal_gradients(gradients(Engine::fast), right, 1e-4, "kernels");
  std::vector<std::string> by_kernel;
  for (const LayerPath& path : seen_paths(*flow))
    if (path.by_kernel) by_kernel.push_back(path.layers);
  if (chosen_isa() == Isa::plain) GTEST_SKIP() << "no kernels on this CPU";
  EXPECT_THAT(by_kernel, ::testing::IsSupersetOf({"3: PlainBlock", "4: PlainBlock"}));
}

TEST(FlowInit, KeepsSignalsAliveAndBeginsWithASmallMove) {
  const auto flow = make_generator(flow_options("midpoint", 4, 64));
  const auto deviation = [&](const std::string& key) {
    return find_parameter(*flow, key).std().item<double>();
  };
  init_weights(*flow, {}, 1);
  EXPECT_NEAR(deviation("velocity.model.3.conv_block.1.weight"), std::sqrt(2.0 / (64 * 9)), 1e-3);
  EXPECT_NEAR(deviation("velocity.model.6.weight"), 0.1 * std::sqrt(2.0 / (67 * 9)), 5e-4);
  const at::NoGradGuard no_grad;
  const at::Tensor x = picture({1, 3, 32, 32});
  const double move = (flow->forward(x) - x).square().mean().sqrt().item<double>();
  EXPECT_GT(move, 0.02);
  EXPECT_LT(move, 0.5);
}

TEST(FlowInit, OfOtherNetworksIsTheReferences) {
  GeneratorOptions options;
  options.net_g = "resnet_1blocks";
  options.ngf = 4;
  const auto weights = [&](const InitOptions& init) {
    const auto network = make_generator(options);
    init_weights(*network, init, 3);
    return state_dict(*network);
  };
  const auto by_default = weights({}), normal = weights({"normal", 0.02});
  ASSERT_EQ(by_default.size(), normal.size());
  for (std::size_t i = 0; i < normal.size(); ++i)
    EXPECT_TRUE(at::equal(by_default[i].second, normal[i].second)) << normal[i].first;
}

TEST(FlowInit, IsTheUsersWhereTheySay) {
  const auto flow = make_generator(flow_options("midpoint", 4, 64));
  const auto deviation = [&](const std::string& key) {
    return find_parameter(*flow, key).std().item<double>();
  };
  const std::string inner = "velocity.model.3.conv_block.1.weight", last = "velocity.model.6.weight";
  init_weights(*flow, {"normal", 0.02}, 1);
  EXPECT_NEAR(deviation(inner), 0.02, 1e-3);
  EXPECT_NEAR(deviation(last), 0.02, 1e-3);
  init_weights(*flow, {"normal", {}}, 1);
  EXPECT_NEAR(deviation(inner), 0.02, 1e-3);
  init_weights(*flow, {"auto", 1.0}, 1);
  EXPECT_NEAR(deviation(inner), std::sqrt(2.0 / (64 * 9)), 1e-3);
  EXPECT_NEAR(deviation(last), std::sqrt(2.0 / (67 * 9)), 5e-3);
}

TEST(FlowOptions, SayWhatAFlowCannotHave) {
  const auto refusal = [](GeneratorOptions options, const std::function<void(GeneratorOptions&)>& change) {
    change(options);
    return error_of<UsageError>([&] { make_generator(options); });
  };
  const GeneratorOptions flow = flow_options();
  EXPECT_THAT(refusal(flow, [](auto& o) { o.in_channels = 1; }),
              AllOf(HasSubstr("flow_2"), HasSubstr("1 and 3"), HasSubstr("--channels-a")));
  EXPECT_THAT(refusal(flow, [](auto& o) { o.dropout = true; }), HasSubstr("--no-dropout"));
  EXPECT_THAT(refusal(flow, [](auto& o) { o.net_g = "flow_0"; }), HasSubstr("from 1 to 64"));
  EXPECT_THAT(refusal(flow, [](auto& o) { o.net_g = "flow_65"; }), HasSubstr("from 1 to 64"));
  EXPECT_THAT(refusal(flow, [](auto& o) { o.net_g = "flow_<n>"; }), HasSubstr("put a number"));
  EXPECT_THAT(refusal(flow, [](auto& o) { o.upsample = "blur"; }), HasSubstr("--upsample"));
}

TEST(FlowOptions, AreThoseOfFlowsAlone) {
  const auto refusal = [](const std::function<void(GeneratorOptions&)>& change) {
    GeneratorOptions options = testing::generator_options("resnet_1blocks");
    change(options);
    return error_of<UsageError>([&] { make_generator(options); });
  };
  const auto names = [](const char* flag) {
    return AllOf(StartsWith("--net-g resnet_1blocks: "), HasSubstr(flag), HasSubstr("flow_2"));
  };
  EXPECT_THAT(refusal([](auto& o) { o.flow_solver = "rk4"; }), names("--flow-solver rk4"));
  EXPECT_THAT(refusal([](auto& o) { o.flow_steps = 9; }), names("--flow-steps 9"));
  EXPECT_THAT(refusal([](auto& o) { o.flow_tolerance = 0.1; }), names("--flow-tolerance 0.1"));
  EXPECT_THAT(refusal([](auto& o) { o.flow_blocks = "own"; }), names("--flow-blocks own"));
}

TEST(FlowOptions, MakeTheSameNetworkFromAFile) {
  GeneratorOptions options = flow_options("rk4", 7);
  options.flow_blocks = "own";
  const Json stored = options_to_json(options);
  EXPECT_EQ(stored.at("flow_solver"), "rk4");
  const auto again = make_generator(options_from_json<GeneratorOptions>(stored, "file"));
  EXPECT_EQ(tensor_names(*again), tensor_names(*make_generator(options)));
  Json older = stored;  // of a file that knows of no flows
  for (const char* key : {"flow_solver", "flow_steps", "flow_tolerance", "flow_blocks"}) older.erase(key);
  EXPECT_EQ(options_from_json<GeneratorOptions>(older, "file").flow_solver, "midpoint");
}

}  // namespace
}  // namespace torsor
