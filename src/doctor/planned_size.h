// The size that a training on these images should have.
#pragma once

#include "doctor/survey.h"

namespace torsor {

/// The crop of --preset `name`.
std::int64_t crop_of_preset(const std::string& name);

/// The preset whose crop half of the images of each training set hold, the largest; "laptop", the smallest,
/// where there is none. Of the presets only the sizes count, not whether there is time or memory for them.
std::string preset_of_sizes(const Survey& survey);

/// The crop to train at: that preset's, or where the images are smaller the largest multiple of 32 that half
/// of them hold, at least 32.
std::int64_t planned_crop(const Survey& survey);

}  // namespace torsor
