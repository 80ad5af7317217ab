// The parts of a step that models with a table of terms share: how generators descend a group of terms, and
// how a discriminator learns.
#pragma once

#include <vector>

#include "model/critic_steps.h"
#include "model/objective.h"
#include "model/step_support.h"

namespace torsor {

/// Runs the passes of a group and sends the weighted sum of its terms backward; then releases the pictures,
/// which frees the graph, but for the values of `kept`. A term that is off is measured, and nothing learns
/// from it. Returns the terms' means, without weights.
LossTensors descend(const TermGroup& group, const std::vector<LossTerm>& terms, const CycleMaps& maps,
                    const std::vector<Picture>& kept, Pictures& pictures);

/// What a discriminator minimises.
struct DiscriminatorRule {
  const GanLoss& gan;
  double gp_weight = 0;
  const Placement& placement;
};

/// Half the loss on real images and on fakes, whose graph is left out, each [N,C,H,W], with half the weighted
/// gradient penalty where the loss needs one: the halves are the reference's.
at::Tensor telling_apart(Network& discriminator, const at::Tensor& real, const at::Tensor& fake,
                         const DiscriminatorRule& rule, RngStreams& rng);

}  // namespace torsor
