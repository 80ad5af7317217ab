// pix2pix (Isola, Zhu, Zhou, Efros 2017): one generator learns from pairs of images, by an L1 distance to the
// pair's other image and by a discriminator that sees both. The update order and the sums are the
// reference's.
#pragma once

#include <memory>
#include <string>

#include "loss/gan_loss.h"
#include "model/model.h"
#include "model/network_info.h"
#include "model/placement.h"
#include "model/step_support.h"
#include "nn/init.h"

namespace torsor {

struct Pix2PixOptions {
  double lambda_l1 = 100;
  double lambda_gan = 1;
  std::string direction = "a_to_b";

  void describe(OptionSet& o);
  void validate() const;

  bool from_a() const { return direction == "a_to_b"; }
  /// g_a_to_b or g_b_to_a: the generator, and its adversarial loss.
  std::string generator_name() const { return "g_" + direction; }
};

/// Everything that builds a Pix2Pix.
struct Pix2PixSpec {
  Pix2PixOptions pix2pix;
  GanLossOptions gan = {.gan_mode = "vanilla"};
  GeneratorOptions generator;          // from the channels of the input's domain to those of the target's
  DiscriminatorOptions discriminator;  // in_channels = both together
  InitOptions init;
  OptimizerOptions optimizer;
};

class Pix2Pix : public Model {
 public:
  /// Builds the networks and initialises each from (seed, "init.", its name). Throws UsageError for unusable
  /// options, also when the discriminator does not have the channels of input and target together.
  Pix2Pix(const Pix2PixSpec& spec, const Placement& placement, std::uint64_t seed);

  /// Needs tensors real_a [N,Ca,H,W] and real_b [N,Cb,H,W] that show the same thing item by item, scaled as
  /// --scaling says. The discriminator steps first, and the generator's loss uses the updated one; both see
  /// the same generated image. Losses: g_a_to_b (or g_b_to_a; adversarial) and l1, weights included; d_real
  /// and d_fake, of whose sum the discriminator descends half, as in the reference; with wgangp's penalty
  /// also gradient_penalty, a third addend of that sum, weight included. Those that are off are 0.
  StepReport step(StepContext& context) override;
  std::vector<NamedNetwork> networks() const override;
  std::vector<Optimizer*> optimizers() override;
  /// One row: real input, generated image, real target. Without dropout and with running statistics, as
  /// translate computes too: what the reference's test.py gives with --eval. Without that flag it keeps
  /// dropout as its noise, and each image's own statistics.
  std::vector<std::vector<LabelledImages>> sample(const Batch& batch) override;
  std::vector<std::string> loss_names() const override;

  const Pix2PixSpec& spec() const { return spec_; }

 protected:
  void save_extra(Archive& archive) const override;
  void load_extra(const Archive& archive) override;

 private:
  struct Pair {
    at::Tensor input, target;
  };
  Pair place(const Batch& batch) const;
  bool has_penalty() const;
  void update_discriminator(const Pair& real, const at::Tensor& fake, LossTensors& losses,
                            StepContext& context);
  void update_generator(const Pair& real, const at::Tensor& fake, LossTensors& losses, GradientSync& sync);
  at::Tensor run(Network& network, const at::Tensor& x) const;

  Pix2PixSpec spec_;
  Placement placement_;
  const GanLoss& gan_;
  std::shared_ptr<Generator> generator_;
  std::shared_ptr<Network> discriminator_;
  at::Generator dropout_generator_;
  std::unique_ptr<Optimizer> opt_g_, opt_d_;
};

}  // namespace torsor
