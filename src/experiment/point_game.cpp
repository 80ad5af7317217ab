#include "experiment/point_game.h"

#include <ATen/ATen.h>

#include <cmath>
#include <map>
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
constexpr double kDiscriminatorRate = 5;  // times the generators' rate: it stays near its best

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

// The weights of one network of all runs as one tensor [R,P], so that a step has few to compute on.
class PackedWeights {
 public:
  explicit PackedWeights(VectorWeights start) : layout_(std::move(start)) {
    std::vector<Tensor> flat;
    for (const auto& [name, weight] : layout_) flat.push_back(weight.flatten(1));
    packed_ = at::cat(flat, 1);
  }
  const Tensor& start() const { return packed_; }

  VectorWeights unpacked(const Tensor& packed) const {
    std::vector<std::int64_t> lengths;
    for (const auto& [name, weight] : layout_) lengths.push_back(weight.numel() / weight.size(0));
    const std::vector<Tensor> parts = packed.split_with_sizes(lengths, 1);
    VectorWeights out;
    std::size_t k = 0;
    for (const auto& [name, weight] : layout_) out[name] = parts[k++].view(weight.sizes());
    return out;
  }

 private:
  VectorWeights layout_;
  Tensor packed_;
};

class PointGame : public Model {
 public:
  PointGame(const PointArm& arm, const PointScale& scale, std::uint64_t seed)
      : arm_(arm), gan_(gan_loss("vanilla")) {
    RngStreams rng(seed);
    const auto add = [&](std::map<std::string, PackedWeights>& all, const std::string& name, auto start) {
      all.emplace(name, PackedWeights(start(rng["init." + name])));
    };
    const auto generator = [&](Rng& draws) {
      return start_vector_network(arm.network, scale.runs, arm.gain, draws);
    };
    const auto discriminator = [&](Rng& draws) {
      return start_vector_discriminator(arm.network.dimension, kScoreWidth, scale.runs, draws);
    };
    add(layouts_, "g_a_to_b", generator);
    add(layouts_, "d_b", discriminator);
    if (has_way_back()) {
      add(layouts_, "g_b_to_a", generator);
      add(layouts_, "d_a", discriminator);
    }
    OptimizerOptions optimizer, sharper;
    optimizer.lr = scale.rate;
    sharper.lr = kDiscriminatorRate * scale.rate;
    generators_ = network_of('g');
    discriminators_ = network_of('d');
    opt_g_.emplace("opt_g", optimizer, generators_->parameters());
    opt_d_.emplace("opt_d", sharper, discriminators_->parameters());
  }

  StepReport step(StepContext& context) override {
    StepReport report;
    const Batch batch = pull_batch(context, report);
    const Tensor &real_a = batch.at("real_a"), &real_b = batch.at("real_b");  // [1,n,d]
    const VectorWeights g = weights("g_a_to_b"), f = has_way_back() ? weights("g_b_to_a") : VectorWeights();
    const Tensor fake_b = pass(g, real_a), fake_a = has_way_back() ? pass(f, real_b) : Tensor();
    Tensor total = adversarial("d_b", real_a, fake_b);
    if (has_way_back()) {
      total = total + adversarial("d_a", real_b, fake_a);
      if (arm_.lambda_cycle > 0)
        total = total + arm_.lambda_cycle * ((pass(f, fake_b) - real_a).abs().mean() +
                                             (pass(g, fake_a) - real_b).abs().mean());
    }
    report.losses.emplace_back("g", descend(*opt_g_, total, fake_b.size(0), context));
    total = discriminating("d_b", real_b, fake_b.detach());
    if (has_way_back()) total = total + discriminating("d_a", real_a, fake_a.detach());
    report.losses.emplace_back("d", descend(*opt_d_, total, fake_b.size(0), context));
    return report;
  }

  std::vector<NamedNetwork> networks() const override {
    return {{"generators", generators_}, {"discriminators", discriminators_}};
  }
  std::vector<Optimizer*> optimizers() override { return {&*opt_g_, &*opt_d_}; }
  std::vector<std::vector<LabelledImages>> sample(const Batch&) override { return {}; }
  std::vector<std::string> loss_names() const override { return {"g", "d"}; }

  VectorWeights trained(const std::string& generator) const {
    return layouts_.at(generator).unpacked(packed(generator).detach().clone());
  }

 private:
  bool has_way_back() const { return arm_.way_back == WayBack::trained; }

  std::shared_ptr<Network> network_of(char first) const {
    ExactParameters out;
    for (const auto& [name, layout] : layouts_)
      if (name.front() == first) out[name] = layout.start();
    return make_parameter_network(out);
  }

  Tensor packed(const std::string& name) const {
    return parameters_of(name.front() == 'g' ? *generators_ : *discriminators_).at(name);
  }
  VectorWeights weights(const std::string& name) const { return layouts_.at(name).unpacked(packed(name)); }
  Tensor pass(const VectorWeights& weights, const Tensor& x) const {
    return vector_pass(arm_.network, weights, x).out;
  }

  // A generator's loss of what it made of `real`; no gradient of the discriminator is asked for.
  Tensor adversarial(const char* discriminator, const Tensor& real, const Tensor& fake) const {
    const VectorWeights frozen = layouts_.at(discriminator).unpacked(packed(discriminator).detach());
    const Tensor loss = gan_.generator(vector_scores(frozen, fake));
    if (arm_.lambda_transport <= 0) return loss;
    return loss + arm_.lambda_transport * (fake - real).square().mean();
  }

  Tensor discriminating(const char* discriminator, const Tensor& real, const Tensor& fake) const {
    const Tensor both = at::cat({real.expand_as(fake), fake}, 1);
    const Tensor scores = vector_scores(weights(discriminator), both);
    const std::int64_t n = fake.size(1);
    return gan_.discriminator(scores.narrow(1, 0, n), scores.narrow(1, n, n));
  }

  // Of the mean over all runs, which do not meet in it: each descends by its own.
  static double descend(Optimizer& optimizer, const Tensor& loss, std::int64_t runs, StepContext& context) {
    optimizer.zero_grad();
    (loss * static_cast<double>(runs)).backward();
    context.sync.sync(optimizer);
    optimizer.step();
    return loss.detach().item<double>();
  }

  PointArm arm_;
  const GanLoss& gan_;
  std::map<std::string, PackedWeights> layouts_;
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
      planar_problem("normal", "ring"),
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
  PointTranslators out{sized.network, game.trained("g_a_to_b"), {}};
  if (arm.way_back == WayBack::trained) out.b_to_a = game.trained("g_b_to_a");
  return out;
}

}  // namespace torsor
