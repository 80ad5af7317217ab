// CycleGAN (Zhu, Park, Isola, Efros 2017; S0-Q2, S0-Q3, S3, S4): two generators, two discriminators,
// adversarial, cycle and identity losses. The update order is the reference's; so are the sums,
// to the bit, with --backward joint.
#pragma once

#include <array>
#include <memory>

#include "model/content_encoder.h"
#include "model/image_pool.h"
#include "model/model.h"
#include "model/objective.h"
#include "model/placement.h"
#include "model/step_support.h"
#include "nn/init.h"

namespace torsor {

/// Everything that builds a CycleGAN.
struct CycleGanSpec {
  CycleGanOptions cyclegan;
  GanLossOptions gan;
  GeneratorOptions g_a_to_b;  // in_channels = channels of A
  GeneratorOptions g_b_to_a;  // in_channels = channels of B
  DiscriminatorOptions d_a;   // of images of A, and of as many planes as there are classes
  DiscriminatorOptions d_b;   // of images of B likewise
  InitOptions init;
  OptimizerOptions optimizer;
  std::shared_ptr<ContentEncoder> encoder = nullptr;            // where the objective has terms of content
  std::shared_ptr<ContentEncoder> transport_encoder = nullptr;  // where transport costs are of features
};

/// Throws UsageError for options that contradict each other.
void require_usable(const CycleGanSpec& spec);

class CycleGan : public Model {
 public:
  /// Builds the networks and initialises each from (seed, "init", its name). Throws UsageError for unusable
  /// options.
  CycleGan(const CycleGanSpec& spec, const Placement& placement, std::uint64_t seed);

  /// Needs tensors real_a [N,Ca,H,W] and real_b [N,Cb,H,W], scaled as --scaling says; with anchors also
  /// anchor_a [M,Ca,H',W'] and anchor_b [M,Cb,H',W'], M pairs, with classes label_a and label_b
  /// [N]. Losses:
  /// d_a, d_b (halved, as in the reference), then those of generator_terms(); weights included.
  StepReport step(StepContext& context) override;
  std::vector<NamedNetwork> networks() const override;
  std::vector<Optimizer*> optimizers() override;
  std::vector<std::vector<LabelledImages>> sample(const Batch& batch) override;
  std::vector<std::string> loss_names() const override;
  std::int64_t batches_per_step() const override;

  const CycleGanSpec& spec() const { return spec_; }
  const IdentityTerm& identity() const { return identity_; }
  /// Replaces the pool's random numbers (a recorded trace).
  void set_pool_draws(std::unique_ptr<PoolDraws> draws) { pool_draws_ = std::move(draws); }

 protected:
  void save_extra(Archive& archive) const override;
  void load_extra(const Archive& archive) override;

 private:
  Pictures place(const Batch& batch) const;
  Pictures place_with_classes(const Batch& batch) const;
  void give_extras(Pictures& pictures, const Batch& batch, RngStreams& rng) const;
  CycleMaps maps() const;
  std::vector<TermGroup> groups() const;
  bool is_adversarial() const;  // whether a discriminator learns
  void update_generators(Pictures& pictures, LossTensors& losses, GradientSync& sync);
  void update_discriminators(const Pictures& pictures, LossTensors& losses, StepContext& context);
  at::Tensor discriminator_loss(const DiscriminatorLoss& loss, const Pictures& pictures, PoolDraws& draws,
                                RngStreams& rng);
  at::Tensor run(Network& network, const at::Tensor& x) const;

  CycleGanSpec spec_;
  Placement placement_;
  IdentityTerm identity_;
  const GanLoss& gan_;
  std::shared_ptr<Generator> g_a_to_b_, g_b_to_a_;
  std::shared_ptr<Network> d_a_, d_b_;
  at::Generator dropout_generator_;
  std::unique_ptr<Optimizer> opt_g_, opt_d_;
  ImagePool pool_a_, pool_b_;  // of fakes of A and of B, with the planes of their classes
  std::unique_ptr<PoolDraws> pool_draws_;
  std::array<DiscriminatorLoss, 2> discriminator_losses_;
  std::int64_t classes_;           // that the discriminators see, 0: images alone
  std::vector<LossTerm> terms_;    // of the generators
  std::vector<TermGroup> groups_;  // of those terms
};

}  // namespace torsor
