// Weight initialisation, stored weights, and what single layers compute.
#include <algorithm>
#include <cmath>

#include "nn_test_support.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using testing::error_of;
using testing::generator_options;
using testing::initialised;
using testing::noise;

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

std::shared_ptr<Generator> wide_resnet(const std::string& norm = "batch") {
  GeneratorOptions options = generator_options("resnet_3blocks", norm);
  options.ngf = 16;
  return make_generator(options);
}

NamedTensors drawn(const InitOptions& options, std::uint64_t seed, at::ScalarType type = at::kFloat) {
  const auto network = wide_resnet();
  network->to(type);
  init_weights(*network, options, seed);
  return state_dict(*network);
}

NamedTensors convolutions(const NamedTensors& tensors) {
  NamedTensors out;
  for (const auto& item : tensors)
    if (item.second.dim() == 4) out.push_back(item);
  return out;
}

bool all_equal(const NamedTensors& a, const NamedTensors& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return at::equal(x.second.to(at::kFloat), y.second.to(at::kFloat));
  });
}

struct Spread {
  const char* type;
  double gain;
  // The standard deviation for fans in = shape[1] k k, out = shape[0] k k, also for transposed convolutions.
  double (*deviation)(double in, double out, double gain);
};

class NormalInits : public ::testing::TestWithParam<Spread> {};

TEST_P(NormalInits, HaveTheSpreadOfTheirFormula) {
  const auto& [type, gain, deviation] = GetParam();
  const NamedTensors weights = convolutions(drawn({type, gain}, 3));
  ASSERT_EQ(weights.size(), 3u + 6 + 3);
  for (const auto& [name, weight] : weights) {
    const double n = static_cast<double>(weight.numel());
    const double area = static_cast<double>(weight.size(2) * weight.size(3));
    const double in = static_cast<double>(weight.size(1)) * area,
                 out = static_cast<double>(weight.size(0)) * area;
    const double expected = deviation(in, out, gain);
    const at::Tensor w = weight.detach().to(at::kDouble);
    EXPECT_NEAR(w.std().item<double>() / expected, 1, 5 / std::sqrt(2 * n)) << name;
    EXPECT_NEAR(w.mean().item<double>() / expected, 0, 5 / std::sqrt(n)) << name;
    const double within = (w.abs() < expected).to(at::kDouble).mean().item<double>();
    EXPECT_NEAR(within, 0.6827, 5 * 0.466 / std::sqrt(n)) << name << ": not normal";
  }
}

double normal(double, double, double gain) { return gain; }
double xavier(double in, double out, double gain) { return gain * std::sqrt(2 / (in + out)); }
double kaiming(double in, double, double) { return std::sqrt(2 / in); }  // the gain is ignored

INSTANTIATE_TEST_SUITE_P(All, NormalInits,
                         ::testing::Values(Spread{"normal", 0.02, normal}, Spread{"normal", 0.5, normal},
                                           Spread{"xavier", 0.02, xavier}, Spread{"xavier", 1, xavier},
                                           Spread{"kaiming", 0.02, kaiming}, Spread{"kaiming", 1, kaiming}),
                         [](const auto& info) { return info.param.type + std::to_string(info.index); });

// The shorter side of the weight, flattened to shape[0] rows, is an orthonormal system times the gain.
TEST(OrthogonalInit, HasOrthogonalRowsOrColumnsOfTheGainsLength) {
  for (const double gain : {0.02, 1.5}) {
    const NamedTensors weights = convolutions(drawn({"orthogonal", gain}, 4));
    ASSERT_FALSE(weights.empty());
    for (const auto& [name, weight] : weights) {
      at::Tensor flat = weight.detach().flatten(1).to(at::kDouble) / gain;
      if (flat.size(0) > flat.size(1)) flat = flat.t();
      const at::Tensor product = flat.matmul(flat.t());
      const at::Tensor identity = at::eye(flat.size(0), at::kDouble);
      EXPECT_LT((product - identity).abs().max().item<double>(), 1e-5) << name;
    }
  }
}

