#include "loss/gan_loss.h"

#include <torch/autograd.h>

#include "core/registry.h"

namespace torsor {

namespace {

using at::Tensor;

Tensor square_to_one(const Tensor& scores) { return at::mse_loss(scores, at::ones_like(scores)); }
Tensor square_to_zero(const Tensor& scores) { return at::mse_loss(scores, at::zeros_like(scores)); }

Tensor bce(const Tensor& scores, const Tensor& labels) {
  return at::binary_cross_entropy_with_logits(scores, labels);
}
Tensor bce_to_one(const Tensor& scores) { return bce(scores, at::ones_like(scores)); }
Tensor bce_to_zero(const Tensor& scores) { return bce(scores, at::zeros_like(scores)); }
Tensor negative_bce_to_zero(const Tensor& scores) { return -bce_to_zero(scores); }

Tensor hinge_above_one(const Tensor& scores) { return at::relu(1 - scores).mean(); }
Tensor hinge_below_minus_one(const Tensor& scores) { return at::relu(1 + scores).mean(); }

Tensor mean(const Tensor& scores) { return scores.mean(); }
Tensor negative_mean(const Tensor& scores) { return -scores.mean(); }

const Registry<GanLoss>& losses() {
  static const Registry<GanLoss> table = [] {
    Registry<GanLoss> r("GAN mode");
    r.add("lsgan", {square_to_one, square_to_zero, square_to_one});
    r.add("vanilla", {bce_to_one, bce_to_zero, bce_to_one});
    r.add("minimax", {bce_to_one, bce_to_zero, negative_bce_to_zero});
    r.add("hinge", {hinge_above_one, hinge_below_minus_one, negative_mean});
    r.add("wgangp", {negative_mean, mean, negative_mean, /*needs_penalty=*/true});
    return r;
  }();
  return table;
}

}  // namespace

void GanLossOptions::describe(OptionSet& o) {
  o.add("gan_mode", gan_mode, "adversarial loss; vanilla is non-saturating, minimax as the papers write it")
      .choices(gan_modes());
  o.add("gp_weight", gp_weight, "weight of wgangp's gradient penalty (the reference's wgangp has none: 0)")
      .at_least(0)
      .changeable();
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
