#include "loss/gan_loss.h"

#include <torch/autograd.h>

#include "core/registry.h"

namespace torsor {

namespace {

using at::Tensor;

Tensor lsgan_d(const Tensor& real, const Tensor& fake) {
  return at::mse_loss(real, at::ones_like(real)) + at::mse_loss(fake, at::zeros_like(fake));
}
Tensor lsgan_g(const Tensor& fake) { return at::mse_loss(fake, at::ones_like(fake)); }

Tensor bce(const Tensor& scores, const Tensor& labels) {
  return at::binary_cross_entropy_with_logits(scores, labels);
}
Tensor vanilla_d(const Tensor& real, const Tensor& fake) {
  return bce(real, at::ones_like(real)) + bce(fake, at::zeros_like(fake));
}
Tensor vanilla_g(const Tensor& fake) { return bce(fake, at::ones_like(fake)); }
Tensor minimax_g(const Tensor& fake) { return -bce(fake, at::zeros_like(fake)); }

Tensor hinge_d(const Tensor& real, const Tensor& fake) {
  return at::relu(1 - real).mean() + at::relu(1 + fake).mean();
}
Tensor critic_d(const Tensor& real, const Tensor& fake) { return fake.mean() - real.mean(); }
Tensor negative_mean(const Tensor& fake) { return -fake.mean(); }

const Registry<GanLoss>& losses() {
  static const Registry<GanLoss> table = [] {
    Registry<GanLoss> r("GAN mode");
    r.add("lsgan", {lsgan_d, lsgan_g});
    r.add("vanilla", {vanilla_d, vanilla_g});
    r.add("minimax", {vanilla_d, minimax_g});
    r.add("hinge", {hinge_d, negative_mean});
    r.add("wgangp", {critic_d, negative_mean, /*needs_penalty=*/true});
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