// The decomposition's own signs would favour one half space.
TEST(OrthogonalInit, PrefersNoDirection) {
  double sum = 0;
  int count = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto conv = std::make_shared<Conv>(ConvShape{2, 2, 1});
    init_weights(*conv, {"orthogonal", 1}, seed);
    sum += conv->weight.detach().view(-1)[0].item<double>();
    ++count;
  }
  EXPECT_NEAR(sum / count, 0, 5 * std::sqrt(0.5 / count));
}

class Init : public ::testing::TestWithParam<std::string> {
 protected:
  InitOptions options_{GetParam(), 0.02};
};

TEST_P(Init, ZeroesBiasesAndDrawsNormWeightsAroundOne) {
  for (const char* norm : {"batch", "instance"}) {
    const auto network = wide_resnet(norm);
    at::NoGradGuard no_grad;
    for (auto& parameter : network->parameters()) parameter.fill_(7);
    options_.init_gain = 0.1;
    init_weights(*network, options_, 5);
    std::vector<at::Tensor> scales;
    for (const auto& [name, tensor] : state_dict(*network)) {
      if (name.ends_with(".bias")) {
        EXPECT_EQ(tensor.abs().max().item<float>(), 0) << name;
      }
      if (name.ends_with(".weight") && tensor.dim() == 1) scales.push_back(tensor);
      if (name.ends_with("running_mean")) {
        EXPECT_EQ(tensor.abs().max().item<float>(), 0) << name;
      }
      if (name.ends_with("running_var")) {
        EXPECT_TRUE(at::equal(tensor, at::ones_like(tensor))) << name;
      }
    }
    if (std::string(norm) == "instance") {
      EXPECT_TRUE(scales.empty());
      continue;
    }
    const at::Tensor all = at::cat(scales).to(at::kDouble);
    const double n = static_cast<double>(all.numel());
    EXPECT_NEAR(all.mean().item<double>(), 1, 5 * 0.1 / std::sqrt(n));
    EXPECT_NEAR(all.std().item<double>() / 0.1, 1, 5 / std::sqrt(2 * n));
  }
}

TEST_P(Init, FollowsTheSeedAndNothingElse) {
  at::manual_seed(1);
  const NamedTensors first = drawn(options_, 6);
  at::manual_seed(2);
  EXPECT_TRUE(all_equal(drawn(options_, 6), first));
  const NamedTensors other = drawn(options_, 7);
  const NamedTensors a = convolutions(first), b = convolutions(other);
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_FALSE(at::equal(a[i].second, b[i].second)) << a[i].first;
}

TEST_P(Init, LeavesTheGlobalGeneratorAlone) {
  at::manual_seed(3);
  const at::Tensor expected = at::rand({4});
  at::manual_seed(3);
  drawn(options_, 6);
  EXPECT_TRUE(at::equal(at::rand({4}), expected));
}

TEST_P(Init, DrawsEveryLayerAnew) {
  std::vector<at::Tensor> same_shape;
  for (const auto& [name, weight] : convolutions(drawn(options_, 6)))
    if (weight.sizes() == at::IntArrayRef({64, 64, 3, 3})) same_shape.push_back(weight);
  ASSERT_EQ(same_shape.size(), 6u);
  for (std::size_t i = 1; i < same_shape.size(); ++i)
    EXPECT_FALSE(at::equal(same_shape[0], same_shape[i])) << i;
}

TEST_P(Init, GivesADoubleNetworkTheSameNumbers) {
  EXPECT_TRUE(all_equal(drawn(options_, 8, at::kDouble), drawn(options_, 8)));
}

INSTANTIATE_TEST_SUITE_P(All, Init, ::testing::Values("normal", "xavier", "kaiming", "orthogonal"),
                         [](const auto& info) { return info.param; });

