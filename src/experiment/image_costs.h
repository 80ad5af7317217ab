// CycleGANs of small images whose transport cost is measured: the trainings of S2-E1-images.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiment/reproduction.h"

namespace torsor {

/// Two domains of images.
struct ImageProblem {
  std::string name;  // "circles to squares"
  Json options;      // of torsor train: the images, their channels and sizes
};

/// Without data: circles to squares, glyphs to their negatives, T1 to FLAIR of the phantom. Of a folder with
/// MNIST's files: digits to their negatives, and to digits turned by 90 degrees, both of other digits. Of any
/// other folder that training takes: its own two domains. What is derived is written below `out`. Throws
/// Error naming what is missing.
std::vector<ImageProblem> image_problems(const Request& request);

/// One kind of generator and its initialisation.
struct ImageArm {
  std::string name, what;
  Json settings;  // of torsor train
};
const std::vector<ImageArm>& image_arms();
/// The arm that the claim is about: the reference's initialisation.
inline constexpr const char* kUsualImageArm = "ResNet, 0.02";

/// Trains every arm (at smoke that of the claim alone) on every problem with every seed, see train_runs(),
/// and measures each run on held-out images: [{"problem", "arm", "seed", "directions": {"a_to_b": {"solution"
/// (whether its KID is low enough, see no_solution()), "reason", "own", "cost", "gap" (of the audit's part
/// "transport")}}}].
Json measure_image_costs(const std::vector<ImageProblem>& problems, const Request& request);

/// Lines of the set-up.
std::vector<Setting> image_cost_settings(Scale scale);

}  // namespace torsor
