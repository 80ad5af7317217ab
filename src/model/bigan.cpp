#include "model/bigan.h"

#include <torch/types.h>

#include "core/error.h"
#include "model/evaluation.h"
#include "model/generator_state.h"
#include "model/network_info.h"
#include "model/term_step.h"

namespace torsor {

using at::Tensor;

BiGan::BiGan(const BiGanSpec& spec, const Placement& placement, std::uint64_t seed)
    : spec_(spec),
      placement_(placement),
      gan_(gan_loss(spec.gan.gan_mode)),
      g_a_to_b_(make_generator(spec.g_a_to_b)),
      g_b_to_a_(make_generator(spec.g_b_to_a)),
      d_ab_(make_discriminator(spec.d_ab)),
      dropout_generator_(make_dropout_generator(seed)) {
  const std::int64_t both = spec.g_a_to_b.in_channels + spec.g_a_to_b.out_channels;
  if (spec.d_ab.in_channels != both)
    fail_usage("bigan's discriminator takes {} channels, but A and B have {} together", spec.d_ab.in_channels,
               both);
  prepare_networks(networks(), spec.init, placement, seed, dropout_generator_);
  opt_g_ =
      std::make_unique<Optimizer>("opt_g", spec.optimizer, parameters_of({g_a_to_b_.get(), g_b_to_a_.get()}));
  opt_d_ = std::make_unique<Optimizer>("opt_d", discriminator_optimizer(spec.optimizer),
                                       parameters_of({d_ab_.get()}));
}

BiGan::Pairs BiGan::make_pairs(const Batch& batch) const {
  const Tensor x = placed(batch, "real_a", placement_), y = placed(batch, "real_b", placement_);
  return {at::cat({x, run_network(*g_a_to_b_, x, placement_)}, 1),
          at::cat({run_network(*g_b_to_a_, y, placement_), y}, 1)};
}

StepReport BiGan::step(StepContext& context) {
  StepReport report;
  LossTensors losses;
  for (std::int64_t extra = batches_per_step() - 1; extra > 0; --extra) {
    const Batch batch = pull_batch(context, report);
    const Pairs pairs = [&] {
      const at::NoGradGuard no_grad;
      return make_pairs(batch);
    }();
    update_discriminator(pairs, losses, context);
  }
  const Batch batch = pull_batch(context, report);
  const Pairs pairs = make_pairs(batch);
  update_generators(pairs, losses, context.sync);
  update_discriminator(pairs, losses, context);
  report_losses(report, loss_names(), losses);
  report_items(report, batch);
  return report;
}

void BiGan::update_generators(const Pairs& pairs, LossTensors& losses, GradientSync& sync) {
  freeze(*d_ab_);
  opt_g_->zero_grad();
  // The discriminator takes G's pairs for real: what it minimises on generated ones is what G does here.
  losses["g_a_to_b"] = gan_.of_fake(run_network(*d_ab_, pairs.of_g, placement_));
  losses["g_b_to_a"] = gan_.generator(run_network(*d_ab_, pairs.of_f, placement_));
  (losses["g_a_to_b"] + losses["g_b_to_a"]).backward();
  for (auto& [name, loss] : losses) loss = loss.detach();
  sync.sync(*opt_g_);
  opt_g_->step();
}

void BiGan::update_discriminator(const Pairs& pairs, LossTensors& losses, StepContext& context) {
  unfreeze(*d_ab_);
  opt_d_->zero_grad();
  const Tensor loss = telling_apart(*d_ab_, pairs.of_g.detach(), pairs.of_f,
                                    {gan_, spec_.gan.gp_weight, placement_}, context.rng);
  loss.backward();
  losses["d_ab"] = loss.detach();
  context.sync.sync(*opt_d_);
  opt_d_->step();
}

std::int64_t BiGan::batches_per_step() const { return critic_steps(gan_, spec_.critic_steps); }

std::vector<NamedNetwork> BiGan::networks() const {
  return {{"g_a_to_b", g_a_to_b_}, {"g_b_to_a", g_b_to_a_}, {kPairDiscriminator, d_ab_}};
}

std::vector<Optimizer*> BiGan::optimizers() { return {opt_g_.get(), opt_d_.get()}; }

std::vector<std::string> BiGan::loss_names() const { return {"d_ab", "g_a_to_b", "g_b_to_a"}; }

std::vector<std::vector<LabelledImages>> BiGan::sample(const Batch& batch) {
  const EvaluationScope evaluation(networks());
  return there_and_back_rows(batch, *g_a_to_b_, *g_b_to_a_, placement_);
}

void BiGan::save_extra(Archive& archive) const {
  save_generator(archive, "dropout_generator", dropout_generator_);
}

void BiGan::load_extra(const Archive& archive) {
  load_generator(archive, "dropout_generator", dropout_generator_);
}

}  // namespace torsor
