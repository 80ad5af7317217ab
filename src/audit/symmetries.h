// Transformations of images that may keep a domain's distribution: candidates for its automorphisms.
#pragma once

#include <string>
#include <vector>

#include "audit/audit_images.h"
#include "audit/audit_options.h"
#include "loss/gan_loss.h"

namespace torsor {

struct Symmetry {
  std::string name;       // "hflip", "hue-120"
  std::string text;       // for a reader: "mirrored left to right", "hues turned by 120 degrees"
  TensorMapping map;      // [N,C,H,W] in the networks' range of the domain -> the same shape
  TensorMapping inverse;  // empty where there is no way back (a program of the user's)
  /// The Lipschitz constant of the inverse in the distance mean |x - y|; infinity where it has none.
  double inverse_lipschitz = 1;
};

/// Those of `options.symmetries` that fit images of this domain (channels, square or not, scaling), in their
/// order; "auto": all that fit. Names: hflip, vflip, rot90, rot180, rot270, shift-x, shift-y, negative,
/// gamma, intensity, swap-rg, swap-gb, swap-rb, hue-30 ... hue-330, and "own", the user's programs. Throws
/// UsageError for an unknown name (the nearest is named) and for one that does not fit and was named.
std::vector<Symmetry> symmetries_for(const AuditOptions& options, const AuditImages& images);

}  // namespace torsor