TEST(InitOptionsTest, WhereNothingIsSaidTheyAreTheReferences) {
  EXPECT_TRUE(all_equal(drawn({}, 6), drawn({"normal", 0.02}, 6)));
  EXPECT_TRUE(all_equal(drawn({"auto", 0.1}, 6), drawn({"normal", 0.1}, 6)));
  EXPECT_TRUE(all_equal(drawn({"xavier", {}}, 6), drawn({"xavier", 0.02}, 6)));
}

TEST(InitOptionsTest, UnknownTypesAndZeroGainsAreRefused) {
  const auto conv = std::make_shared<Conv>(ConvShape{1, 1, 1});
  EXPECT_THAT(error_of<UsageError>([&] {
                init_weights(*conv, {"kaimin", 1}, 0);
              }),
              AllOf(HasSubstr("'kaimin'"), HasSubstr("did you mean 'kaiming'?")));
  InitOptions options;
  OptionSet set;
  options.describe(set);
  EXPECT_EQ(options.init_type, "auto");
  EXPECT_FALSE(options.init_gain);
  EXPECT_THROW(set.from_json(Json{{"init_gain", 0}}, "run.json"), UsageError);
  EXPECT_THROW(set.from_json(Json{{"init_type", "zero"}}, "run.json"), UsageError);
}

class StoredWeights : public ::testing::Test {
 protected:
  std::shared_ptr<Generator> source_ =
      initialised(make_generator(generator_options("resnet_1blocks", "batch")), 1);
  std::shared_ptr<Generator> target_ =
      initialised(make_generator(generator_options("resnet_1blocks", "batch")), 2);
  std::vector<std::pair<std::string, at::Tensor>> values_ = state_dict(*source_);
  std::string refusal() {
    return error_of([&] { load_state_dict(*target_, values_, "old.pth"); });
  }
};

TEST_F(StoredWeights, AreCopiedWhateverTheirOrderAndType) {
  std::reverse(values_.begin(), values_.end());
  for (auto& [name, tensor] : values_)
    if (tensor.is_floating_point()) tensor = tensor.detach().to(at::kDouble);
  load_state_dict(*target_, values_, "old.pth");
  const auto source = state_dict(*source_), target = state_dict(*target_);
  for (std::size_t i = 0; i < source.size(); ++i) {
    EXPECT_TRUE(at::equal(source[i].second, target[i].second)) << source[i].first;
    EXPECT_FALSE(source[i].second.is_alias_of(target[i].second)) << source[i].first;
  }
}

TEST_F(StoredWeights, AMissingAnUnexpectedAndAMisshapenTensorAreNamed) {
  std::erase_if(values_, [](const auto& item) { return item.first == "model.1.weight"; });
  values_.emplace_back("model.99.weight", at::zeros({1}));
  for (auto& [name, tensor] : values_)
    if (name == "model.4.weight") tensor = at::zeros({4, 2, 5, 5});
  const auto before = target_->named_parameters()["model.7.weight"].detach().clone();
  EXPECT_THAT(refusal(), AllOf(StartsWith("old.pth: "), HasSubstr("missing: model.1.weight"),
                               HasSubstr("unexpected: model.99.weight"),
                               HasSubstr("model.4.weight is [4,2,5,5], expected [4,2,3,3]")));
  EXPECT_TRUE(at::equal(target_->named_parameters()["model.7.weight"], before))
      << "changed by a refused file";
}

TEST_F(StoredWeights, OfAnotherNetworkAreSummedUp) {
  values_.clear();
  EXPECT_THAT(refusal(),
              AllOf(HasSubstr("missing: model.1.weight"), HasSubstr(" more"), Not(HasSubstr("model.26"))));
}

