// A translator as optimal transport (S2-Q6, from de Bezenac, Ayed and Gallinari, "CycleGAN Through the Lens
// of (Dynamical) Optimal Transport"): one generator G from A to B, a discriminator that tells G(A) from B,
// and the cost of moving x to G(x), which takes the place of the second generator and of the cycles. The loss
// is the Lagrangian of "the cheapest map that carries A to B": L_GAN(G(A), D_B) + lambda C(G).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/content_encoder.h"
#include "model/image_pool.h"
#include "model/model.h"
#include "model/objective.h"
#include "model/placement.h"
#include "model/step_support.h"
#include "model/transport_cost_options.h"
#include "nn/init.h"

namespace torsor {

struct TransportModelOptions {
  TransportCostOptions cost = weighted_cost();
  double reverse_gan = 0;
  std::int64_t pool_size = 50;
  std::optional<std::int64_t> critic_steps;

  void describe(OptionSet& o);

 private:
  static TransportCostOptions weighted_cost();
};

/// Everything that builds a TransportModel.
struct TransportSpec {
  TransportModelOptions transport;
  GanLossOptions gan;
  GeneratorOptions g_a_to_b;
  DiscriminatorOptions d_a;  // of images of A, where there is a reverse GAN
  DiscriminatorOptions d_b;  // of images of B
  InitOptions init;
  OptimizerOptions optimizer;
  std::shared_ptr<ContentEncoder> encoder = nullptr;  // where the cost is of features
  /// Makes the inverse of g_a_to_b, from B to A, which has the same weights; null where it has none.
  std::function<std::shared_ptr<Generator>(const std::shared_ptr<Generator>&)> inverse = nullptr;
};

/// Throws UsageError for a cost that cannot be learnt, and for a reverse GAN of a generator without an
/// inverse.
void require_usable(const TransportSpec& spec);

class TransportModel : public Model {
 public:
  /// Builds the networks g_a_to_b, d_b and, for a reverse GAN, d_a, and initialises each from (seed, "init.",
  /// its name). Throws UsageError for unusable options.
  TransportModel(const TransportSpec& spec, const Placement& placement, std::uint64_t seed);

  /// Needs tensors real_a [N,Ca,H,W] and real_b [N,Cb,H,W], scaled as --scaling says. The generator steps
  /// first, then the discriminator, as in CycleGan. Losses: d_b (halved), g_a_to_b (adversarial) and
  /// transport_a (the weighted cost); then cost_a, the cost without its weight, also where that is 0. With
  /// a reverse GAN also d_a, before d_b, and g_b_to_a, behind transport_a: of what the inverse of the
  /// generator makes of images of B.
  StepReport step(StepContext& context) override;
  std::vector<NamedNetwork> networks() const override;
  std::vector<Optimizer*> optimizers() override;
  /// One row: real_a, fake_b, real_b and, of a generator that has an inverse, fake_a, what that makes of
  /// real_b.
  std::vector<std::vector<LabelledImages>> sample(const Batch& batch) override;
  std::vector<std::string> loss_names() const override;
  std::int64_t batches_per_step() const override;

  const TransportSpec& spec() const { return spec_; }
  /// Replaces the pool's random numbers (a recorded trace).
  void set_pool_draws(std::unique_ptr<PoolDraws> draws) { pool_draws_ = std::move(draws); }

 protected:
  void save_extra(Archive& archive) const override;
  void load_extra(const Archive& archive) override;

 private:
  Pictures place(const Batch& batch) const;
  CycleMaps maps() const;
  void update_generator(Pictures& pictures, LossTensors& losses, GradientSync& sync);
  void update_discriminators(const Pictures& pictures, LossTensors& losses, StepContext& context);
  void learn(const DiscriminatorLoss& loss, const Pictures& pictures, LossTensors& losses,
             StepContext& context);

  TransportSpec spec_;
  Placement placement_;
  const GanLoss& gan_;
  std::shared_ptr<Generator> g_a_to_b_;
  std::shared_ptr<Generator> b_to_a_;   // its inverse, with the same weights; null where it has none
  std::shared_ptr<Network> d_a_, d_b_;  // the first null without a reverse GAN
  at::Generator dropout_generator_;
  std::unique_ptr<Optimizer> opt_g_, opt_d_;
  ImagePool pool_a_, pool_b_;
  std::unique_ptr<PoolDraws> pool_draws_;
  std::vector<LossTerm> terms_;
  std::vector<TermGroup> groups_;
  std::vector<DiscriminatorLoss> learnt_;  // by discriminators, in the order in which they learn
  std::vector<Picture> translations_;      // that they see
};

}  // namespace torsor
