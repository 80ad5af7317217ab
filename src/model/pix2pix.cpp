#include "model/pix2pix.h"

#include <torch/types.h>

#include "core/error.h"
#include "loss/distance.h"
#include "model/evaluation.h"
#include "model/generator_state.h"

namespace torsor {

using at::Tensor;

namespace {

// What the discriminator sees: the input's channels first, as in the reference.
Tensor pair_of(const Tensor& input, const Tensor& image) { return at::cat({input, image}, 1); }

}  // namespace

void Pix2PixOptions::describe(OptionSet& o) {
  o.add("direction", direction, "which image of a pair is the input and which the target")
      .choices({"a_to_b", "b_to_a"})
      .common();
  o.add("lambda_l1", lambda_l1, "weight of mean |generated - target|; 0 = off")
      .at_least(0)
      .common()
      .changeable();
  o.add("lambda_gan", lambda_gan, "weight of the generator's adversarial loss; 0 = no discriminator learns")
      .at_least(0)
      .changeable();
}

void Pix2PixOptions::validate() const {
  if (lambda_l1 == 0 && lambda_gan == 0)
    fail_usage("--lambda-l1 and --lambda-gan are both 0: nothing would be learnt");
}

Pix2Pix::Pix2Pix(const Pix2PixSpec& spec, const Placement& placement, std::uint64_t seed)
    : spec_(spec),
      placement_(placement),
      gan_(gan_loss(spec.gan.gan_mode)),
      generator_(make_generator(spec.generator)),
      discriminator_(make_discriminator(spec.discriminator)),
      dropout_generator_(make_dropout_generator(seed)) {
  spec.pix2pix.validate();
  const std::int64_t both = spec.generator.in_channels + spec.generator.out_channels;
  if (spec.discriminator.in_channels != both)
    fail_usage("pix2pix's discriminator takes {} channels, but input and target have {} together",
               spec.discriminator.in_channels, both);
  prepare_networks(networks(), spec.init, placement, seed, dropout_generator_);
  opt_g_ = std::make_unique<Optimizer>("opt_g", spec.optimizer, parameters_of({generator_.get()}));
  opt_d_ = std::make_unique<Optimizer>("opt_d", discriminator_optimizer(spec.optimizer),
                                       parameters_of({discriminator_.get()}));
}

StepReport Pix2Pix::step(StepContext& context) {
  StepReport report;
  LossTensors losses;
  const Batch batch = pull_batch(context, report);
  const Pair real = place(batch);
  const Tensor fake = run(*generator_, real.input);
  if (spec_.pix2pix.lambda_gan > 0) update_discriminator(real, fake, losses, context);
  update_generator(real, fake, losses, context.sync);
  report_losses(report, loss_names(), losses);
  report_items(report, batch);
  return report;
}

void Pix2Pix::update_discriminator(const Pair& real, const Tensor& fake, LossTensors& losses,
                                   StepContext& context) {
  unfreeze(*discriminator_);
  opt_d_->zero_grad();
  const Tensor fake_pair = pair_of(real.input, fake).detach(), real_pair = pair_of(real.input, real.target);
  // Fake first: batch norm's running statistics depend on the order.
  losses["d_fake"] = gan_.of_fake(run(*discriminator_, fake_pair));
  losses["d_real"] = gan_.of_real(run(*discriminator_, real_pair));
  Tensor total = losses["d_fake"] + losses["d_real"];
  if (has_penalty()) {
    losses["gradient_penalty"] =
        drawn_gradient_penalty(*discriminator_, real_pair, fake_pair, context.rng) * spec_.gan.gp_weight;
    total = total + losses["gradient_penalty"];
  }
  (total * 0.5).backward();
  for (auto& [name, loss] : losses) loss = loss.detach();
  context.sync.sync(*opt_d_);
  opt_d_->step();
}

void Pix2Pix::update_generator(const Pair& real, const Tensor& fake, LossTensors& losses,
                               GradientSync& sync) {
  const Pix2PixOptions& o = spec_.pix2pix;
  freeze(*discriminator_);
  opt_g_->zero_grad();
  Tensor total;
  const auto add = [&](const std::string& name, const Tensor& loss) {
    losses[name] = loss.detach();
    total = total.defined() ? total + loss : loss;
  };
  if (o.lambda_gan > 0) {
    const Tensor scores = run(*discriminator_, pair_of(real.input, fake));
    add(o.generator_name(), gan_.generator(scores) * o.lambda_gan);
  }
  if (o.lambda_l1 > 0) add("l1", distance(fake, real.target, "l1") * o.lambda_l1);
  total.backward();
  sync.sync(*opt_g_);
  opt_g_->step();
}

bool Pix2Pix::has_penalty() const { return gan_.needs_penalty && spec_.gan.gp_weight > 0; }

Pix2Pix::Pair Pix2Pix::place(const Batch& batch) const {
  const Tensor a = placed(batch, "real_a", placement_), b = placed(batch, "real_b", placement_);
  return spec_.pix2pix.from_a() ? Pair{a, b} : Pair{b, a};
}

Tensor Pix2Pix::run(Network& network, const Tensor& x) const { return run_network(network, x, placement_); }

std::vector<NamedNetwork> Pix2Pix::networks() const {
  return {{spec_.pix2pix.generator_name(), generator_}, {kPairDiscriminator, discriminator_}};
}

std::vector<Optimizer*> Pix2Pix::optimizers() { return {opt_g_.get(), opt_d_.get()}; }

std::vector<std::string> Pix2Pix::loss_names() const {
  std::vector<std::string> names = {spec_.pix2pix.generator_name(), "l1", "d_real", "d_fake"};
  if (has_penalty()) names.push_back("gradient_penalty");
  return names;
}

std::vector<std::vector<LabelledImages>> Pix2Pix::sample(const Batch& batch) {
  const EvaluationScope evaluation(networks());
  const Pair real = place(batch);
  const Tensor fake = run(*generator_, real.input);
  if (spec_.pix2pix.from_a()) return {{{"real_a", real.input}, {"fake_b", fake}, {"real_b", real.target}}};
  return {{{"real_b", real.input}, {"fake_a", fake}, {"real_a", real.target}}};
}

void Pix2Pix::save_extra(Archive& archive) const {
  save_generator(archive, "dropout_generator", dropout_generator_);
}

void Pix2Pix::load_extra(const Archive& archive) {
  load_generator(archive, "dropout_generator", dropout_generator_);
}

}  // namespace torsor
