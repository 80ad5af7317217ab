// CoGAN (Liu and Tuzel 2016, "Coupled Generative Adversarial Networks") as a translator, which is how the
// CycleGAN paper compares it (Zhu et al. 2017, section 5.1.2; S3-B1): two generators that render one latent
// vector in either domain, with their first layers in common, against two discriminators with their last
// layers in common; an image is translated by finding the latent that renders it and rendering that in the
// other domain.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "loss/gan_loss.h"
#include "model/model.h"
#include "model/placement.h"
#include "model/step_support.h"
#include "nn/init.h"
#include "nn/latent.h"

namespace torsor {

struct CoGanOptions {
  double lambda_rec = 10;
  double lambda_latent = 1;
  std::optional<std::int64_t> critic_steps;

  void describe(OptionSet& o);
};

/// Everything that builds a CoGan.
struct CoGanSpec {
  CoGanOptions cogan;
  GanLossOptions gan;
  GeneratorOptions g_a_to_b, g_b_to_a;  // latent_<n>: A's encoder and B's decoder, and the other way round
  DiscriminatorOptions d_a, d_b;
  InitOptions init;
  OptimizerOptions optimizer;
};

/// Throws UsageError for a generator other than latent_<n>, and for an n that there is not.
void require_latent(const GeneratorOptions& options);

/// The paper searches the latent of each image by gradient descent (its section 4, cross-domain image
/// transformation). Here an encoder of each domain learns to name it, so that a translation is one pass, and
/// can be exported; the encoders learn from what the decoders make and change nothing in them.
class CoGan : public Model {
 public:
  /// Builds g_a_to_b, g_b_to_a, d_a and d_b, initialises each from (seed, "init.", its name), and couples the
  /// decoders and the discriminators. Throws UsageError for generators other than latent_<n>.
  CoGan(const CoGanSpec& spec, const Placement& placement, std::uint64_t seed);

  /// Needs tensors real_a [N,Ca,H,W] and real_b [N,Cb,H,W] of equal sides, scaled as --scaling says; N
  /// latents are drawn from rng["latent"], uniformly from -1 to 1. The decoders step first, then the
  /// discriminators, then the encoders. Losses: d_a and d_b (halved); g_a and g_b, the adversarial losses of
  /// A's and of B's renderings of the same latents; of each encoder, weights included, rec_a and rec_b, mean
  /// |x' - x| between a real image and the rendering of its latent, and latent_a and latent_b, mean (E(G(z))
  /// - z)^2.
  StepReport step(StepContext& context) override;
  std::vector<NamedNetwork> networks() const override;
  std::vector<Optimizer*> optimizers() override;
  /// BiGan's two rows, and a third: made_a and made_b, both domains' renderings of latents that are the same
  /// at each call.
  std::vector<std::vector<LabelledImages>> sample(const Batch& batch) override;
  std::vector<std::string> loss_names() const override;
  std::int64_t batches_per_step() const override;

 protected:
  void save_extra(Archive& archive) const override;
  void load_extra(const Archive& archive) override;

 private:
  struct Real {
    at::Tensor a, b;
  };
  struct Rendered {
    at::Tensor z, a, b;
  };
  Real place(const Batch& batch) const;
  at::Tensor draw_latents(const at::Tensor& like, Rng& rng) const;
  at::Tensor decode(const LatentGenerator& g, const at::Tensor& z) const;
  at::Tensor encode(const LatentGenerator& g, const at::Tensor& x) const;
  Rendered render(const at::Tensor& z) const;
  void update_decoders(const Rendered& fake, LossTensors& losses, GradientSync& sync);
  void update_discriminators(const Real& real, const Rendered& fake, LossTensors& losses,
                             StepContext& context);
  void update_encoders(const Real& real, const Rendered& fake, LossTensors& losses, GradientSync& sync);

  CoGanSpec spec_;
  Placement placement_;
  const GanLoss& gan_;
  std::shared_ptr<LatentGenerator> g_a_to_b_, g_b_to_a_;
  std::shared_ptr<Network> d_a_, d_b_;
  at::Generator dropout_generator_;
  std::unique_ptr<Optimizer> opt_g_, opt_d_, opt_e_;
};

}  // namespace torsor
