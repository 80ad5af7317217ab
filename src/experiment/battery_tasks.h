// Tasks whose automorphisms are known, with planted translators: what an audit is tried on. The truth of each
// run is known by construction; the audit does not see it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/rng.h"
#include "loss/gan_loss.h"

namespace torsor {

/// A map of A onto itself that a run may have learnt: G = truth o phi, F = phi^-1 o truth^-1.
struct PlantedSolution {
  std::string name;
  TensorMapping map, inverse;
};

/// What images are drawn, what is right, and what five runs have learnt instead.
struct BatteryTask {
  std::string name, about;
  std::int64_t channels = 3;
  bool tunes = false;  // thresholds were chosen on it, so it is not reported
  /// [n,C,side,side] in [-1,1].
  std::function<at::Tensor(std::int64_t n, Rng& rng)> draw_a;
  /// Of B; null: the truth of other images of A.
  std::function<at::Tensor(std::int64_t n, Rng& rng)> draw_b = nullptr;
  TensorMapping truth, truth_inverse;
  /// Whether a wrong run is wrong by an automorphism of the data, in all images: then pairs are to make it
  /// red. Of runs that are no solutions or are wrong in a part of the images, only green is an error.
  bool by_automorphism = true;
  std::vector<PlantedSolution> solutions;  // the first is the right one
  std::vector<std::size_t> learnt;         // of the five runs: places in `solutions`
  std::string symmetries;                  // that the audit tries
};

/// Side of the images of all tasks.
inline constexpr std::int64_t kBatterySide = 24;
/// Runs of each task.
inline constexpr std::size_t kBatteryRuns = 5;

/// All of them. Sources: S0 sections 2 and 3 (Gaussians, finite sets, the interval, MNIST, MRI), S0-B7 (Cohen
/// et al. 2018: a change of prevalence), and the tasks of torsor's generated data.
const std::vector<BatteryTask>& battery_tasks();

}  // namespace torsor
