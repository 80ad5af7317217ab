// Known errors that are composed onto a translator, to see whether an audit would find them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/rng.h"
#include "loss/gan_loss.h"

namespace torsor {

struct PlantedChange {
  std::string kind;  // hue, patch, lesion, gain
  std::string text;  // "a change of hue", "a bright spot of radius 4 pixels"
  std::string unit;  // of the size: "degrees", "of the side", "of the grey range", "times"
  double size = 0;   // larger is more of it
  /// [N,C,H,W], as many images as were said, -> the same with the change. Places are the same at each call.
  TensorMapping map;
};

/// The images that changes are planted in: of so many channels, the shorter side, black (white is 1).
struct PlantedImages {
  std::int64_t count = 0, channels = 3, side = 0;
  double black = -1;
};

/// Changes of such images, by kind and then by size:
/// hue: turned about the grey axis, of RGB; patch: a square copied from another of the images to the same
/// place; lesion: a bright disc with a soft edge at a place of its own in each image; gain: brightness times
/// the size, at most white.
std::vector<PlantedChange> planted_changes(const PlantedImages& images, Rng& rng);

}  // namespace torsor
