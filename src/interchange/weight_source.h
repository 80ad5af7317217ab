// Weights of any origin.
#pragma once

#include <filesystem>

#include "interchange/weight_choice.h"
#include "model/model_file.h"

namespace torsor {

/// The file inside a torsor run directory that holds its newest weights: the final model, else the newest
/// checkpoint; empty when it has neither.
std::filesystem::path weights_in_run(const std::filesystem::path& run);

/// Whether a file is a torsor model or checkpoint, which describes itself. Throws Error for a safetensors
/// file whose header is damaged.
bool is_torsor_file(const std::filesystem::path& file);

/// MODEL: the word identity (identity_weights()), a run directory, a torsor model file or checkpoint, a .pth
/// or safetensors file with networks of the reference, or its folder checkpoints/<name>/. Throws Error naming
/// the file and what it looks like, UsageError for a choice about a torsor model.
WeightSet open_weights(const std::filesystem::path& model, const WeightChoice& choice = {});

}  // namespace torsor
