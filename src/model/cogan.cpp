#include "model/cogan.h"

#include <torch/types.h>

#include <algorithm>

#include "core/error.h"
#include "loss/distance.h"
#include "model/evaluation.h"
#include "model/generator_state.h"
#include "model/term_step.h"

namespace torsor {

using at::Tensor;

namespace {

std::shared_ptr<LatentGenerator> latent_generator(const GeneratorOptions& options) {
  require_latent(options);
  return std::dynamic_pointer_cast<LatentGenerator>(make_generator(options));
}

// Each once, though networks share some.
std::vector<Tensor> distinct(const std::vector<std::vector<Tensor>>& lists) {
  std::vector<Tensor> out;
  for (const std::vector<Tensor>& list : lists)
    for (const Tensor& tensor : list)
      if (std::none_of(out.begin(), out.end(), [&](const Tensor& known) { return known.is_same(tensor); }))
        out.push_back(tensor);
  return out;
}

}  // namespace

void require_latent(const GeneratorOptions& options) {
  if (options.net_g.starts_with(kLatentPrefix)) {
    size_rule_of(options);  // throws for a side that it is not made for
    return;
  }
  fail_usage(
      "--model cogan renders images from a latent vector, and --net-g {} has none; give --net-g latent_<n> "
      "with n the images' side, latent_128 for example",
      options.net_g);
}

void CoGanOptions::describe(OptionSet& o) {
  o.add("lambda_rec", lambda_rec,
        "weight of mean |x' - x| between an image and the rendering of the latent that its encoder names")
      .at_least(0)
      .changeable();
  o.add("lambda_latent", lambda_latent,
        "weight of mean (E(G(z)) - z)^2 between a latent and what the encoder names of its rendering")
      .at_least(0)
      .changeable();
  describe_critic_steps(o, critic_steps);
}

CoGan::CoGan(const CoGanSpec& spec, const Placement& placement, std::uint64_t seed)
    : spec_(spec),
      placement_(placement),
      gan_(gan_loss(spec.gan.gan_mode)),
      g_a_to_b_(latent_generator(spec.g_a_to_b)),
      g_b_to_a_(latent_generator(spec.g_b_to_a)),
      d_a_(make_discriminator(spec.d_a)),
      d_b_(make_discriminator(spec.d_b)),
      dropout_generator_(make_dropout_generator(seed)) {
  g_b_to_a_->share_decoder(*g_a_to_b_);
  share_last_half(*d_b_, *d_a_);
  prepare_networks(networks(), spec.init, placement, seed, dropout_generator_);
  opt_g_ = std::make_unique<Optimizer>(
      "opt_g", spec.optimizer, distinct({g_a_to_b_->decoder_parameters(), g_b_to_a_->decoder_parameters()}));
  opt_d_ = std::make_unique<Optimizer>("opt_d", discriminator_optimizer(spec.optimizer),
                                       distinct({d_a_->parameters(), d_b_->parameters()}));
  opt_e_ = std::make_unique<Optimizer>(
      "opt_e", spec.optimizer, distinct({g_a_to_b_->encoder_parameters(), g_b_to_a_->encoder_parameters()}));
}

CoGan::Real CoGan::place(const Batch& batch) const {
  return {placed(batch, "real_a", placement_), placed(batch, "real_b", placement_)};
}

Tensor CoGan::draw_latents(const Tensor& like, Rng& rng) const {
  const auto shape = g_a_to_b_->latent_shape(like.size(0), like.size(2), like.size(3));
  Tensor z = at::empty(shape, at::kDouble);
  for (std::int64_t i = 0; i < z.numel(); ++i) z.data_ptr<double>()[i] = rng.uniform(-1, 1);
  return z.to(placement_.device, placement_.dtype);
}

Tensor CoGan::decode(const LatentGenerator& g, const Tensor& z) const {
  const AutocastScope autocast(placement_);
  return g.decode(z).to(placement_.dtype);
}

Tensor CoGan::encode(const LatentGenerator& g, const Tensor& x) const {
  const AutocastScope autocast(placement_);
  return g.encode(x).to(placement_.dtype);
}

CoGan::Rendered CoGan::render(const Tensor& z) const {
  return {z, decode(*g_b_to_a_, z), decode(*g_a_to_b_, z)};
}

StepReport CoGan::step(StepContext& context) {
  StepReport report;
  LossTensors losses;
  Rng& draws = context.rng["latent"];
  for (std::int64_t extra = batches_per_step() - 1; extra > 0; --extra) {
    const Real real = place(pull_batch(context, report));
    const Rendered fake = [&] {
      const at::NoGradGuard no_grad;
      return render(draw_latents(real.a, draws));
    }();
    update_discriminators(real, fake, losses, context);
  }
  const Batch batch = pull_batch(context, report);
  const Real real = place(batch);
  unfreeze(opt_g_->parameters());
  const Rendered fake = render(draw_latents(real.a, draws));
  update_decoders(fake, losses, context.sync);
  update_discriminators(real, fake, losses, context);
  update_encoders(real, fake, losses, context.sync);
  report_losses(report, loss_names(), losses);
  report_items(report, batch);
  return report;
}

void CoGan::update_decoders(const Rendered& fake, LossTensors& losses, GradientSync& sync) {
  freeze(*d_a_);
  freeze(*d_b_);
  opt_g_->zero_grad();
  const Tensor of_a = gan_.generator(run_network(*d_a_, fake.a, placement_)),
               of_b = gan_.generator(run_network(*d_b_, fake.b, placement_));
  (of_a + of_b).backward();
  losses["g_a"] = of_a.detach();
  losses["g_b"] = of_b.detach();
  sync.sync(*opt_g_);
  opt_g_->step();
}

void CoGan::update_discriminators(const Real& real, const Rendered& fake, LossTensors& losses,
                                  StepContext& context) {
  unfreeze(*d_a_);
  unfreeze(*d_b_);
  opt_d_->zero_grad();
  const DiscriminatorRule rule{gan_, spec_.gan.gp_weight, placement_};
  const Tensor of_a = telling_apart(*d_a_, real.a, fake.a, rule, context.rng),
               of_b = telling_apart(*d_b_, real.b, fake.b, rule, context.rng);
  (of_a + of_b).backward();
  losses["d_a"] = of_a.detach();
  losses["d_b"] = of_b.detach();
  context.sync.sync(*opt_d_);
  opt_d_->step();
}

void CoGan::update_encoders(const Real& real, const Rendered& fake, LossTensors& losses, GradientSync& sync) {
  freeze(opt_g_->parameters());
  opt_e_->zero_grad();
  Tensor total = at::zeros({}, fake.z.options());
  const auto add = [&](const std::string& name, const Tensor& loss, double weight) {
    losses[name] = loss.detach() * weight;
    total = total + loss * weight;
  };
  // The encoder of a domain is in the network that leads away from it, its decoder in the other.
  const auto learn = [&](const std::string& domain, const Tensor& image, const Tensor& made,
                         const LatentGenerator& away, const LatentGenerator& back) {
    add("rec_" + domain, distance(decode(back, encode(away, image)), image, "l1"), spec_.cogan.lambda_rec);
    add("latent_" + domain, distance(encode(away, made.detach()), fake.z, "l2"), spec_.cogan.lambda_latent);
  };
  learn("a", real.a, fake.a, *g_a_to_b_, *g_b_to_a_);
  learn("b", real.b, fake.b, *g_b_to_a_, *g_a_to_b_);
  total.backward();
  sync.sync(*opt_e_);
  opt_e_->step();
}

std::int64_t CoGan::batches_per_step() const { return critic_steps(gan_, spec_.cogan.critic_steps); }

std::vector<NamedNetwork> CoGan::networks() const {
  return {{"g_a_to_b", g_a_to_b_}, {"g_b_to_a", g_b_to_a_}, {"d_a", d_a_}, {"d_b", d_b_}};
}

std::vector<Optimizer*> CoGan::optimizers() { return {opt_g_.get(), opt_d_.get(), opt_e_.get()}; }

std::vector<std::string> CoGan::loss_names() const {
  return {"d_a", "d_b", "g_a", "g_b", "rec_a", "rec_b", "latent_a", "latent_b"};
}

std::vector<std::vector<LabelledImages>> CoGan::sample(const Batch& batch) {
  const EvaluationScope evaluation(networks());
  auto rows = there_and_back_rows(batch, *g_a_to_b_, *g_b_to_a_, placement_);
  Rng draws(derive_seed(0, "latent"));
  const Rendered made = render(draw_latents(rows[0][0].images, draws));
  rows.push_back({{"made_a", made.a}, {"made_b", made.b}});
  return rows;
}

void CoGan::save_extra(Archive& archive) const {
  save_generator(archive, "dropout_generator", dropout_generator_);
}

void CoGan::load_extra(const Archive& archive) {
  load_generator(archive, "dropout_generator", dropout_generator_);
}

}  // namespace torsor
