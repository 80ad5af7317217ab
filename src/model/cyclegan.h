// CycleGAN (Zhu, Park, Isola, Efros 2017; S0-Q2, S0-Q3, S3, S4): two generators, two discriminators,
// adversarial, cycle and identity losses. The update order is the reference's; so are the sums,
// to the bit, with --backward joint.
#pragma once

#include <memory>
#include <optional>

#include "loss/gan_loss.h"
#include "model/image_pool.h"
#include "model/model.h"
#include "model/placement.h"
#include "model/step_support.h"
#include "nn/init.h"

namespace torsor {

struct CycleGanOptions {
  double lambda_cycle_a = 10;
  double lambda_cycle_b = 10;
  double lambda_gan = 1;
  std::string cycle_norm = "l1";
  std::optional<double> lambda_identity;
  std::optional<double> alpha_id;
  std::int64_t pool_size = 50;
  std::string backward = "grouped";
  std::optional<std::int64_t> critic_steps;

  void describe(OptionSet& o);
  void validate() const;
};

/// Everything that builds a CycleGAN.
struct CycleGanSpec {
  CycleGanOptions cyclegan;
  GanLossOptions gan;
  GeneratorOptions g_a_to_b;  // in_channels = channels of A
  GeneratorOptions g_b_to_a;  // in_channels = channels of B
  DiscriminatorOptions d_a;   // of images of A
  DiscriminatorOptions d_b;   // of images of B
  InitOptions init;
  OptimizerOptions optimizer;
};

/// How the identity term is computed once the options are resolved.
struct IdentityTerm {
  double weight_a_to_b = 0;  // of idt_a, made by G_A->B
  double weight_b_to_a = 0;  // of idt_b, made by G_B->A
  bool source = false;  // true: G is fed its own input domain (S0-Q3); false: its target domain (Zhu et al.)
  bool on() const { return weight_a_to_b > 0 || weight_b_to_a > 0; }
};

/// The reference's form by default: target mode, lambda_identity 0.5 times lambda_cycle_b (for G_A->B) and
/// lambda_cycle_a (for G_B->A). alpha_id switches to the seed paper's: source mode, absolute weight. With
/// unequal channel counts the default is off (a line goes to `notice`); asking for it, or giving both, throws
/// UsageError.
IdentityTerm resolve_identity(const CycleGanOptions& options, std::int64_t channels_a,
                              std::int64_t channels_b, std::string& notice);

class CycleGan : public Model {
 public:
  /// Builds the networks and initialises each from (seed, "init", its name). Throws UsageError for unusable
  /// options.
  CycleGan(const CycleGanSpec& spec, const Placement& placement, std::uint64_t seed);

  /// Needs tensors real_a [N,Ca,H,W] and real_b [N,Cb,H,W], scaled as --scaling says. Losses:
  /// d_a, d_b (halved, as in the reference), g_a_to_b, g_b_to_a (adversarial), cycle_a, cycle_b, idt_a,
  /// idt_b; weights included.
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
  struct Images {
    at::Tensor real_a, real_b, fake_a, fake_b, rec_a, rec_b;
  };

  Images place(const Batch& batch) const;
  // What an update of the generators is made of: the two cycles' passes, and the losses.
  enum class Term { cycle_of_a, cycle_of_b, idt_a, idt_b, g_a_to_b, g_b_to_a, cycle_a, cycle_b };
  /// Each goes forward and backward before the next.
  std::vector<std::vector<Term>> term_groups() const;
  void compute(Term term, Images& images, LossTensors& losses);
  void backward(const std::vector<Term>& group, LossTensors& losses);
  void update_generators(Images& images, LossTensors& losses, GradientSync& sync);
  void update_discriminators(const Images& images, LossTensors& losses, StepContext& context);
  at::Tensor discriminator_loss(Network& discriminator, const at::Tensor& real, const at::Tensor& fake,
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
  ImagePool pool_a_, pool_b_;  // of fakes of A and of B
  std::unique_ptr<PoolDraws> pool_draws_;
};

}  // namespace torsor
