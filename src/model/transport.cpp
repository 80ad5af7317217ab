#include "model/transport.h"

#include <torch/types.h>

#include <algorithm>

#include "core/error.h"
#include "model/evaluation.h"
#include "model/generator_state.h"
#include "model/term_step.h"

namespace torsor {

using at::Tensor;

TransportCostOptions TransportModelOptions::weighted_cost() {
  TransportCostOptions o;
  o.lambda_transport = 1;
  return o;
}

void TransportModelOptions::describe(OptionSet& o) {
  cost.describe(o);
  o.add("reverse_gan", reverse_gan,
        "weight of an adversarial loss of the way back: what the generator's inverse makes of images of B, "
        "against a discriminator of A; needs a generator that has an inverse; 0 = off")
      .at_least(0);
  o.find("lambda_transport")->common();
  o.find("transport_cost")->common();
  o.add("pool_size", pool_size, "generated images kept to show the discriminator again; 0 = off").at_least(0);
  o.add("critic_steps", critic_steps, "discriminator updates per generator update; 5 for wgangp, else 1")
      .range(1, 1000);
}

namespace {

// The row of CycleGAN's table.
LossTerm way_back_term(double weight, const GanLoss& gan) {
  CycleGanOptions o;
  o.lambda_gan_b = weight;
  const std::vector<LossTerm> terms = generator_terms(o, gan, {});
  const auto found =
      std::find_if(terms.begin(), terms.end(), [](const LossTerm& term) { return term.name == "g_b_to_a"; });
  return *found;
}

}  // namespace

void require_usable(const TransportSpec& spec) {
  require_transport_cost(spec.transport.cost, spec.g_a_to_b);
  if (spec.transport.reverse_gan > 0 && !spec.inverse)
    fail_usage(
        "--reverse-gan judges what the inverse of the generator makes of images of B, and --net-g {} has "
        "none; "
        "leave it out, or give a flow, --net-g flow_2",
        spec.g_a_to_b.net_g);
}

TransportModel::TransportModel(const TransportSpec& spec, const Placement& placement, std::uint64_t seed)
    : spec_(spec),
      placement_(placement),
      gan_(gan_loss(spec.gan.gan_mode)),
      g_a_to_b_(make_generator(spec.g_a_to_b)),
      d_a_(spec.transport.reverse_gan > 0 ? make_discriminator(spec.d_a) : nullptr),
      d_b_(make_discriminator(spec.d_b)),
      dropout_generator_(make_dropout_generator(seed)),
      pool_a_(spec.transport.pool_size),
      pool_b_(spec.transport.pool_size),
      terms_(one_way_terms(spec.transport.cost, gan_)) {
  using enum Picture;
  require_usable(spec);
  groups_.push_back({{fake_b}, {0, 1}});
  // As in CycleGan the discriminator of B is the first.
  learnt_.push_back({"d_b", real_b, fake_b, rec_b, 1});
  if (spec.transport.reverse_gan > 0) {
    terms_.push_back(way_back_term(spec.transport.reverse_gan, gan_));
    groups_.push_back({{fake_a}, {2}});
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

Pictures TransportModel::place(const Batch& batch) const {
  return {placed(batch, "real_a", placement_), placed(batch, "real_b", placement_)};
}

CycleMaps TransportModel::maps() const {
  CycleMaps out;
  out.a_to_b = [this](const Tensor& x) { return run_network(*g_a_to_b_, x, placement_); };
  out.a_to_b_in_blocks = [this](const Tensor& x, std::vector<Tensor>& residuals) {
    return run_in_blocks(*g_a_to_b_, x, placement_, residuals);
  };
  if (b_to_a_) out.b_to_a = [this](const Tensor& y) { return run_network(*b_to_a_, y, placement_); };
  if (d_a_) out.d_a = [this](const Tensor& x) { return run_network(*d_a_, x, placement_); };
  out.d_b = [this](const Tensor& x) { return run_network(*d_b_, x, placement_); };
  if (spec_.encoder) out.transport_encoder = [this](const Tensor& x) { return (*spec_.encoder)(x); };
  return out;
}

StepReport TransportModel::step(StepContext& context) {
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

void TransportModel::update_generator(Pictures& pictures, LossTensors& losses, GradientSync& sync) {
  freeze(*d_b_);
  if (d_a_) freeze(*d_a_);
  opt_g_->zero_grad();
  pictures.keep_residuals(residuals_for(terms_));
  LossTensors means;
  for (const TermGroup& group : groups_) means.merge(descend(group, terms_, maps(), translations_, pictures));
  for (const LossTerm& term : terms_) losses[term.name] = means.at(term.name) * term.weight;
  losses["cost_a"] = means.at("transport_a");
  sync.sync(*opt_g_);
  opt_g_->step();
}

void TransportModel::learn(const DiscriminatorLoss& of, const Pictures& pictures, LossTensors& losses,
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

void TransportModel::update_discriminators(const Pictures& pictures, LossTensors& losses,
                                           StepContext& context) {
  unfreeze(*d_b_);
  if (d_a_) unfreeze(*d_a_);
  opt_d_->zero_grad();
  for (const DiscriminatorLoss& each : learnt_) learn(each, pictures, losses, context);
  context.sync.sync(*opt_d_);
  opt_d_->step();
}

std::int64_t TransportModel::batches_per_step() const {
  return critic_steps(gan_, spec_.transport.critic_steps);
}

std::vector<NamedNetwork> TransportModel::networks() const {
  if (!d_a_) return {{"g_a_to_b", g_a_to_b_}, {"d_b", d_b_}};
  return {{"g_a_to_b", g_a_to_b_}, {"d_a", d_a_}, {"d_b", d_b_}};
}

std::vector<Optimizer*> TransportModel::optimizers() { return {opt_g_.get(), opt_d_.get()}; }

std::vector<std::string> TransportModel::loss_names() const {
  std::vector<std::string> names;
  if (d_a_) names.push_back("d_a");
  names.push_back("d_b");
  for (const LossTerm& term : terms_) names.push_back(term.name);
  names.push_back("cost_a");
  return names;
}

std::vector<std::vector<LabelledImages>> TransportModel::sample(const Batch& batch) {
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

void TransportModel::save_extra(Archive& archive) const {
  if (d_a_) pool_a_.save(archive, "pool_a");
  pool_b_.save(archive, "pool_b");
  save_generator(archive, "dropout_generator", dropout_generator_);
}

void TransportModel::load_extra(const Archive& archive) {
  const auto placement = at::TensorOptions(placement_.device).dtype(placement_.dtype);
  if (d_a_) pool_a_.load(archive, "pool_a", spec_.d_a.in_channels, placement);
  pool_b_.load(archive, "pool_b", spec_.d_b.in_channels, placement);
  load_generator(archive, "dropout_generator", dropout_generator_);
}

}  // namespace torsor
