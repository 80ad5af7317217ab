// Generators of other public projects: those that are the reference's under other names, and those that
// torsor knows by their keys but cannot compute.
#pragma once

#include <string>
#include <vector>

#include "io/tensor_map.h"

namespace torsor {

/// The weights of a project whose generator is built as the reference's under the reference's keys, with a
/// line of `notes`; others as they are. Throws Error where that project computes something else.
TensorMap with_reference_keys(TensorMap weights, const std::string& source, std::vector<std::string>& notes);

/// Throws Error that names the project whose network this looks like, and what can be done; returns where it
/// looks like none.
void refuse_other_projects(const TensorMap& weights, const std::string& source);

}  // namespace torsor
