#include "model/one_way.h"

#include <torch/types.h>

#include "core/error.h"
#include "model/evaluation.h"
#include "model/generator_state.h"
#include "model/term_step.h"

namespace torsor {

using at::Tensor;

void OneWayOptions::describe(OptionSet& o) {
  o.add("pool_size", pool_size, "generated images kept to show the discriminator again; 0 = off").at_least(0);
  describe_critic_steps(o, critic_steps);
}

void require_usable(const OneWaySpec& spec) {
  if (spec.reverse_gan > 0 && !spec.inverse)
    fail_usage(
        "--reverse-gan judges what the inverse of the generator makes of images of B, and --net-g {} has "
        "none; leave it out, or give a flow, --net-g flow_2",
        spec.g_a_to_b.net_g);
}

OneWayModel::OneWayModel(const OneWaySpec& spec, const Placement& placement, std::uint64_t seed)
    : spec_(spec),
      placement_(placement),
      gan_(gan_loss(spec.gan.gan_mode)),
      g_a_to_b_(make_generator(spec.g_a_to_b)),
      d_a_(spec.reverse_gan > 0 ? make_discriminator(spec.d_a) : nullptr),
      d_b_(make_discriminator(spec.d_b)),
      dropout_generator_(make_dropout_generator(seed)),
      pool_a_(spec.one_way.pool_size),
      pool_b_(spec.one_way.pool_size),
      terms_(one_way_terms(spec.beside, gan_)) {
  using enum Picture;
  require_usable(spec);
  TermGroup& forwards = groups_.emplace_back();
  forwards.passes = {fake_b};
  for (std::size_t place = 0; place < terms_.size(); ++place) forwards.terms.push_back(place);
  // As in CycleGan the discriminator of B is the first.
  learnt_.push_back({"d_b", real_b, fake_b, rec_b, 1});
  if (spec.reverse_gan > 0) {
    groups_.push_back({{fake_a}, {terms_.size()}});
    terms_.push_back(way_back_term(spec.reverse_gan, gan_));
    learnt_.push_back({"d_a", real_a, fake_a, rec_a, 1});
  }
  for (const DiscriminatorLoss& each : learnt_) translations_.push_back(each.fake);
  if (spec_.encoder) spec_.encoder->set_placement(placement);
  prepare_networks(networks(), spec.init, placement, seed, dropout_generator_);
  opt_g_ = std::make_unique<Optimizer>("opt_g", spec.optimizer, parameters_of({g_a_to_b_.get()}));
  opt_d_ = std::make_unique<Optimizer>(
      "opt_d", discriminator_optimizer(spec.optimizer),
      d_a_ ? parameters_of({d_a_.get(), d_b_.get()}) : parameters_of({d_b_.get()}));
  if (spec.inverse) b_to_a_ = spec.inverse(g_a_to_b_);
}

Pictures OneWayModel::place(const Batch& batch) const {
  return {placed(batch, "real_a", placement_), placed(batch, "real_b", placement_)};
}

CycleMaps OneWayModel::maps() const {
  CycleMaps out;
  out.a_to_b = [this](const Tensor& x) { return run_network(*g_a_to_b_, x, placement_); };
  out.a_to_b_in_blocks = [this](const Tensor& x, std::vector<Tensor>& residuals) {
    return run_in_blocks(*g_a_to_b_, x, placement_, residuals);
  };
  if (b_to_a_) out.b_to_a = [this](const Tensor& y) { return run_network(*b_to_a_, y, placement_); };
  if (d_a_) out.d_a = [this](const Tensor& x) { return run_network(*d_a_, x, placement_); };
  out.d_b = [this](const Tensor& x) { return run_network(*d_b_, x, placement_); };
  if (spec_.encoder)
    out.encoder = out.transport_encoder = [this](const Tensor& x) { return (*spec_.encoder)(x); };
  return out;
}

StepReport OneWayModel::step(StepContext& context) {
  StepReport report;
  LossTensors losses;
  for (std::int64_t extra = batches_per_step() - 1; extra > 0; --extra) {
    Pictures pictures = place(pull_batch(context, report));
    {
      const at::NoGradGuard no_grad;
      for (const Picture which : translations_) pictures.make(which, maps());
    }
    update_discriminators(pictures, losses, context);
  }
  const Batch batch = pull_batch(context, report);
  Pictures pictures = place(batch);
  update_generator(pictures, losses, context.sync);
  update_discriminators(pictures, losses, context);
  report_losses(report, loss_names(), losses);
  report_items(report, batch);
  return report;
}

void OneWayModel::update_generator(Pictures& pictures, LossTensors& losses, GradientSync& sync) {
  freeze(*d_b_);
  if (d_a_) freeze(*d_a_);
  opt_g_->zero_grad();
  pictures.keep_residuals(residuals_for(terms_));
  LossTensors means;
  for (const TermGroup& group : groups_) means.merge(descend(group, terms_, maps(), translations_, pictures));
  for (const LossTerm& term : terms_) losses[term.name] = means.at(term.name) * term.weight;
  if (!spec_.unweighted.empty()) losses[spec_.unweighted] = means.at(spec_.beside->name);
  sync.sync(*opt_g_);
  opt_g_->step();
}

void OneWayModel::learn(const DiscriminatorLoss& of, const Pictures& pictures, LossTensors& losses,
                        StepContext& context) {
  const bool of_a = of.real == Picture::real_a;
  StreamDraws own(context.rng["pool"]);
  PoolDraws& draws = pool_draws_ ? *pool_draws_ : own;
  const Tensor shown = (of_a ? pool_a_ : pool_b_).query(pictures[of.fake], draws);
  const Tensor loss = telling_apart(of_a ? *d_a_ : *d_b_, pictures[of.real], shown,
                                    {gan_, spec_.gan.gp_weight, placement_}, context.rng);
  loss.backward();
  losses[of.name] = loss.detach();
}

void OneWayModel::update_discriminators(const Pictures& pictures, LossTensors& losses, StepContext& context) {
  unfreeze(*d_b_);
  if (d_a_) unfreeze(*d_a_);
  opt_d_->zero_grad();
  for (const DiscriminatorLoss& each : learnt_) learn(each, pictures, losses, context);
  context.sync.sync(*opt_d_);
  opt_d_->step();
}

std::int64_t OneWayModel::batches_per_step() const { return critic_steps(gan_, spec_.one_way.critic_steps); }

std::vector<NamedNetwork> OneWayModel::networks() const {
  if (!d_a_) return {{"g_a_to_b", g_a_to_b_}, {"d_b", d_b_}};
  return {{"g_a_to_b", g_a_to_b_}, {"d_a", d_a_}, {"d_b", d_b_}};
}

std::vector<Optimizer*> OneWayModel::optimizers() { return {opt_g_.get(), opt_d_.get()}; }

std::vector<std::string> OneWayModel::loss_names() const {
  std::vector<std::string> names;
  if (d_a_) names.push_back("d_a");
  names.push_back("d_b");
  for (const LossTerm& term : terms_) names.push_back(term.name);
  if (!spec_.unweighted.empty()) names.push_back(spec_.unweighted);
  return names;
}

std::vector<std::vector<LabelledImages>> OneWayModel::sample(const Batch& batch) {
  using enum Picture;
  const EvaluationScope evaluation(networks());
  Pictures pictures = place(batch);
  pictures.make(fake_b, maps());
  std::vector<LabelledImages> row = {
      {"real_a", pictures[real_a]}, {"fake_b", pictures[fake_b]}, {"real_b", pictures[real_b]}};
  if (b_to_a_) {
    pictures.make(fake_a, maps());
    row.push_back({"fake_a", pictures[fake_a]});
  }
  return {row};
}

void OneWayModel::save_extra(Archive& archive) const {
  if (d_a_) pool_a_.save(archive, "pool_a");
  pool_b_.save(archive, "pool_b");
  save_generator(archive, "dropout_generator", dropout_generator_);
}

void OneWayModel::load_extra(const Archive& archive) {
  const auto placement = at::TensorOptions(placement_.device).dtype(placement_.dtype);
  if (d_a_) pool_a_.load(archive, "pool_a", spec_.d_a.in_channels, placement);
  pool_b_.load(archive, "pool_b", spec_.d_b.in_channels, placement);
  load_generator(archive, "dropout_generator", dropout_generator_);
}

}  // namespace torsor
