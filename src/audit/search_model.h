// The search for an automorphism as a model: a map of images of one domain to images of it, and its way back,
// trained to stay in the distribution, to come back, and to be far from the identity.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/model.h"
#include "model/placement.h"
#include "nn/init.h"
#include "nn/network.h"

namespace torsor {

struct SearchOptions {
  GeneratorOptions net;         // of both maps, which add its output to their input
  DiscriminatorOptions critic;  // tells images from mapped ones
  OptimizerOptions optimizer;
  double unrelated = 1;       // E mean|x - x'| of unrelated images, coarse() ones
  double target = 0.5;        // displacement, as a share of that, beyond which there is no reward
  double lambda_return = 10;  // of mean|inverse(map(x)) - x|
  double lambda_move = 4;     // of max(0, target - displacement)
  double low = -1, high = 1;  // the values that images have

  /// Stored with the trained maps.
  void describe(OptionSet& o);
};

/// Means of squares of 4 x 4 pixels, [N,C,H,W] to [N,C,H/4,W/4]. Displacement is rewarded in these: noise and
/// shifted edges are a cheap way to be far from an image, and say nothing else.
at::Tensor coarse(const at::Tensor& images);

/// Not one of `torsor train`'s models: it translates nothing that a user wants translated.
class AutomorphismSearch : public Model {
 public:
  /// Networks initialised from (seed, "init." and their names: map, inverse, critic). At the start the maps
  /// are the identity and a random network's output. Throws UsageError for unusable options.
  AutomorphismSearch(const SearchOptions& options, const Placement& placement, std::uint64_t seed);

  /// Pulls two batches with real_a [N,C,H,W]: images that are moved, and others for the critic. Losses, with
  /// their weights: critic (halved), stay (least squares, Mao et al. 2017), return (L1), move (the hinge).
  StepReport step(StepContext& context) override;
  std::vector<NamedNetwork> networks() const override;
  std::vector<Optimizer*> optimizers() override { return {maps_optimizer_.get(), critic_optimizer_.get()}; }
  std::vector<std::vector<LabelledImages>> sample(const Batch&) override { return {}; }
  std::vector<std::string> loss_names() const override { return {"critic", "stay", "return", "move"}; }
  std::int64_t batches_per_step() const override { return 2; }

  /// [N,C,H,W] float32 on the CPU to the same, without gradients, within low to high.
  at::Tensor map(const at::Tensor& images) const;
  at::Tensor inverse(const at::Tensor& images) const;

 private:
  at::Tensor moved(Network& network, const at::Tensor& x) const;
  at::Tensor applied(Network& network, const at::Tensor& images) const;

  SearchOptions options_;
  Placement placement_;
  std::shared_ptr<Network> map_, inverse_, critic_;
  std::unique_ptr<Optimizer> maps_optimizer_, critic_optimizer_;
};

}  // namespace torsor
