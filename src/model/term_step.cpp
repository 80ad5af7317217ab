#include "model/term_step.h"

#include <torch/types.h>

namespace torsor {

namespace {

at::Tensor measured(const LossTerm& term, const Pictures& pictures, const CycleMaps& maps) {
  const at::NoGradGuard no_grad;
  return term.mean(pictures, maps);
}

}  // namespace

LossTensors descend(const TermGroup& group, const std::vector<LossTerm>& terms, const CycleMaps& maps,
                    const std::vector<Picture>& kept, Pictures& pictures) {
  for (const Picture which : group.passes) pictures.make(which, maps);
  LossTensors means;
  at::Tensor total;
  for (const std::size_t place : group.terms) {
    const LossTerm& term = terms[place];
    if (!term.on()) {
      means[term.name] = measured(term, pictures, maps);
      continue;
    }
    const at::Tensor mean = term.mean(pictures, maps);
    means[term.name] = mean.detach();
    const at::Tensor loss = mean * term.weight;
    total = total.defined() ? total + loss : loss;
  }
  if (total.defined()) total.backward();
  pictures.release(kept);
  return means;
}

at::Tensor telling_apart(Network& discriminator, const at::Tensor& real, const at::Tensor& fake,
                         const DiscriminatorRule& rule, RngStreams& rng) {
  const at::Tensor fooled = fake.detach();
  // Real first: batch norm's running statistics depend on the order.
  const at::Tensor real_scores = run_network(discriminator, real, rule.placement);
  const at::Tensor fake_scores = run_network(discriminator, fooled, rule.placement);
  const at::Tensor loss = rule.gan.discriminator(real_scores, fake_scores) * 0.5;
  if (!rule.gan.needs_penalty || rule.gp_weight == 0) return loss;
  const at::Tensor penalty = drawn_gradient_penalty(discriminator, real, fooled, rng);
  return loss + penalty * (0.5 * rule.gp_weight);
}

}  // namespace torsor
