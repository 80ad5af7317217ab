#include "model/cyclegan.h"

#include <torch/types.h>

#include "core/error.h"
#include "loss/response_spread.h"
#include "model/class_planes.h"
#include "model/evaluation.h"
#include "model/generator_state.h"
#include "model/term_step.h"

namespace torsor {

namespace {

using at::Tensor;

// The difference of two passes shows the change of the input alone.
void require_exact_passes(const CycleGanSpec& spec, const Placement& placement) {
  if (spec.cyclegan.cures.lambda_jacobian > 0 && placement.autocast)
    fail_usage(
        "--lambda-jacobian compares two passes of a generator, which differ by less than the rounding "
        "of --precision bf16; give --precision fp32");
}

}  // namespace

void require_usable(const CycleGanSpec& spec) {
  const CureOptions& cures = spec.cyclegan.cures;
  if (cures.lambda_jacobian > 0 && (spec.g_a_to_b.dropout || spec.g_b_to_a.dropout))
    fail_usage(
        "--lambda-jacobian compares two passes of a generator, which dropout makes differ; leave out "
        "one of them");
  if (!cures.classes().empty() && gan_loss(spec.gan.gan_mode).needs_penalty)
    fail_usage(
        "--labels-a: the gradient penalty of --gan-mode {} mixes a real image with a generated one of "
        "the same class, and a step has none; choose another --gan-mode",
        spec.gan.gan_mode);
  if (!spec.cyclegan.transport.on()) return;
  for (const GeneratorOptions* generator : {&spec.g_a_to_b, &spec.g_b_to_a})
    require_transport_cost(spec.cyclegan.transport, *generator);
}

CycleGan::CycleGan(const CycleGanSpec& spec, const Placement& placement, std::uint64_t seed)
    : spec_(spec),
      placement_(placement),
      gan_(gan_loss(spec.gan.gan_mode)),
      g_a_to_b_(make_generator(spec.g_a_to_b)),
      g_b_to_a_(make_generator(spec.g_b_to_a)),
      d_a_(make_discriminator(spec.d_a)),
      d_b_(make_discriminator(spec.d_b)),
      dropout_generator_(make_dropout_generator(seed)),
      pool_a_(spec.cyclegan.pool_size),
      pool_b_(spec.cyclegan.pool_size),
      discriminator_losses_(discriminator_losses(spec.cyclegan)),
      classes_(static_cast<std::int64_t>(spec.cyclegan.cures.classes().size())) {
  require_usable(spec);
  require_exact_passes(spec, placement);
  std::string notice;
  identity_ = resolve_identity(spec.cyclegan, spec.g_a_to_b.in_channels, spec.g_b_to_a.in_channels, notice);
  terms_ = generator_terms(spec.cyclegan, gan_, identity_);
  groups_ = groups();
  for (const auto& encoder : {spec_.encoder, spec_.transport_encoder})
    if (encoder) encoder->set_placement(placement);
  prepare_networks(networks(), spec.init, placement, seed, dropout_generator_);
  opt_g_ =
      std::make_unique<Optimizer>("opt_g", spec.optimizer, parameters_of({g_a_to_b_.get(), g_b_to_a_.get()}));
  opt_d_ = std::make_unique<Optimizer>("opt_d", discriminator_optimizer(spec.optimizer),
                                       parameters_of({d_a_.get(), d_b_.get()}));
}

CycleMaps CycleGan::maps() const {
  const auto map = [&](const std::shared_ptr<Network>& network) -> TensorMapping {
    return [this, network = network.get()](const Tensor& x) { return run(*network, x); };
  };
  const auto features = [&](const std::shared_ptr<Network>& network) -> TensorMapping {
    return [this, network = network.get()](const Tensor& x) {
      const AutocastScope autocast(placement_);
      return features_of(*network, x).to(placement_.dtype);
    };
  };
  const auto in_blocks = [&](const std::shared_ptr<Generator>& generator) -> ResidualMapping {
    return [this, generator = generator.get()](const Tensor& x, std::vector<Tensor>& residuals) {
      return run_in_blocks(*generator, x, placement_, residuals);
    };
  };
  CycleMaps out{map(g_a_to_b_), map(g_b_to_a_), map(d_a_), map(d_b_), features(d_a_), features(d_b_)};
  if (spec_.encoder) out.encoder = [this](const Tensor& x) { return (*spec_.encoder)(x); };
  if (spec_.transport_encoder)
    out.transport_encoder = [this](const Tensor& x) { return (*spec_.transport_encoder)(x); };
  out.a_to_b_in_blocks = in_blocks(g_a_to_b_);
  out.b_to_a_in_blocks = in_blocks(g_b_to_a_);
  return out;
}

std::vector<TermGroup> CycleGan::groups() const {
  using enum Picture;
  std::vector<Picture> also = pictures_for(discriminator_losses_);
  // The reference runs every pass of the cycles whatever its weight, which running statistics show.
  if (keeps_running_statistics(spec_.g_a_to_b.norm)) also.insert(also.end(), {fake_b, rec_a, fake_a, rec_b});
  const Grouping grouping = spec_.cyclegan.backward == "joint" ? Grouping::joint : Grouping::grouped;
  return group_terms(terms_, grouping, also);
}

bool CycleGan::is_adversarial() const {
  return discriminator_losses_[0].on() || discriminator_losses_[1].on();
}

StepReport CycleGan::step(StepContext& context) {
  StepReport report;
  LossTensors losses;
  const CycleMaps networks = maps();
  for (std::int64_t extra = batches_per_step() - 1; extra > 0; --extra) {
    Pictures pictures = place_with_classes(pull_batch(context, report));
    at::NoGradGuard no_grad;
    for (const Picture which : passes_to(pictures_for(discriminator_losses_))) pictures.make(which, networks);
    at::AutoGradMode with_grad(true);
    update_discriminators(pictures, losses, context);
  }
  const Batch batch = pull_batch(context, report);
  Pictures pictures = place_with_classes(batch);
  give_extras(pictures, batch, context.rng);
  update_generators(pictures, losses, context.sync);
  if (is_adversarial()) update_discriminators(pictures, losses, context);
  report_losses(report, loss_names(), losses);
  report_items(report, batch);
  return report;
}

Pictures CycleGan::place(const Batch& batch) const {
  return {placed(batch, "real_a", placement_), placed(batch, "real_b", placement_)};
}

Pictures CycleGan::place_with_classes(const Batch& batch) const {
  Pictures out = place(batch);
  if (classes_ == 0) return out;
  const auto planes = [&](const std::string& name) {
    return class_planes(batch.at(name), classes_,
                        at::TensorOptions(placement_.device).dtype(placement_.dtype));
  };
  out.label(planes("label_a"), planes("label_b"));
  return out;
}

// What cures need beside the real images; nothing is drawn where they are off.
void CycleGan::give_extras(Pictures& pictures, const Batch& batch, RngStreams& rng) const {
  using enum Picture;
  const CureOptions& cures = spec_.cyclegan.cures;
  if (cures.anchor_weight() > 0) {
    pictures.give(anchor_a, placed(batch, "anchor_a", placement_));
    pictures.give(anchor_b, placed(batch, "anchor_b", placement_));
  }
  if (cures.lambda_jacobian > 0) {
    pictures.give(nudged_a, nudged(pictures[real_a], rng["jacobian"]));
    pictures.give(nudged_b, nudged(pictures[real_b], rng["jacobian"]));
  }
}

Tensor CycleGan::run(Network& network, const Tensor& x) const { return run_network(network, x, placement_); }

void CycleGan::update_generators(Pictures& pictures, LossTensors& losses, GradientSync& sync) {
  freeze(*d_a_);
  freeze(*d_b_);
  opt_g_->zero_grad();
  const CycleMaps networks = maps();
  pictures.keep_residuals(residuals_for(terms_));
  for (const TermGroup& group : groups_) {
    const LossTensors means = descend(group, terms_, networks, pictures_for(discriminator_losses_), pictures);
    for (const std::size_t place : group.terms)
      losses[terms_[place].name] = means.at(terms_[place].name) * terms_[place].weight;
  }
  sync.sync(*opt_g_);
  opt_g_->step();
}

void CycleGan::update_discriminators(const Pictures& pictures, LossTensors& losses, StepContext& context) {
  unfreeze(*d_a_);
  unfreeze(*d_b_);
  opt_d_->zero_grad();
  StreamDraws own(context.rng["pool"]);
  PoolDraws& draws = pool_draws_ ? *pool_draws_ : own;
  // B first: the order in which the reference's two buffers draw.
  for (const DiscriminatorLoss* learnt : {&discriminator_losses_[1], &discriminator_losses_[0]}) {
    if (!learnt->on()) continue;
    const Tensor loss = discriminator_loss(*learnt, pictures, draws, context.rng);
    loss.backward();
    losses[learnt->name] = loss.detach();
  }
  context.sync.sync(*opt_d_);
  opt_d_->step();
}

Tensor CycleGan::discriminator_loss(const DiscriminatorLoss& of, const Pictures& pictures, PoolDraws& draws,
                                    RngStreams& rng) {
  const bool of_a = of.real == Picture::real_a;
  Network& discriminator = of_a ? *d_a_ : *d_b_;
  ImagePool& pool = of_a ? pool_a_ : pool_b_;
  Tensor total;
  const DiscriminatorRule rule{gan_, spec_.gan.gp_weight, placement_};
  const auto add = [&](const Tensor& fake, double weight) {
    const Tensor loss = telling_apart(discriminator, pictures.seen(of.real), fake, rule, rng) * weight;
    total = total.defined() ? total + loss : loss;
  };
  if (of.of_fakes > 0) add(pool.query(pictures.seen(of.fake), draws), of.of_fakes);
  if (of.of_recs > 0) add(pictures.seen(of.rec), of.of_recs);
  return total;
}

std::int64_t CycleGan::batches_per_step() const {
  if (!is_adversarial()) return 1;
  return critic_steps(gan_, spec_.cyclegan.critic_steps);
}

std::vector<NamedNetwork> CycleGan::networks() const {
  return {{"g_a_to_b", g_a_to_b_}, {"g_b_to_a", g_b_to_a_}, {"d_a", d_a_}, {"d_b", d_b_}};
}

std::vector<Optimizer*> CycleGan::optimizers() { return {opt_g_.get(), opt_d_.get()}; }

std::vector<std::string> CycleGan::loss_names() const {
  std::vector<std::string> names;
  for (const DiscriminatorLoss& loss : discriminator_losses_) names.push_back(loss.name);
  for (const LossTerm& term : terms_) names.push_back(term.name);
  return names;
}

std::vector<std::vector<LabelledImages>> CycleGan::sample(const Batch& batch) {
  const EvaluationScope evaluation(networks());
  using enum Picture;
  Pictures p = place(batch);
  const CycleMaps networks = maps();
  const auto shown = [&](const std::string& label, Picture which) {
    p.make(which, networks);
    return LabelledImages{label, p[which]};
  };
  std::vector<LabelledImages> forward = {{"real_a", p[real_a]}}, backward = {{"real_b", p[real_b]}};
  forward.push_back(shown("fake_b", fake_b));
  forward.push_back(shown("rec_a", rec_a));
  backward.push_back(shown("fake_a", fake_a));
  backward.push_back(shown("rec_b", rec_b));
  if (spec_.g_a_to_b.in_channels == spec_.g_a_to_b.out_channels) {
    // The identity image as the loss sees it, beside the real image it is compared with.
    forward.push_back(identity_.source ? LabelledImages{"idt_a", p[fake_b]} : shown("idt_b", same_a));
    backward.push_back(identity_.source ? LabelledImages{"idt_b", p[fake_a]} : shown("idt_a", same_b));
  }
  return {forward, backward};
}

void CycleGan::save_extra(Archive& archive) const {
  pool_a_.save(archive, "pool_a");
  pool_b_.save(archive, "pool_b");
  save_generator(archive, "dropout_generator", dropout_generator_);
}

void CycleGan::load_extra(const Archive& archive) {
  const auto placement = at::TensorOptions(placement_.device).dtype(placement_.dtype);
  pool_a_.load(archive, "pool_a", spec_.d_a.in_channels, placement);
  pool_b_.load(archive, "pool_b", spec_.d_b.in_channels, placement);
  load_generator(archive, "dropout_generator", dropout_generator_);
}

}  // namespace torsor
