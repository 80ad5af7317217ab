// Transformations of images that may keep a domain's distribution: candidates for its automorphisms.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "audit/audit_images.h"
#include "audit/audit_options.h"
#include "loss/gan_loss.h"

namespace torsor {

/// Lipschitz constants in the distances of loss/distance.h that are norms; infinity where there is none.
struct LipschitzConstants {
  double l1 = 1;         // mean |x - y|
  double euclidean = 1;  // ||x - y||_2
  /// Of this cycle_norm; infinity for l2, the squared distance, which is no norm.
  double of(const std::string& norm) const;
};

struct Symmetry {
  std::string name;       // "hflip", "hue-120"
  std::string text;       // for a reader: "mirrored left to right", "with hues turned by 120 degrees"
  TensorMapping map;      // [N,C,H,W] in the networks' range of the domain -> the same shape
  TensorMapping inverse;  // empty where there is no way back (a program of the user's)
  LipschitzConstants lipschitz, inverse_lipschitz;  // on images between black and white
  /// The symmetry of this name is the inverse: both keep a distribution or neither does (S0-C3); "" where it
  /// has no name.
  std::string inverse_name = {};
};

/// The rotation of hues about the grey axis that takes red to green at 120 degrees; [N,3,H,W] to the same.
TensorMapping hue_turned(double degrees);

/// All names that --symmetries knows.
std::vector<std::string> symmetry_names();

/// Those of `options.symmetries` that fit images of this domain (channels, square or not, scaling), in their
/// order; "auto": all that fit. Names: hflip, vflip, rot90, rot180, rot270, shift-x, shift-y (circular, by an
/// eighth of the side), negative, gamma, intensity, swap-rg, swap-gb, swap-rb, hue-30 ... hue-330, and "own",
/// the user's programs, which work below `scratch`. Intensities act on u = (v - black) / (1 - black).
/// Throws UsageError for an unknown name (the nearest is named) and for one that does not fit and was named.
std::vector<Symmetry> symmetries_for(
    const AuditOptions& options, const AuditImages& images,
    const std::filesystem::path& scratch = std::filesystem::temp_directory_path());

}  // namespace torsor
