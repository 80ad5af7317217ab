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
class GanLoss {
 public:
  /// One value a score, or (at::Reduction::Mean) their mean as libtorch takes it, to the bit.
  using Values = at::Tensor (*)(const at::Tensor& scores, std::int64_t reduction);

  GanLoss(Values real, Values fake, Values generator, bool needs_penalty = false)
      : needs_penalty(needs_penalty), real_(real), fake_(fake), generator_(generator) {}

  bool needs_penalty;  // Lipschitz constraint by gradient penalty

  /// What the discriminator minimises on scores of real images, and on those of generated ones.
  at::Tensor of_real(const at::Tensor& real_scores) const;
  at::Tensor of_fake(const at::Tensor& fake_scores) const;
  /// What the generator minimises.
  at::Tensor generator(const at::Tensor& fake_scores) const;
  /// The same by sample: [N,...] -> [N]; its mean is generator().
  at::Tensor generator_per_sample(const at::Tensor& fake_scores) const;
  /// The sum of both; without the 0.5 that CycleGAN and pix2pix put before it.
  at::Tensor discriminator(const at::Tensor& real_scores, const at::Tensor& fake_scores) const;

 private:
  Values real_, fake_, generator_;
};

/// lsgan: mean (D(x)-1)^2 + mean D(G)^2; generator mean (D(G)-1)^2 (Mao et al. 2017; S1-Q3)
/// vanilla: -mean log s(D(x)) - mean log(1-s(D(G))); generator -mean log s(D(G)), non-saturating (S1-Q2)
/// minimax: the same discriminator; generator mean log(1-s(D(G))), as the papers write it (S1-Q1)
/// hinge: mean relu(1-D(x)) + mean relu(1+D(G)); generator -mean D(G) (Lim & Ye 2017)
/// wgangp: -mean D(x) + mean D(G); generator -mean D(G), with gradient_penalty (Gulrajani et al. 2017)
///
/// f-GANs (Nowozin, Cseke, Tomioka 2016, eq. 7 and tables 1, 2 and 6; S0-Q2): with an output activation g and
/// the conjugate f* of f, -mean g(D(x)) + mean f*(g(D(G))); generator -mean f*(g(D(G))). The best
/// discriminator's loss is then minus the divergence D_f(P||Q) = sum q f(p/q) of the real images P from the
/// generated ones Q, and the generator's slope that of the divergence. Named are D_f and f*(g(v)):
/// kl: sum p log(p/q); g = v, e^(v-1)
/// reverse_kl: sum q log(q/p); g = -e^-v, v - 1
/// jensen_shannon: sum p log(2p/(p+q)) + q log(2q/(p+q)), by the table's f, twice what the table's first
///   column halves; g = log 2 - log(1+e^-v), -log 2 - log s(-v)
/// squared_hellinger: sum (sqrt p - sqrt q)^2; g = 1 - e^-v, e^v - 1
/// pearson: sum (p-q)^2/q; g = v, v^2/4 + v
/// Those with exponentials leave float32 at scores beyond 88: a discriminator that sure has gone wrong.
/// Throws UsageError for another name.
const GanLoss& gan_loss(const std::string& mode);
std::vector<std::string> gan_modes();

/// mean over samples of (||grad_z D(z)||_2 - 1)^2 at z = t real + (1-t) fake, t ~ U[0,1] per sample given as
/// `mix` [N,1,1,1]. real, fake [N,C,H,W]; the result can be backpropagated into D (double backward).
at::Tensor gradient_penalty(const TensorMapping& discriminator, const at::Tensor& real,
                            const at::Tensor& fake, const at::Tensor& mix);

}  // namespace torsor
