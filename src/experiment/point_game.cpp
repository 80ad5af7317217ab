#include "experiment/point_game.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>
#include <optional>
#include <stdexcept>

#include "loss/gan_loss.h"
#include "model/step_support.h"
#include "theory/coupling_flow.h"
#include "theory/planar_sets.h"

namespace torsor {

namespace {

using at::Tensor;

constexpr std::int64_t kScoreWidth = 64;  // hidden units of a discriminator

// N(0, I) to a normal distribution with these deviations, one after the other along the axes.
PointProblem gaussian_problem(const std::string& name, std::int64_t dimension,
                              const std::vector<double>& deviations) {
  std::vector<double> scale;
  double least = 0;
  for (std::int64_t k = 0; k < dimension; ++k) {
    scale.push_back(deviations[static_cast<std::size_t>(k) % deviations.size()]);
    least += (scale.back() - 1) * (scale.back() - 1) / static_cast<double>(dimension);
  }
  const Tensor widths = at::tensor(scale, at::kDouble);
  return {name, dimension,
          [dimension](std::int64_t count, Rng& rng) { return random_normal(count, dimension, rng); },
          [dimension, widths](std::int64_t count, Rng& rng) {
            return random_normal(count, dimension, rng) * widths;
          },
          least};
}

PointProblem planar_problem(const std::string& from, const std::string& to) {
  const auto draw = [](const std::string& set) -> PointProblem::Draw {
    return [set](std::int64_t count, Rng& rng) { return planar_points(set, count, rng); };
  };
  return {from + " to " + to, 2, draw(from), draw(to)};
}

PointProblem ring_to_itself() {
  PointProblem out = planar_problem("ring", "ring");
  out.name = "ring to itself";
  const double angle = 2 * std::numbers::pi / 3;
  const Tensor turn =
      at::tensor({std::cos(angle), std::sin(angle), -std::sin(angle), std::cos(angle)}, at::kFloat)
          .view({2, 2});
  out.least = 0;
  out.truths = {{"kept", [](const Tensor& x) { return x; }},
                {"turned", [turn](const Tensor& x) { return at::matmul(x, turn); }}};
  return out;
}

// One item: as many points of both sets as a step sees.
class DrawnPoints : public Dataset {
 public:
  DrawnPoints(const PointProblem& problem, std::int64_t batch) : problem_(problem), batch_(batch) {}
  std::int64_t size() const override { return 1; }
  Batch get(std::int64_t, Rng& rng) const override {
    Batch out;
    out.tensors["real_a"] = problem_.a(batch_, rng).to(at::kFloat);
    out.tensors["real_b"] = problem_.b(batch_, rng).to(at::kFloat);
    return out;
  }

 private:
  const PointProblem& problem_;
  std::int64_t batch_;
};

VectorWeights with_prefix(const std::string& prefix, const VectorWeights& weights) {
  VectorWeights out;
  for (const auto& [name, value] : weights) out[prefix + name] = value;
  return out;
}

VectorWeights part_of(const Network& network, const std::string& prefix) {
  VectorWeights out;
  for (const auto& [name, value] : parameters_of(network))
    if (name.starts_with(prefix)) out[name.substr(prefix.size())] = value;
  return out;
}

class PointGame : public Model {
 public:
  PointGame(const PointArm& arm, const PointScale& scale, std::uint64_t seed)
      : arm_(arm), gan_(gan_loss("lsgan")) {
    RngStreams rng(seed);
    const std::int64_t d = arm.network.dimension;
    VectorWeights generators =
        with_prefix("g/", start_vector_network(arm.network, scale.runs, arm.gain, rng["init.g_a_to_b"]));
    VectorWeights discriminators =
        with_prefix("b/", start_vector_discriminator(d, kScoreWidth, scale.runs, rng["init.d_b"]));
    if (has_way_back()) {
      generators.merge(
          with_prefix("f/", start_vector_network(arm.network, scale.runs, arm.gain, rng["init.g_b_to_a"])));
      discriminators.merge(
          with_prefix("a/", start_vector_discriminator(d, kScoreWidth, scale.runs, rng["init.d_a"])));
    }
    generators_ = make_parameter_network(generators);
    discriminators_ = make_parameter_network(discriminators);
    OptimizerOptions optimizer;
    optimizer.lr = scale.rate;
    opt_g_.emplace("opt_g", optimizer, generators_->parameters());
    opt_d_.emplace("opt_d", optimizer, discriminators_->parameters());
  }

  StepReport step(StepContext& context) override {
    StepReport report;
    const Batch batch = pull_batch(context, report);
    const Tensor &real_a = batch.at("real_a"), &real_b = batch.at("real_b");  // [1,n,d]
    const Tensor fake_b = there(real_a), fake_a = has_way_back() ? back(real_b) : Tensor();
    update_generators(real_a, real_b, fake_b, fake_a, context, report);
    update_discriminators(real_a, real_b, fake_b.detach(), fake_a.defined() ? fake_a.detach() : fake_a,
                          context, report);
    return report;
  }

