#include "train/returns.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"
#include "nn/flow.h"

namespace torsor {

namespace {

constexpr std::int64_t kReturned = 8;  // images

bool is_flow(const NetworkInfo& network) {
  return network.kind == kGeneratorKind && network.maps.is_known() &&
         is_invertible(options_from_json<GeneratorOptions>(network.options, network.name));
}

double measured(const WeightSet& set, const NetworkInfo& network, const at::Tensor& images,
                const Placement& placement) {
  const LoadedGenerator loaded = load_generator(set, network.maps.name());
  set_placement(*loaded.generator, placement);
  const AutocastScope autocast(placement);
  const double error = return_error(*loaded.generator, images.to(placement.device, placement.dtype)).value();
  if (!std::isfinite(error)) fail("its numbers are not finite there");
  return error;
}

}  // namespace

void measure_returns(WeightSet& set, const Batch& fixed, const Placement& placement, LogSink& log) {
  for (NetworkInfo& network : set.info.networks) {
    if (!is_flow(network)) continue;
    const at::Tensor images = fixed.at("real_" + network.maps.from).slice(0, 0, kReturned);
    try {
      network.return_error = measured(set, network, images, placement);
    } catch (const Error& error) {
      log.warning(fmt::format("{}: cannot be integrated there and back: {}", network.name, error.what()));
      continue;
    }
    log.notice(fmt::format(
        "{} is a flow: {} images that it translated and brought back differ from themselves by {:.3g} in the "
        "mean, on the scale from -1 to 1",
        network.name, images.size(0), *network.return_error));
  }
}

}  // namespace torsor
