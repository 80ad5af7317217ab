#include "loss/gan_loss.h"

#include <torch/autograd.h>

#include <cmath>

#include "core/registry.h"

namespace torsor {

namespace {

using at::Tensor;

// Each gives one value a score or their mean, as GanLoss::Values says.
Tensor reduced(const Tensor& values, std::int64_t how) {
  return how == at::Reduction::Mean ? values.mean() : values;
}

Tensor square_to_one(const Tensor& scores, std::int64_t how) {
  return at::mse_loss(scores, at::ones_like(scores), how);
}
Tensor square_to_zero(const Tensor& scores, std::int64_t how) {
  return at::mse_loss(scores, at::zeros_like(scores), how);
}

Tensor bce(const Tensor& scores, const Tensor& labels, std::int64_t how) {
  return at::binary_cross_entropy_with_logits(scores, labels, /*weight=*/{}, /*pos_weight=*/{}, how);
}
Tensor bce_to_one(const Tensor& scores, std::int64_t how) { return bce(scores, at::ones_like(scores), how); }
Tensor bce_to_zero(const Tensor& scores, std::int64_t how) {
  return bce(scores, at::zeros_like(scores), how);
}
Tensor negative_bce_to_zero(const Tensor& scores, std::int64_t how) { return -bce_to_zero(scores, how); }

Tensor hinge_above_one(const Tensor& scores, std::int64_t how) { return reduced(at::relu(1 - scores), how); }
Tensor hinge_below_minus_one(const Tensor& scores, std::int64_t how) {
  return reduced(at::relu(1 + scores), how);
}

Tensor plain(const Tensor& scores, std::int64_t how) { return reduced(scores, how); }
Tensor negative(const Tensor& scores, std::int64_t how) { return -reduced(scores, how); }

// An f-GAN is -g(v) on real images, f*(g(v)) on fake ones and minus that for the generator.
template <GanLoss::Values conjugate>
Tensor minus(const Tensor& scores, std::int64_t how) {
  return -conjugate(scores, how);
}

Tensor exp_below_one(const Tensor& v, std::int64_t how) { return reduced(at::exp(v - 1), how); }
Tensor exp_of_minus(const Tensor& v, std::int64_t how) { return reduced(at::exp(-v), how); }
Tensor less_one(const Tensor& v, std::int64_t how) { return reduced(v - 1, how); }
// As cross entropy: the best scores are vanilla's, whose discriminator this is but for constants.
Tensor shannon_real(const Tensor& v, std::int64_t how) { return bce_to_one(v, how) - std::log(2.0); }
Tensor shannon_fake(const Tensor& v, std::int64_t how) { return bce_to_zero(v, how) - std::log(2.0); }
Tensor hellinger_real(const Tensor& v, std::int64_t how) { return reduced(at::expm1(-v), how); }
Tensor hellinger_fake(const Tensor& v, std::int64_t how) { return reduced(at::expm1(v), how); }
Tensor pearson_fake(const Tensor& v, std::int64_t how) { return reduced(v.square() / 4 + v, how); }

const Registry<GanLoss>& losses() {
  static const Registry<GanLoss> table = [] {
    Registry<GanLoss> r("GAN mode");
    r.add("lsgan", {square_to_one, square_to_zero, square_to_one});
    r.add("vanilla", {bce_to_one, bce_to_zero, bce_to_one});
    r.add("minimax", {bce_to_one, bce_to_zero, negative_bce_to_zero});
    r.add("hinge", {hinge_above_one, hinge_below_minus_one, negative});
    r.add("wgangp", {negative, plain, negative, /*needs_penalty=*/true});
    // Nowozin et al. 2016, tables 2 and 6.
    r.add("kl", {negative, exp_below_one, minus<exp_below_one>});
    r.add("reverse_kl", {exp_of_minus, less_one, minus<less_one>});
    r.add("jensen_shannon", {shannon_real, shannon_fake, minus<shannon_fake>});
    r.add("squared_hellinger", {hellinger_real, hellinger_fake, minus<hellinger_fake>});
    r.add("pearson", {negative, pearson_fake, minus<pearson_fake>});
    return r;
  }();
  return table;
}

}  // namespace

void GanLossOptions::describe(OptionSet& o) {
  o.add("gan_mode", gan_mode,
        "adversarial loss; vanilla is non-saturating, minimax as the papers write it; from kl on they are "
        "f-GANs, which descend that divergence of the real images from the generated ones")
      .choices(gan_modes());
  o.add("gp_weight", gp_weight, "weight of wgangp's gradient penalty (the reference's wgangp has none: 0)")
      .at_least(0)
      .changeable();
}

Tensor GanLoss::of_real(const Tensor& real_scores) const { return real_(real_scores, at::Reduction::Mean); }
Tensor GanLoss::of_fake(const Tensor& fake_scores) const { return fake_(fake_scores, at::Reduction::Mean); }
Tensor GanLoss::generator(const Tensor& fake_scores) const {
  return generator_(fake_scores, at::Reduction::Mean);
}

Tensor GanLoss::generator_per_sample(const Tensor& fake_scores) const {
  return generator_(fake_scores, at::Reduction::None).reshape({fake_scores.size(0), -1}).mean(1);
}

Tensor GanLoss::discriminator(const Tensor& real_scores, const Tensor& fake_scores) const {
  const Tensor real = of_real(real_scores);
  return real + of_fake(fake_scores);
}

const GanLoss& gan_loss(const std::string& mode) { return losses().at(mode); }

std::vector<std::string> gan_modes() { return losses().names(); }

Tensor gradient_penalty(const TensorMapping& discriminator, const Tensor& real, const Tensor& fake,
                        const Tensor& mix) {
  const Tensor between = (mix * real.detach() + (1 - mix) * fake.detach()).requires_grad_(true);
  const Tensor scores = discriminator(between);
  const Tensor gradient = torch::autograd::grad({scores}, {between}, {at::ones_like(scores)},
                                                /*retain_graph=*/true, /*create_graph=*/true)[0];
  // The small offset keeps the norm differentiable where the gradient vanishes.
  const Tensor norm = (gradient.flatten(1) + 1e-16).norm(2, 1);
  return (norm - 1).pow(2).mean();
}

}  // namespace torsor
