#include "audit/search_model.h"

#include <torch/types.h>

#include <algorithm>

#include "loss/distance.h"
#include "loss/gan_loss.h"
#include "model/evaluation.h"
#include "model/step_support.h"

namespace torsor {

using at::Tensor;

namespace {

constexpr std::int64_t kCoarseSquare = 4;
constexpr std::int64_t kSearchBatch = 8;  // images that pass through a map together

}  // namespace

at::Tensor coarse(const at::Tensor& images) {
  const std::int64_t square = std::min({kCoarseSquare, images.size(2), images.size(3)});
  return at::avg_pool2d(images, square, square);
}

void SearchOptions::describe(OptionSet& o) {
  net.describe(o);
  o.add("critic", critic.net_d, "").check(check_discriminator_name);
  o.add("critic_width", critic.ndf, "").range(1, 4096);
  o.add("critic_layers", critic.n_layers_d, "").range(1, 8);
  o.add("lr", optimizer.lr, "").above(0);
  o.add("unrelated", unrelated, "").above(0);
  o.add("target", target, "").above(0);
  o.add("lambda_return", lambda_return, "").at_least(0);
  o.add("lambda_move", lambda_move, "").at_least(0);
  o.add("low", low, "");
  o.add("high", high, "");
}

AutomorphismSearch::AutomorphismSearch(const SearchOptions& options, const Placement& placement,
                                       std::uint64_t seed)
    : options_(options), placement_(placement) {
  options_.net.out_channels = options_.critic.in_channels = options_.net.in_channels;
  options_.net.output_activation = "linear";  // what is added has no bounds of its own
  options_.critic.norm = "none";              // a norm would hide brightness and colour from it
  map_ = make_generator(options_.net);
  inverse_ = make_generator(options_.net);
  critic_ = make_discriminator(options_.critic);
  // The networks have no dropout, so that nothing is drawn of it.
  prepare_networks(networks(), InitOptions(), placement_, seed, make_dropout_generator(seed));
  maps_optimizer_ = std::make_unique<Optimizer>("opt_maps", options_.optimizer,
                                                parameters_of({map_.get(), inverse_.get()}));
  critic_optimizer_ =
      std::make_unique<Optimizer>("opt_critic", options_.optimizer, parameters_of({critic_.get()}));
}

Tensor AutomorphismSearch::moved(Network& network, const Tensor& x) const {
  return x + run_network(network, x, placement_);
}

StepReport AutomorphismSearch::step(StepContext& context) {
  const GanLoss& gan = gan_loss("lsgan");
  StepReport report;
  LossTensors losses;
  const Batch batch = pull_batch(context, report);
  const Tensor x = placed(batch, "real_a", placement_);
  const Tensor others = placed(pull_batch(context, report), "real_a", placement_);
  const Tensor there = moved(*map_, x);
  freeze(*critic_);
  maps_optimizer_->zero_grad();
  losses["stay"] = gan.generator(run_network(*critic_, there, placement_));
  losses["return"] = distance(moved(*inverse_, there), x, "l1") * options_.lambda_return;
  const Tensor displacement = coarse(there - x).abs().mean() / options_.unrelated;
  losses["move"] = (options_.target - displacement).clamp_min(0) * options_.lambda_move;
  (losses["stay"] + losses["return"] + losses["move"]).backward();
  context.sync.sync(*maps_optimizer_);
  maps_optimizer_->step();
  unfreeze(*critic_);
  critic_optimizer_->zero_grad();
  losses["critic"] = gan.discriminator(run_network(*critic_, others, placement_),
                                       run_network(*critic_, there.detach(), placement_)) *
                     0.5;
  losses["critic"].backward();
  context.sync.sync(*critic_optimizer_);
  critic_optimizer_->step();
  report_losses(report, loss_names(), losses);
  report_items(report, batch);
  return report;
}

std::vector<NamedNetwork> AutomorphismSearch::networks() const {
  return {{"map", map_}, {"inverse", inverse_}, {"critic", critic_}};
}

Tensor AutomorphismSearch::applied(Network& network, const Tensor& images) const {
  const EvaluationScope evaluation(networks());
  std::vector<Tensor> out;
  for (const Tensor& batch : images.to(at::kFloat).split(kSearchBatch)) {
    const Tensor x = batch.to(placement_.device, placement_.dtype);
    out.push_back(moved(network, x).clamp(options_.low, options_.high).to(at::kCPU, at::kFloat));
  }
  return at::cat(out);
}

Tensor AutomorphismSearch::map(const Tensor& images) const { return applied(*map_, images); }

Tensor AutomorphismSearch::inverse(const Tensor& images) const { return applied(*inverse_, images); }

}  // namespace torsor
