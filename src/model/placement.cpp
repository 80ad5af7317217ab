#include "model/placement.h"

#include <ATen/autocast_mode.h>
#include <torch/cuda.h>
#include <torch/nn/module.h>

#include "core/error.h"
#include "kernels/isa.h"

namespace torsor {

void PlacementOptions::describe(OptionSet& o) {
  o.add("device", device, "where to compute; auto takes a GPU when there is one")
      .choices({"auto", "cpu", "cuda"})
      .changeable();
  o.add("precision", precision, "fp32, bf16 (convolutions multiply bfloat16, weights stay fp32) or fp64")
      .choices({"fp32", "bf16", "fp64"})
      .changeable();
  o.add("engine", engine,
        "on a CPU in fp32: auto takes torsor's own kernels where they are quicker, fast wherever they apply, "
        "torch nowhere, check as auto and by libtorch too, and says how far apart they are")
      .choices(engine_names())
      .changeable();
}

Placement resolve_placement(const PlacementOptions& options) {
  Placement out;
  const bool have_cuda = torch::cuda::is_available();
  if (options.device == "cuda" && !have_cuda)
    fail_usage(
        "--device cuda: no CUDA device is usable here (driver missing, or a libtorch without CUDA); use "
        "--device cpu");
  if (options.device == "cuda" || (options.device == "auto" && have_cuda))
    out.device = c10::Device(c10::kCUDA);
  if (options.precision == "fp64") out.dtype = c10::kDouble;
  out.autocast = options.precision == "bf16";
  out.engine = engine_named(options.engine);
  chosen_isa();  // that TORSOR_ISA can be used
  return out;
}

void set_placement(torch::nn::Module& network, const Placement& placement) {
  network.to(placement.device, placement.dtype);
  set_engine(network, placement.engine);
}

AutocastScope::AutocastScope(const Placement& placement)
    : device_(placement.device.type()), active_(placement.autocast) {
  if (!active_) return;
  was_enabled_ = at::autocast::is_autocast_enabled(device_);
  previous_dtype_ = at::autocast::get_autocast_dtype(device_);
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::set_autocast_dtype(device_, c10::kBFloat16);
  at::autocast::increment_nesting();
}

AutocastScope::~AutocastScope() {
  if (!active_) return;
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_, was_enabled_);
  at::autocast::set_autocast_dtype(device_, previous_dtype_);
}

}  // namespace torsor
