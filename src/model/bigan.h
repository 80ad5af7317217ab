// BiGAN (Donahue, Krahenbuhl, Darrell 2017) and ALI (Dumoulin et al. 2017), one objective, as the CycleGAN
// paper compares them (Zhu et al. 2017, section 5.1.2; S3-B1): a source image x takes the place of the latent
// and a target image y that of the image. G: A -> B and F: B -> A are tied by one discriminator of pairs
// alone, which tells (x, G(x)) from (F(y), y): min_{G,F} max_D E log D(x, G(x)) + E log(1 - D(F(y), y)).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "loss/gan_loss.h"
#include "model/model.h"
#include "model/placement.h"
#include "model/step_support.h"
#include "nn/init.h"

namespace torsor {

/// Everything that builds a BiGan.
struct BiGanSpec {
  std::optional<std::int64_t> critic_steps = {};  // discriminator updates per generator update
  GanLossOptions gan;
  GeneratorOptions g_a_to_b, g_b_to_a;
  DiscriminatorOptions d_ab;  // in_channels = both domains' together
  InitOptions init;
  OptimizerOptions optimizer;
};

class BiGan : public Model {
 public:
  /// Builds g_a_to_b, g_b_to_a and d_ab and initialises each from (seed, "init.", its name). Throws
  /// UsageError for unusable options, also when d_ab does not have the channels of both domains together.
  BiGan(const BiGanSpec& spec, const Placement& placement, std::uint64_t seed);

  /// Needs tensors real_a [N,Ca,H,W] and real_b [N,Cb,H,W] of equal sides, scaled as --scaling says. Both
  /// generators step first, in one update, then the discriminator on the same pairs. Losses: g_a_to_b, by
  /// which G's pairs are to be taken for F's, and g_b_to_a, by which F's are to be taken for G's: those of
  /// the GAN loss with the labels exchanged (Donahue et al., section 3.4), so neither saturates; d_ab
  /// (halved, with wgangp's penalty in it), for which G's pairs are the real ones.
  StepReport step(StepContext& context) override;
  std::vector<NamedNetwork> networks() const override;
  std::vector<Optimizer*> optimizers() override;
  /// CycleGan's two rows without identity images: real_a, fake_b, rec_a and real_b, fake_a, rec_b. No loss
  /// compares a reconstruction with its image; how near they come shows what the discriminator ties.
  std::vector<std::vector<LabelledImages>> sample(const Batch& batch) override;
  std::vector<std::string> loss_names() const override;
  std::int64_t batches_per_step() const override;

 protected:
  void save_extra(Archive& archive) const override;
  void load_extra(const Archive& archive) override;

 private:
  struct Pairs {
    at::Tensor of_g, of_f;  // (x, G(x)) and (F(y), y), A's channels first: [N,Ca+Cb,H,W]
  };
  Pairs make_pairs(const Batch& batch) const;
  void update_generators(const Pairs& pairs, LossTensors& losses, GradientSync& sync);
  void update_discriminator(const Pairs& pairs, LossTensors& losses, StepContext& context);

  BiGanSpec spec_;
  Placement placement_;
  const GanLoss& gan_;
  std::shared_ptr<Generator> g_a_to_b_, g_b_to_a_;
  std::shared_ptr<Network> d_ab_;
  at::Generator dropout_generator_;
  std::unique_ptr<Optimizer> opt_g_, opt_d_;
};

}  // namespace torsor
