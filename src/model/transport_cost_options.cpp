#include "model/transport_cost_options.h"

#include <fmt/format.h>

#include "core/error.h"
#include "model/block_probe.h"
#include "model/classifier_file.h"

namespace torsor {

void TransportCostOptions::describe(OptionSet& o) {
  o.add("lambda_transport", lambda_transport,
        "weight of what translations cost as transport, of each generator; 0 = off")
      .at_least(0)
      .changeable();
  o.add("transport_cost", transport_cost,
        "that cost; pixel: mean (G(x) - x)^2; features: the same of what --transport-encoder sees of both; "
        "blocks: K (mean r_1^2 + ... + mean r_K^2) of the residuals of the generator's K residual blocks, "
        "which needs another --norm than instance")
      .choices({kPixelCost, kFeatureCost, kBlockCost})
      .changeable();
  o.add("transport_encoder", transport_encoder,
        "file of a classifier that torsor trained; what its last layer sees are the features of "
        "--transport-cost features")
      .changeable();
  o.add("transport_hash", transport_hash, "").hidden();
}

void TransportCostOptions::read_files() {
  const bool has_encoder = by_features() && !transport_encoder.empty();
  transport_hash = has_encoder ? load_classifier(transport_encoder).hash() : "";
}

void TransportCostOptions::validate() const {
  if (by_features() && transport_encoder.empty())
    fail_usage(
        "--transport-cost features compares what a network sees of an image and of its translation; give "
        "--transport-encoder FILE, a classifier that torsor trained");
  if (!by_features() && !transport_encoder.empty())
    fail_usage(
        "--transport-encoder does nothing with --transport-cost {}; leave it out, or give "
        "--transport-cost features",
        transport_cost);
  if (transport_encoder.empty() != transport_hash.empty())
    fail_usage(
        "--transport-encoder: a continued run keeps the encoder that it began with, or none; begin a new run "
        "from these weights with --init-from");
}

std::string TransportCostOptions::summary() const {
  return fmt::format("transport cost: of {}, weight {:g}",
                     transport_cost == kPixelCost ? "pixels" : transport_cost, lambda_transport);
}

void require_transport_cost(const TransportCostOptions& cost, const GeneratorOptions& g) {
  if (cost.transport_cost == kPixelCost && g.in_channels != g.out_channels)
    fail_usage(
        "--transport-cost pixel compares an image with its translation, which have {} and {} channels; give "
        "--transport-cost features or blocks, or equal --channels-a and --channels-b",
        g.in_channels, g.out_channels);
  if (!cost.by_blocks()) return;
  switch (probe_blocks(g)) {
    case BlockKind::none:
      fail_usage(
          "--transport-cost blocks: --net-g {} has no residual blocks; give a generator that has, "
          "resnet_9blocks for example, or --transport-cost pixel",
          g.net_g);
    case BlockKind::normed:
      fail_usage(
          "--transport-cost blocks: with --norm {} each block of {} ends in a norm without parameters, which "
          "gives its residual a mean square of 1, so that the cost is the same whatever is learnt; give "
          "--norm instance_affine, --net-g flow_2, or --transport-cost pixel",
          g.norm, g.net_g);
    case BlockKind::free:
      return;
  }
}

}  // namespace torsor
