// The model that copies, which is in no file.
#pragma once

#include "model/model_file.h"

namespace torsor {

/// The word that stands for it in place of a model's path; a file of that name is ./identity.
inline constexpr const char* kIdentityModel = "identity";

/// A generator of each direction that returns its input, of any number of channels; without weights.
WeightSet identity_weights();

}  // namespace torsor
