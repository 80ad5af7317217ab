// Trainings of linear translators between Gaussians in the plane: what S0-C2-gaussian runs.
#pragma once

#include <string>
#include <vector>

#include "experiment/exact_model.h"
#include "theory/gaussian_plane.h"

namespace torsor {

/// One training of many runs; X is N(0, I).
struct GaussianArm {
  std::string name, what;
  PlaneGaussian y;
  double alpha_id = 0;  // S0's form: each map on its own input
  std::string norm = "l2";
  bool opposite_signs = false;  // det F against det G at the start
};

inline constexpr double kGaussianAlphaCycle = 1, kGaussianAlphaIdentity = 1;
inline constexpr double kGaussianRate = 0.1;  // of Adam; cosine to 0

std::vector<GaussianArm> gaussian_arms();

/// Independent starts "g" and "f" [runs,2,2], det F signed as det G or as the arm wants it.
ExactParameters gaussian_starts(const GaussianArm& arm, std::int64_t runs, Rng& rng);

struct GaussianArmResult {
  Json json;  // {"name", "what", "alpha_id", "runs": [{"rotation", "start", "end", "moved", "off_group",
              // "loss"}], "frames": [{"step", "points": [[rotation?, x, y]]}]}; angles in degrees
  ExactParameters end;
};

/// Trains all runs with Adam. A G is seen relative to one solution, as root_y^-1 G, which is in O(2) exactly
/// at the solutions; its angle is that of its larger part (plane_parts).
GaussianArmResult run_gaussian_arm(const GaussianArm& arm, const ExactParameters& start, std::int64_t steps,
                                   const StopFlag& stop);

/// The loss of a solution moved by every rotation and reflection, without and with the identity term:
/// {"angle", "rotations", "rotations_identity", "reflections", "reflections_identity"}.
Json gaussian_orbit(const GaussianArm& arm);

}  // namespace torsor