  std::vector<NamedNetwork> networks() const override {
    return {{"generators", generators_}, {"discriminators", discriminators_}};
  }
  std::vector<Optimizer*> optimizers() override { return {&*opt_g_, &*opt_d_}; }
  std::vector<std::vector<LabelledImages>> sample(const Batch&) override { return {}; }
  std::vector<std::string> loss_names() const override { return {"g", "d"}; }

  VectorWeights generator(const char* prefix) const {
    VectorWeights out = part_of(*generators_, prefix);
    for (auto& [name, value] : out) value = value.detach().clone();
    return out;
  }

 private:
  bool has_way_back() const { return arm_.way_back == WayBack::trained; }

  Tensor there(const Tensor& x) const {
    return vector_pass(arm_.network, part_of(*generators_, "g/"), x).out;
  }
  Tensor back(const Tensor& y) const { return vector_pass(arm_.network, part_of(*generators_, "f/"), y).out; }
  Tensor scores(const char* domain, const Tensor& x) const {
    return vector_scores(part_of(*discriminators_, domain), x);
  }

  // Means over each run's points; runs do not meet in the sum.
  static Tensor over_runs(const Tensor& value, std::int64_t runs) {
    return value * static_cast<double>(runs);
  }

  void update_generators(const Tensor& real_a, const Tensor& real_b, const Tensor& fake_b,
                         const Tensor& fake_a, StepContext& context, StepReport& report) {
    Tensor total = gan_.generator(scores("b/", fake_b));
    if (arm_.lambda_transport > 0) total = total + arm_.lambda_transport * (fake_b - real_a).square().mean();
    if (has_way_back()) {
      total = total + gan_.generator(scores("a/", fake_a));
      if (arm_.lambda_transport > 0)
        total = total + arm_.lambda_transport * (fake_a - real_b).square().mean();
      if (arm_.lambda_cycle > 0)
        total = total + arm_.lambda_cycle *
                            ((back(fake_b) - real_a).abs().mean() + (there(fake_a) - real_b).abs().mean());
    }
    report.losses.emplace_back("g", total.detach().item<double>());
    descend(*opt_g_, over_runs(total, fake_b.size(0)), context);
  }

  void update_discriminators(const Tensor& real_a, const Tensor& real_b, const Tensor& fake_b,
                             const Tensor& fake_a, StepContext& context, StepReport& report) {
    Tensor total = 0.5 * gan_.discriminator(scores("b/", real_b), scores("b/", fake_b));
    if (fake_a.defined())
      total = total + 0.5 * gan_.discriminator(scores("a/", real_a), scores("a/", fake_a));
    report.losses.emplace_back("d", total.detach().item<double>());
    descend(*opt_d_, over_runs(total, fake_b.size(0)), context);
  }

  static void descend(Optimizer& optimizer, const Tensor& loss, StepContext& context) {
    optimizer.zero_grad();
    loss.backward();
    context.sync.sync(optimizer);
    optimizer.step();
  }

  PointArm arm_;
  const GanLoss& gan_;
  std::shared_ptr<Network> generators_, discriminators_;
  std::optional<Optimizer> opt_g_, opt_d_;
};

}  // namespace

const std::vector<PointProblem>& point_problems() {
  static const std::vector<PointProblem> problems = {
      gaussian_problem("line", 1, {0.5}),
      gaussian_problem("Gaussians of 2", 2, {1.5, 0.5}),
      gaussian_problem("Gaussians of 4", 4, {1.5, 1.2, 0.8, 0.5}),
      gaussian_problem("Gaussians of 16", 16, {1.5, 1.2, 0.8, 0.5}),
      planar_problem("moons", "ring"),
      planar_problem("normal", "checkerboard"),
      planar_problem("ring", "normal"),
      ring_to_itself()};
  return problems;
}

const PointProblem& point_problem(const std::string& name) {
  for (const PointProblem& problem : point_problems())
    if (problem.name == name) return problem;
  throw std::logic_error("no problem " + name);
}

PointTranslators train_points(const PointProblem& problem, const PointArm& arm, const PointScale& scale,
                              std::uint64_t seed, const StopFlag& stop) {
  PointArm sized = arm;
  sized.network.dimension = problem.dimension;
  PointGame game(sized, scale, seed);
  ExactTraining training;
  training.steps = scale.steps;
  training.seed = seed;
  train_by_steps(game, std::make_shared<DrawnPoints>(problem, scale.batch), training, stop);
  check_stop(stop);
  PointTranslators out{sized.network, game.generator("g/"), {}};
  if (arm.way_back == WayBack::trained) out.b_to_a = game.generator("f/");
  return out;
}

}  // namespace torsor