// Old files carry statistics of instance norms that no module has.
TEST_F(StoredWeights, LeftoversOfInstanceNormsAreDropped) {
  const auto network = initialised(make_generator(generator_options("resnet_1blocks")));
  auto values = state_dict(*initialised(make_generator(generator_options("resnet_1blocks")), 9));
  for (const char* leftover : {"running_mean", "running_var", "num_batches_tracked"})
    values.emplace_back(std::string("model.2.") + leftover, at::zeros({2}));
  EXPECT_NO_THROW(load_state_dict(*network, values, "old.pth"));
  values.emplace_back("model.2.weight", at::zeros({2}));
  EXPECT_THAT(error_of([&] { load_state_dict(*network, values, "old.pth"); }),
              HasSubstr("unexpected: model.2.weight"));
}

TEST(InstanceNormTest, StandardisesEveryMapWithTheBiasedVariance) {
  InstanceNorm norm;
  const at::Tensor x = noise({2, 3, 4, 5}, 1).to(at::kDouble) * 3 + 2;
  const at::Tensor y = norm.forward(x);
  for (std::int64_t n = 0; n < 2; ++n)
    for (std::int64_t c = 0; c < 3; ++c) {
      const at::Tensor map = x[n][c], centred = map - map.sum() / 20;
      const at::Tensor expected = centred / (centred.square().sum() / 20 + 1e-5).sqrt();
      EXPECT_LT((y[n][c] - expected).abs().max().item<double>(), 1e-12);
    }
  norm.eval();
  EXPECT_TRUE(at::equal(norm.forward(x), y));
  EXPECT_TRUE(norm.parameters().empty());
  EXPECT_TRUE(norm.buffers().empty());
}

TEST(InstanceNormTest, ASinglePixelIsAnErrorThatSaysWhatToDo) {
  InstanceNorm norm;
  EXPECT_THAT(error_of([&] {
                norm.forward(noise({2, 3, 1, 1}, 1));
              }),
              AllOf(HasSubstr("1x1"), HasSubstr("larger")));
  EXPECT_NO_THROW(norm.forward(noise({2, 3, 1, 2}, 1)));
}

class BatchNormTest : public ::testing::Test {
 protected:
  BatchNormTest() {
    norm_->to(at::kDouble);
    at::NoGradGuard no_grad;
    norm_->weight.copy_(at::tensor({2.0, 0.5}));
    norm_->bias.copy_(at::tensor({-1.0, 3.0}));
  }
  /// x standardised with these statistics of each channel, then scaled and shifted.
  at::Tensor expected(const at::Tensor& x, const at::Tensor& mean, const at::Tensor& variance) {
    const auto by_channel = [](const at::Tensor& t) { return t.detach().view({1, 2, 1, 1}); };
    return (x - by_channel(mean)) / (by_channel(variance) + 1e-5).sqrt() * by_channel(norm_->weight) +
           by_channel(norm_->bias);
  }
  static double difference(const at::Tensor& a, const at::Tensor& b) {
    return (a - b).abs().max().item<double>();
  }

  std::shared_ptr<BatchNorm> norm_ = std::make_shared<BatchNorm>(2);
  at::Tensor x_ = noise({3, 2, 4, 5}, 2).to(at::kDouble) * 2 + 1;
  at::Tensor mean_ = x_.mean(at::IntArrayRef({0, 2, 3}));
  at::Tensor variance_ = x_.var(at::IntArrayRef({0, 2, 3}), /*unbiased=*/false);
};

TEST_F(BatchNormTest, UsesTheBatchWhileTrainingAndRemembersATenthOfIt) {
  EXPECT_LT(difference(norm_->forward(x_), expected(x_, mean_, variance_)), 1e-12);
  EXPECT_LT(difference(norm_->running_mean, 0.1 * mean_), 1e-12);
  EXPECT_LT(difference(norm_->running_var, 0.9 + 0.1 * variance_ * 60 / 59), 1e-12);
  EXPECT_EQ(norm_->num_batches_tracked.item<std::int64_t>(), 1);
}

