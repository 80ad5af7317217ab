// Adversarial losses on discriminator scores of any shape [N,...]: means over all elements.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>

#include "core/options.h"

namespace torsor {

/// Any map of tensors: a network, a composition such as G after an automorphism, a lambda.
using TensorMapping = std::function<at::Tensor(const at::Tensor&)>;

struct GanLossOptions {
  std::string gan_mode = "lsgan";
  double gp_weight = 10;

  void describe(OptionSet& o);
};

/// One GAN objective. "Scores" are a discriminator's raw outputs.
struct GanLoss {
  /// What the discriminator minimises on scores of real images, and on those of generated ones.
  at::Tensor (*of_real)(const at::Tensor& real_scores);
  at::Tensor (*of_fake)(const at::Tensor& fake_scores);
  /// What the generator minimises.
  at::Tensor (*generator)(const at::Tensor& fake_scores);
  bool needs_penalty = false;  // Lipschitz constraint by gradient penalty

  /// The sum of both; without the 0.5 that CycleGAN and pix2pix put before it.
  at::Tensor discriminator(const at::Tensor& real_scores, const at::Tensor& fake_scores) const;
};

/// lsgan: mean (D(x)-1)^2 + mean D(G)^2; generator mean (D(G)-1)^2 (Mao et al. 2017; S1-Q3)
/// vanilla: -mean log s(D(x)) - mean log(1-s(D(G))); generator -mean log s(D(G)), non-saturating (S1-Q2)
/// minimax: the same discriminator; generator mean log(1-s(D(G))), as the papers write it (S1-Q1)
/// hinge: mean relu(1-D(x)) + mean relu(1+D(G)); generator -mean D(G) (Lim & Ye 2017)
/// wgangp: -mean D(x) + mean D(G); generator -mean D(G), with gradient_penalty (Gulrajani et al. 2017)
/// Throws UsageError for another name.
const GanLoss& gan_loss(const std::string& mode);
std::vector<std::string> gan_modes();

/// mean over samples of (||grad_z D(z)||_2 - 1)^2 at z = t real + (1-t) fake, t ~ U[0,1] per sample given as
/// `mix` [N,1,1,1]. real, fake [N,C,H,W]; the result can be backpropagated into D (double backward).
at::Tensor gradient_penalty(const TensorMapping& discriminator, const at::Tensor& real,
                            const at::Tensor& fake, const at::Tensor& mix);

}  // namespace torsor
