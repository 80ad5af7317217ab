#include "model/cyclegan.h"

#include <torch/types.h>

#include <algorithm>

#include "loss/distance.h"
#include "model/evaluation.h"
#include "model/generator_state.h"

namespace torsor {

namespace {

using at::Tensor;

constexpr double kDefaultLambdaIdentity = 0.5;
constexpr std::int64_t kDefaultWassersteinCriticSteps = 5;  // Gulrajani et al. 2017

}  // namespace

void CycleGanOptions::describe(OptionSet& o) {
  o.add("lambda_cycle_a", lambda_cycle_a, "weight of the cycle A to B to A; 0 = off")
      .at_least(0)
      .common()
      .changeable();
  o.add("lambda_cycle_b", lambda_cycle_b, "weight of the cycle B to A to B; 0 = off")
      .at_least(0)
      .common()
      .changeable();
  o.add("lambda_gan", lambda_gan, "weight of the adversarial losses; 0 = off").at_least(0).changeable();
  o.add("cycle_norm", cycle_norm, "l1: mean |x - y|, l2: mean (x - y)^2; cycle and identity losses")
      .choices(distance_norms());
  o.add("lambda_identity", lambda_identity,
        "identity loss as in the reference: each generator fed its target domain, weight relative to the "
        "cycle's; 0.5 unless --alpha-id is given; 0 = off")
      .at_least(0)
      .common()
      .changeable();
  o.add("alpha_id", alpha_id,
        "identity loss as in Moriakov et al.: each generator fed its own input domain, absolute weight; "
        "switches --lambda-identity off")
      .at_least(0)
      .changeable();
  o.add("pool_size", pool_size, "generated images kept to show the discriminators again; 0 = off")
      .at_least(0);
  o.add("backward", backward,
        "grouped: losses that share no pass through a generator go backward one after the other, so that two "
        "passes are kept at a time, not six; joint: all in one, in the reference's order; equal but for "
        "rounding")
      .choices({"grouped", "joint"})
      .changeable();
  o.add("critic_steps", critic_steps, "discriminator updates per generator update; 5 for wgangp, else 1")
      .range(1, 1000);
}

void CycleGanOptions::validate() const {
  if (lambda_identity && alpha_id)
    fail_usage("--lambda-identity and --alpha-id are two forms of the identity loss; give one of them");
  if (lambda_cycle_a == 0 && lambda_cycle_b == 0 && lambda_gan == 0)
    fail_usage("--lambda-gan, --lambda-cycle-a and --lambda-cycle-b are all 0: nothing would be learnt");
}

IdentityTerm resolve_identity(const CycleGanOptions& o, std::int64_t channels_a, std::int64_t channels_b,
                              std::string& notice) {
  o.validate();
  const bool asked = o.lambda_identity.value_or(0) > 0 || o.alpha_id.value_or(0) > 0;
  if (channels_a != channels_b) {
    if (asked)
      fail_usage(
          "{}: the identity loss compares input and output, which here have {} and {} channels; set it to 0",
          o.alpha_id ? "--alpha-id" : "--lambda-identity", channels_a, channels_b);
    if (!o.lambda_identity && !o.alpha_id)
      notice =
          fmt::format("the identity loss is off: A has {} channels and B has {}", channels_a, channels_b);
    return {};
  }
  if (o.alpha_id) return {*o.alpha_id, *o.alpha_id, /*source=*/true};
  const double relative = o.lambda_identity.value_or(kDefaultLambdaIdentity);
  return {o.lambda_cycle_b * relative, o.lambda_cycle_a * relative, /*source=*/false};
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
      pool_b_(spec.cyclegan.pool_size) {
  std::string notice;
  identity_ = resolve_identity(spec.cyclegan, spec.g_a_to_b.in_channels, spec.g_b_to_a.in_channels, notice);
  prepare_networks(networks(), spec.init, placement, seed, dropout_generator_);
  opt_g_ =
      std::make_unique<Optimizer>("opt_g", spec.optimizer, parameters_of({g_a_to_b_.get(), g_b_to_a_.get()}));
  opt_d_ = std::make_unique<Optimizer>("opt_d", discriminator_optimizer(spec.optimizer),
                                       parameters_of({d_a_.get(), d_b_.get()}));
}

StepReport CycleGan::step(StepContext& context) {
  StepReport report;
  LossTensors losses;
  for (std::int64_t extra = batches_per_step() - 1; extra > 0; --extra) {
    Images images = place(pull_batch(context, report));
    at::NoGradGuard no_grad;
    images.fake_b = run(*g_a_to_b_, images.real_a);
    images.fake_a = run(*g_b_to_a_, images.real_b);
    at::AutoGradMode with_grad(true);
    update_discriminators(images, losses, context);
  }
  const Batch batch = pull_batch(context, report);
  Images images = place(batch);
  update_generators(images, losses, context.sync);
  if (spec_.cyclegan.lambda_gan > 0) update_discriminators(images, losses, context);
  report_losses(report, loss_names(), losses);
  report_items(report, batch);
  return report;
}

CycleGan::Images CycleGan::place(const Batch& batch) const {
  Images images;
  images.real_a = placed(batch, "real_a", placement_);
  images.real_b = placed(batch, "real_b", placement_);
  return images;
}

Tensor CycleGan::run(Network& network, const Tensor& x) const { return run_network(network, x, placement_); }

void CycleGan::update_generators(Images& images, LossTensors& losses, GradientSync& sync) {
  freeze(*d_a_);
  freeze(*d_b_);
  opt_g_->zero_grad();
  for (const std::vector<Term>& group : term_groups()) {
    for (const Term term : group) compute(term, images, losses);
    backward(group, losses);
    // What the group's graph holds is freed with it.
    for (Tensor* image : {&images.fake_a, &images.fake_b})
      if (image->defined()) *image = image->detach();
    images.rec_a = images.rec_b = Tensor();
  }
  sync.sync(*opt_g_);
  opt_g_->step();
}

std::vector<std::vector<CycleGan::Term>> CycleGan::term_groups() const {
  using enum Term;
  if (spec_.cyclegan.backward == "joint")  // the reference's order
    return {{cycle_of_a, cycle_of_b, idt_a, idt_b, g_a_to_b, g_b_to_a, cycle_a, cycle_b}};
  // Terms with a pass through a generator in common stay together; the generators run in the same order,
  // which dropout and running statistics depend on.
  if (identity_.source)
    return {{cycle_of_a, idt_a, g_a_to_b, cycle_a}, {cycle_of_b, idt_b, g_b_to_a, cycle_b}};
  return {{cycle_of_a, g_a_to_b, cycle_a}, {cycle_of_b, g_b_to_a, cycle_b}, {idt_a}, {idt_b}};
}

void CycleGan::compute(Term term, Images& i, LossTensors& losses) {
  const CycleGanOptions& o = spec_.cyclegan;
  const bool gan = o.lambda_gan > 0;
  // The reference runs every pass whatever its weight, which running statistics show.
  const bool all = keeps_running_statistics(spec_.g_a_to_b.norm);
  const auto there_and_back = [&](Generator& there, Generator& back, double weight, const Tensor& real,
                                  Tensor& fake, Tensor& rec) {
    if (gan || all || weight > 0) fake = run(there, real);
    if (all || weight > 0) rec = run(back, fake);
  };
  const auto adversarial = [&](const char* name, Network& discriminator, const Tensor& fake) {
    if (gan) losses[name] = gan_.generator(run(discriminator, fake)) * o.lambda_gan;
  };
  const auto cycle = [&](const char* name, double weight, const Tensor& rec, const Tensor& real) {
    if (weight > 0) losses[name] = distance(rec, real, o.cycle_norm) * weight;
  };
  // In source mode the identity image is the translation itself, which is there already unless no other term
  // needs it.
  const auto identity = [&](const char* name, double weight, Generator& generator, const Tensor& source,
                            const Tensor& fake, const Tensor& target) {
    if (weight == 0) return;
    const Tensor& kept = identity_.source ? source : target;
    const Tensor made = identity_.source && fake.defined() ? fake : run(generator, kept);
    losses[name] = distance(made, kept, o.cycle_norm) * weight;
  };
  switch (term) {
    case Term::cycle_of_a:
      return there_and_back(*g_a_to_b_, *g_b_to_a_, o.lambda_cycle_a, i.real_a, i.fake_b, i.rec_a);
    case Term::cycle_of_b:
      return there_and_back(*g_b_to_a_, *g_a_to_b_, o.lambda_cycle_b, i.real_b, i.fake_a, i.rec_b);
    case Term::g_a_to_b:
      return adversarial("g_a_to_b", *d_b_, i.fake_b);
    case Term::g_b_to_a:
      return adversarial("g_b_to_a", *d_a_, i.fake_a);
    case Term::cycle_a:
      return cycle("cycle_a", o.lambda_cycle_a, i.rec_a, i.real_a);
    case Term::cycle_b:
      return cycle("cycle_b", o.lambda_cycle_b, i.rec_b, i.real_b);
    case Term::idt_a:
      return identity("idt_a", identity_.weight_a_to_b, *g_a_to_b_, i.real_a, i.fake_b, i.real_b);
    case Term::idt_b:
      return identity("idt_b", identity_.weight_b_to_a, *g_b_to_a_, i.real_b, i.fake_a, i.real_a);
  }
}

void CycleGan::backward(const std::vector<Term>& group, LossTensors& losses) {
  using enum Term;
  Tensor total;
  // The order in which the reference adds them up.
  for (const auto& [term, name] : std::initializer_list<std::pair<Term, const char*>>{{g_a_to_b, "g_a_to_b"},
                                                                                      {g_b_to_a, "g_b_to_a"},
                                                                                      {cycle_a, "cycle_a"},
                                                                                      {cycle_b, "cycle_b"},
                                                                                      {idt_a, "idt_a"},
                                                                                      {idt_b, "idt_b"}}) {
    const auto found = losses.find(name);
    if (found == losses.end() || std::find(group.begin(), group.end(), term) == group.end()) continue;
    total = total.defined() ? total + found->second : found->second;
  }
  if (!total.defined()) return;
  total.backward();
  for (auto& [name, loss] : losses) loss = loss.detach();
}

void CycleGan::update_discriminators(const Images& images, LossTensors& losses, StepContext& context) {
  unfreeze(*d_a_);
  unfreeze(*d_b_);
  opt_d_->zero_grad();
  StreamDraws own(context.rng["pool"]);
  PoolDraws& draws = pool_draws_ ? *pool_draws_ : own;
  // B first: the order in which the reference's two buffers draw.
  const Tensor fake_b = pool_b_.query(images.fake_b, draws);
  losses["d_b"] = discriminator_loss(*d_b_, images.real_b, fake_b, context.rng);
  losses["d_b"].backward();
  const Tensor fake_a = pool_a_.query(images.fake_a, draws);
  losses["d_a"] = discriminator_loss(*d_a_, images.real_a, fake_a, context.rng);
  losses["d_a"].backward();
  context.sync.sync(*opt_d_);
  opt_d_->step();
}

Tensor CycleGan::discriminator_loss(Network& discriminator, const Tensor& real, const Tensor& fake,
                                    RngStreams& rng) {
  const Tensor fooled = fake.detach();
  // Real first: batch norm's running statistics depend on the order.
  const Tensor real_scores = run(discriminator, real);
  const Tensor fake_scores = run(discriminator, fooled);
  Tensor loss = gan_.discriminator(real_scores, fake_scores) * 0.5;
  if (gan_.needs_penalty && spec_.gan.gp_weight > 0) {
    const Tensor penalty = drawn_gradient_penalty(discriminator, real, fooled, rng);
    loss = loss + penalty * (0.5 * spec_.gan.gp_weight);
  }
  return loss * spec_.cyclegan.lambda_gan;
}

std::int64_t CycleGan::batches_per_step() const {
  if (spec_.cyclegan.lambda_gan == 0) return 1;
  return spec_.cyclegan.critic_steps.value_or(gan_.needs_penalty ? kDefaultWassersteinCriticSteps : 1);
}

std::vector<NamedNetwork> CycleGan::networks() const {
  return {{"g_a_to_b", g_a_to_b_}, {"g_b_to_a", g_b_to_a_}, {"d_a", d_a_}, {"d_b", d_b_}};
}

std::vector<Optimizer*> CycleGan::optimizers() { return {opt_g_.get(), opt_d_.get()}; }

std::vector<std::string> CycleGan::loss_names() const {
  return {"d_a", "d_b", "g_a_to_b", "g_b_to_a", "cycle_a", "cycle_b", "idt_a", "idt_b"};
}

std::vector<std::vector<LabelledImages>> CycleGan::sample(const Batch& batch) {
  const EvaluationScope evaluation(networks());
  Images i = place(batch);
  const Tensor fake_b = run(*g_a_to_b_, i.real_a), fake_a = run(*g_b_to_a_, i.real_b);
  std::vector<LabelledImages> forward = {
      {"real_a", i.real_a}, {"fake_b", fake_b}, {"rec_a", run(*g_b_to_a_, fake_b)}};
  std::vector<LabelledImages> backward = {
      {"real_b", i.real_b}, {"fake_a", fake_a}, {"rec_b", run(*g_a_to_b_, fake_a)}};
  if (spec_.g_a_to_b.in_channels == spec_.g_a_to_b.out_channels) {
    // The identity image as the loss sees it, beside the real image it is compared with.
    forward.push_back(identity_.source ? LabelledImages{"idt_a", fake_b}
                                       : LabelledImages{"idt_b", run(*g_b_to_a_, i.real_a)});
    backward.push_back(identity_.source ? LabelledImages{"idt_b", fake_a}
                                        : LabelledImages{"idt_a", run(*g_a_to_b_, i.real_b)});
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
