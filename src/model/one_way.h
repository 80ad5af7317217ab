// A translator from A to B by itself: one generator, a discriminator that tells its translations from images
// of B, and what its loss asks of a translation beside that. The types of model that are one differ in this
// last term: none (gan), the L1 distance to the input (simgan), the same of features (feature_gan), the cost
// as transport (transport).
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
#include "nn/init.h"

namespace torsor {

struct OneWayOptions {
  std::int64_t pool_size = 50;
  std::optional<std::int64_t> critic_steps;

  void describe(OptionSet& o);
};

/// Everything that builds a OneWayModel.
struct OneWaySpec {
  OneWayOptions one_way;
  GanLossOptions gan;
  GeneratorOptions g_a_to_b;
  DiscriminatorOptions d_a;  // of images of A, where there is a reverse GAN
  DiscriminatorOptions d_b;  // of images of B
  InitOptions init;
  OptimizerOptions optimizer;
  std::optional<LossTerm> beside = {};  // the loss beside the adversarial one, of fake_b
  std::string unweighted = {};          // the name under which its value without its weight is reported too
  std::shared_ptr<ContentEncoder> encoder = nullptr;  // where that is of features
  double reverse_gan = 0;  // weight of an adversarial loss of the inverse's translations
  /// Makes the inverse of g_a_to_b, from B to A, which has the same weights; null where it has none.
  std::function<std::shared_ptr<Generator>(const std::shared_ptr<Generator>&)> inverse = nullptr;
};

/// Throws UsageError for a reverse GAN of a generator without an inverse.
void require_usable(const OneWaySpec& spec);

class OneWayModel : public Model {
 public:
  /// Builds the networks g_a_to_b, d_b and, for a reverse GAN, d_a, and initialises each from (seed, "init.",
  /// its name). Throws UsageError for unusable options.
  OneWayModel(const OneWaySpec& spec, const Placement& placement, std::uint64_t seed);

  /// Needs tensors real_a [N,Ca,H,W] and real_b [N,Cb,H,W], scaled as --scaling says. The generator steps
  /// first, then the discriminator, as in CycleGan. Losses: d_b (halved), g_a_to_b (adversarial), the term
  /// beside it with its weight and, where the spec names one, without, also where the weight is 0. With a
  /// reverse GAN also d_a, before d_b, and g_b_to_a, behind the term: of what the inverse of the generator
  /// makes of images of B.
  StepReport step(StepContext& context) override;
  std::vector<NamedNetwork> networks() const override;
  std::vector<Optimizer*> optimizers() override;
  /// One row: real_a, fake_b, real_b and, of a generator that has an inverse, fake_a, what that makes of
  /// real_b.
  std::vector<std::vector<LabelledImages>> sample(const Batch& batch) override;
  std::vector<std::string> loss_names() const override;
  std::int64_t batches_per_step() const override;

  const OneWaySpec& spec() const { return spec_; }
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

  OneWaySpec spec_;
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