TEST_F(BatchNormTest, UsesWhatItRemembersAtEvaluation) {
  norm_->forward(x_);
  norm_->eval();
  const at::Tensor mean = norm_->running_mean.clone(), variance = norm_->running_var.clone();
  EXPECT_LT(difference(norm_->forward(x_), expected(x_, mean, variance)), 1e-12);
  EXPECT_TRUE(at::equal(norm_->running_mean, mean));
  EXPECT_EQ(norm_->num_batches_tracked.item<std::int64_t>(), 1);
}

TEST_F(BatchNormTest, MayUseTheImagesOwnStatisticsAtEvaluation) {
  norm_->eval();
  set_norm_statistics(*norm_, NormStatistics::batch);
  EXPECT_LT(difference(norm_->forward(x_), expected(x_, mean_, variance_)), 1e-12);
  EXPECT_EQ(norm_->running_mean.abs().max().item<double>(), 0);
  EXPECT_EQ(norm_->num_batches_tracked.item<std::int64_t>(), 0);
  set_norm_statistics(*norm_, NormStatistics::running);
  EXPECT_LT(
      difference(norm_->forward(x_), expected(x_, at::zeros({2}, at::kDouble), at::ones({2}, at::kDouble))),
      1e-12);
}

TEST(DropoutTest, ZeroesWithItsProbabilityAndKeepsTheMean) {
  Dropout dropout(0.3);
  dropout.generator = testing::generator(1);
  const at::Tensor y = dropout.forward(at::ones({100, 1000}));
  const at::Tensor dropped = y == 0, kept = (y - 1 / 0.7).abs() < 1e-6;
  EXPECT_TRUE((dropped | kept).all().item<bool>());
  EXPECT_NEAR(dropped.to(at::kDouble).mean().item<double>(), 0.3, 5 * std::sqrt(0.21 / 1e5));
}

TEST(DropoutTest, PassesGradientsWhereItPassesValues) {
  Dropout dropout(0.5);
  dropout.generator = testing::generator(2);
  const at::Tensor x = at::full({1000}, 3.0).requires_grad_(true);
  const at::Tensor y = dropout.forward(x);
  y.sum().backward();
  EXPECT_TRUE(at::equal(x.grad() * 3, y));
}

TEST(DropoutTest, WithProbabilityZeroDrawsNothing) {
  Dropout dropout(0);
  const at::Tensor x = noise({10}, 1);
  EXPECT_TRUE(at::equal(dropout.forward(x), x));
}

TEST(Activations, AreTheReferences) {
  const at::Tensor x = at::tensor({-2.0F, -0.5F, 0.0F, 3.0F});
  EXPECT_TRUE(at::allclose(LeakyRelu().forward(x), at::tensor({-0.4F, -0.1F, 0.0F, 3.0F})));
  EXPECT_TRUE(at::allclose(Relu().forward(x), at::tensor({0.0F, 0.0F, 0.0F, 3.0F})));
  EXPECT_TRUE(at::allclose(Tanh().forward(x), at::tensor({-0.96402758F, -0.46211716F, 0.0F, 0.99505475F})));
}

TEST(ReflectionPadTest, MirrorsWithoutRepeatingTheEdge) {
  const at::Tensor y = ReflectionPad(2).forward(at::arange(9, at::kFloat).view({1, 1, 3, 3}));
  EXPECT_EQ(y.sizes(), at::IntArrayRef({1, 1, 7, 7}));
  EXPECT_TRUE(at::equal(y[0][0][2], at::tensor({2.0F, 1.0F, 0.0F, 1.0F, 2.0F, 1.0F, 0.0F})));
  EXPECT_TRUE(at::equal(y[0][0][0], at::tensor({8.0F, 7.0F, 6.0F, 7.0F, 8.0F, 7.0F, 6.0F})));
}

}  // namespace
}  // namespace torsor
