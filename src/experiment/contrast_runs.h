// Trainings that translate one contrast of brain MR to another (S0-E2), and how translators fare alone and
// composed with the flip left to right.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/image_source.h"
#include "experiment/reproduction.h"
#include "image/image.h"
#include "model/objective.h"

namespace torsor {

/// How large the experiment is at a scale.
struct ContrastScale {
  std::int64_t side = 64;  // of the images
  std::int64_t ngf = 16, ndf = 16;
  std::int64_t epochs = 20;
  std::int64_t phantoms = 200;  // training images of either contrast where no data are given
  std::int64_t phantom_tests = 100;
  std::int64_t most_steps = 0;  // of a training; 0 = all epochs
};
ContrastScale contrast_scale(Scale scale);

/// Slices of A = T1 and B = FLAIR; test slices of one index are of one brain.
struct ContrastData {
  std::string name;              // for the page
  Json options;                  // of torsor train: where the training slices come from
  std::int64_t train_count = 0;  // slices of the larger contrast, which make an epoch
  std::shared_ptr<const ImageSource> test_a, test_b;
};

/// A folder with train/T1, train/FLAIR, test/T1 and test/FLAIR, whose test slices are paired by name; for ""
/// the phantom that torsor draws. Throws Error naming a folder that is missing or a slice without its pair.
ContrastData open_contrasts(const std::filesystem::path& folder, const ContrastScale& scale);

/// The test slices as the networks see them: divided by their 95th percentiles.
struct ContrastSlices {
  at::Tensor a, b;              // [N,1,side,side]
  at::Tensor white_a, white_b;  // [N,1,1,1]: stored = value * white, of 255
};
ContrastSlices test_slices(const ContrastData& data, const ContrastScale& scale);

/// One alpha_id of the paper's table.
std::vector<double> contrast_alphas();
std::string contrast_arm(double alpha);  // "alpha-10"

/// The options that all arms share, without data, seed and run directory.
Json contrast_settings(const ContrastScale& scale);

/// Trains every arm with every seed; see train_runs().
void train_contrasts(const ContrastData& data, const ContrastScale& scale, const Request& request);

/// Networks that are measured, on [N,1,side,side]; no features are asked for.
using ContrastNetworks = CycleMaps;

/// (F after the flip, the flip after G): another solution if the flip is an automorphism of both domains
/// (Prop 2.1).
ContrastNetworks composed_with_flip(const ContrastNetworks& networks);

/// The test loss in its parts, of the objective that the arms train with, weights included, and PSNR in dB
/// against the true other contrast (peak 255 of 8 bits, the output scaled by the truth's own 95th percentile;
/// mean over the slices, an exact slice counts 100): {"gan", "cycle", "identity", "loss", "psnr_a_to_b",
/// "psnr_b_to_a", "brain_a_to_b", "brain_b_to_a"}. brain: where either contrast is not black.
Json measure_contrasts(const ContrastNetworks& networks, const ContrastSlices& slices, double alpha);

/// What copying the input would score: {"a_to_b", "b_to_a", "brain_a_to_b", "brain_b_to_a"}, the better of
/// the stored input and the input scaled like the truth.
Json measure_copies(const ContrastSlices& slices);

/// {"a", "b"}: the mean of |flip(x) - x| over slices and pixels, in units of the 95th percentile.
Json measure_flip(const ContrastSlices& slices);

/// The networks of a trained run, in evaluation mode on that device; they take and give tensors of the CPU.
ContrastNetworks open_contrast_run(const std::filesystem::path& folder, const Placement& placement);

/// Rows: true A, translation, true B (fig. 4's order real, fake, real), and the same from B.
Image contrast_samples(const ContrastNetworks& networks, const ContrastSlices& slices);

}  // namespace torsor
