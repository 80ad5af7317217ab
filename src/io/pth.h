// State dicts that Python torch saved (.pth, .pt).
#pragma once

#include <filesystem>

#include "io/tensor_map.h"

namespace torsor {

/// Reads a state dict written by Python's torch.save: the zip container and the older stream container (torch
/// before 1.6). The pickle program inside is interpreted by a reader with a whitelist (OrderedDict, tensor
/// rebuilding, storages); nothing is executed and anything else is refused by name. Dtypes: float64/32/16,
/// bfloat16, int64/32/16/8, uint8, bool. Shared, offset and non-contiguous storages come out as contiguous
/// tensors of their own. A "module." prefix (DataParallel) is removed when every name has it. Entries that
/// are not tensors (counters, notes) are left out. A nested checkpoint ({"state_dict": {...}}, {"model":
/// ...}) yields its single state dict; with several, throws Error that lists them. Throws Error naming the
/// file for: missing, empty, not a .pth (says what it looks like), truncated, not a state dict, views that
/// would unpack to more than 64 MiB + 8 times the file's size. The container formats: torch/serialization.py.
TensorMap read_pth(const std::filesystem::path& path);

/// Writes a state dict that torch.load(weights_only=True) reads: an OrderedDict of contiguous tensors in the
/// zip container, in the order given. Equal tensors make equal files. Atomic. Throws Error naming the file
/// for: a name twice, a dtype without a torch storage, a disk that is full.
void write_pth(const std::filesystem::path& path, const TensorMap& tensors);

}  // namespace torsor
