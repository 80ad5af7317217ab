#include "model/placement.h"

#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <torch/cuda.h>
#include <torch/nn/module.h>

#include <algorithm>

#include "core/error.h"
#include "core/machine.h"
#include "core/text.h"
#include "kernels/isa.h"

namespace torsor {

namespace {

// Names that other programs give to devices.
void check_device(const std::string& value, const std::string& where) {
  const std::string word = lower(value);
  if (value == "auto" || value == "cpu" || value == "cuda") return;
  const bool means_cuda = word.starts_with("cuda") || word.starts_with("gpu") || word == "nvidia" ||
                          word == "nv" ||
                          (!word.empty() && word.find_first_not_of("0123456789,") == std::string::npos);
  if (means_cuda)
    fail_usage(
        "{}: unknown value '{}'; did you mean 'cuda'? (one of auto, cpu, cuda; of several GPUs the "
        "environment's CUDA_VISIBLE_DEVICES picks one)",
        where, printable(value));
  if (word == "auto" || word.starts_with("cpu"))
    fail_usage("{}: unknown value '{}'; did you mean '{}'? (one of auto, cpu, cuda)", where, printable(value),
               word.substr(0, word == "auto" ? 4 : 3));
  for (const char* other :
       {"mps", "metal", "rocm", "hip", "xpu", "xla", "tpu", "vulkan", "opencl", "npu", "dml"})
    if (word.starts_with(other))
      fail_usage("{}: '{}' is no device that torsor computes on (one of auto, cpu, cuda)", where,
                 printable(value));
}

}  // namespace

void PlacementOptions::describe(OptionSet& o) {
  o.add("device", device, "where to compute; auto uses a GPU when there is one")
      .check(check_device)
      .choices({"auto", "cpu", "cuda"})
      .changeable()
      .common();
  o.add("precision", precision, "fp32, bf16 (convolutions multiply bfloat16, weights stay fp32) or fp64")
      .choices({"fp32", "bf16", "fp64"})
      .changeable();
  o.add("engine", engine,
        "on a CPU in fp32: auto uses torsor's own kernels where they are quicker, fast wherever they apply, "
        "torch nowhere, check as auto and by libtorch too, and says how far apart they are")
      .choices(engine_names())
      .changeable();
}

void use_threads(std::int64_t threads) {
  if (threads == 0) threads = std::min<std::int64_t>(at::get_num_threads(), usable_processors());
  if (threads != at::get_num_threads()) at::set_num_threads(static_cast<int>(threads));
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
