// The training that these images suggest.
#pragma once

#include <string>
#include <vector>

#include "doctor/preset_cost.h"
#include "doctor/survey.h"

namespace torsor {

/// A command line for torsor train: the data, pix2pix where the training images are pairs side by side, and
/// not where only their folder's name or the test images say so, channels, and the largest preset whose crop
/// the images hold, that fits the memory and takes at most three days by `costs`; without these the smallest.
/// For a folder that is one domain, or none, it has a placeholder for the other.
std::string suggested_command(const Survey& survey, const DataPlace& place,
                              const std::vector<PresetCost>& costs);

}  // namespace torsor
