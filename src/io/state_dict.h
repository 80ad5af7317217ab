// From the values of a torch.save pickle to the state dicts in it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/pickle.h"
#include "io/pth.h"
#include "io/tensor_rebuild.h"

namespace torsor {

/// The state dicts in `root`, found as read_state_dicts() documents. `max_bytes` bounds the tensors together.
/// Throws Error naming `source` when there is none.
std::vector<StateDict> extract_state_dicts(const PickleValue& root, StorageSource& storages,
                                           std::uint64_t max_bytes, const std::string& source);

}  // namespace torsor
