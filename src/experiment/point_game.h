// Translators between sets of points, trained as images are: generators, discriminators, an adversarial and a
// cycle loss, with many starts of one set-up side by side. Here it can be computed what a map costs at least.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/stop.h"
#include "experiment/exact_model.h"
#include "theory/vector_networks.h"

namespace torsor {

/// What a translation is meant to be.
struct PointTruth {
  std::string name;
  std::function<at::Tensor(const at::Tensor& x)> map;  // [n,d] -> [n,d]
};

/// Two distributions of points.
struct PointProblem {
  using Draw = std::function<at::Tensor(std::int64_t count, Rng& rng)>;  // -> [count,d] float64

  std::string name;  // "moons to ring"
  std::int64_t dimension = 2;
  Draw a, b;
  std::optional<double> least = std::nullopt;  // the least cost, per coordinate, where it has a formula
  std::vector<PointTruth> truths = {};         // of those that could be meant: each solves the problem
};

/// "line" (two normal distributions of unlike width), "Gaussians of 2", 4 and 16 dimensions, and sets in the
/// plane: "moons to ring", "normal to checkerboard", "normal to ring". Last "ring to itself", where what is
/// meant is to keep the angle ("kept") or to turn it by 120 degrees ("turned"), as of hues.
const std::vector<PointProblem>& point_problems();
const PointProblem& point_problem(const std::string& name);

/// With a way back: CycleGAN (S2-Q1). Without: one generator, one discriminator and a cost of transport
/// (S2-Q6).
enum class WayBack { trained, none };

struct PointArm {
  std::string name, what;
  VectorNetwork network = {};   // its dimension is that of the problem
  double gain = 0.02;           // standard deviation of the generators' weights at the start
  double lambda_cycle = 3;      // of the L1 cycle loss, per coordinate
  double lambda_transport = 0;  // of the mean of (G(x) - x)^2 (and of F's), per coordinate
  WayBack way_back = WayBack::trained;
};

struct PointScale {
  std::int64_t runs = 8;      // starts of an arm
  std::int64_t steps = 2000;  // of a training
  std::int64_t batch = 128;   // points of each set, drawn afresh for each step
  double rate = 2e-3;         // of Adam, falling to 0 as a cosine
};

/// The generators of all starts after the training.
struct PointTranslators {
  VectorNetwork network;
  VectorWeights a_to_b, b_to_a;  // the latter empty without a way back

  VectorPass there(const at::Tensor& x) const { return vector_pass(network, a_to_b, x); }
  VectorPass back(const at::Tensor& y) const { return vector_pass(network, b_to_a, y); }
};

/// Trains all starts of an arm. Throws StoppedError.
PointTranslators train_points(const PointProblem& problem, const PointArm& arm, const PointScale& scale,
                              std::uint64_t seed, const StopFlag& stop);

}  // namespace torsor
