// Where and in which number format a model computes.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <string>

#include "core/options.h"
#include "nn/engine.h"

namespace torsor {

struct PlacementOptions {
  std::string device = "auto";
  std::string precision = "fp32";
  std::string engine = "auto";

  void describe(OptionSet& o);
};

struct Placement {
  c10::Device device{c10::kCPU};
  c10::ScalarType dtype = c10::kFloat;  // of weights and images
  bool autocast = false;                // bf16: weights stay float32, convolutions run in bfloat16
  Engine engine = Engine::automatic;
};

/// auto = cuda where this build and machine have it, else cpu. Throws UsageError when cuda is asked for and
/// absent, and when TORSOR_ISA names an instruction set that this CPU lacks.
Placement resolve_placement(const PlacementOptions& options);

/// Sets the number of compute threads; 0 keeps the present number, at most as many as the CPUs that this
/// process may use: all threads share a container's quota, which libtorch ignores.
void use_threads(std::int64_t threads);

/// Moves a network to this device and number format, computed by this engine.
void set_placement(torch::nn::Module& network, const Placement& placement);

/// While it lives, convolutions on the placement's device run in bfloat16 when its autocast is on.
class AutocastScope {
 public:
  explicit AutocastScope(const Placement& placement);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  c10::DeviceType device_;
  bool active_;
  bool was_enabled_ = false;
  c10::ScalarType previous_dtype_ = c10::kFloat;
};

}  // namespace torsor
