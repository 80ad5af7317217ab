// State dicts that Python torch saved (.pth, .pt).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/tensor_map.h"

namespace torsor {

/// One of the state dicts of a file.
struct StateDict {
  std::string name;     // the keys that lead to it: "model.netG"; "" when it is all of the file
  TensorMap tensors;    // empty where there is a problem
  std::string problem;  // why a tensor of it could not be read, naming the file; "" = all were
};

/// Reads what Python's torch.save wrote: the zip container and the older stream container (torch before 1.6),
/// pickles of protocol 1 to 5. Nothing in a pickle is executed: tensors and dicts (OrderedDict, defaultdict
/// and Counter too) are read, every other object (NumPy's numbers, argparse.Namespace, paths, whole modules
/// ...) is passed over, and nothing is looked for inside it. A state dict is a dict of named tensors, however
/// deep in dicts and lists: the file itself, or {"state_dict": {...}, "epoch": 3}; entries that are not
/// tensors are left out, and tensors whose names have no dot (a loss, the state of a random generator) are no
/// state dict where there is another. Dtypes: float64/32/16, bfloat16, int64/32/16/8, uint8, bool. Shared,
/// offset and non-contiguous storages come out as contiguous tensors of their own. Returns at least one.
/// Throws Error naming the file for: missing, empty, not a .pth (says what it looks like), truncated, no
/// state dict in it. What is wrong with the tensors of one state dict is its `problem`; so are views that
/// would unpack to more than 64 MiB + 8 times the file's size together. The container formats:
/// torch/serialization.py.
std::vector<StateDict> read_state_dicts(const std::filesystem::path& path);

/// The tensors of a file with one state dict. Throws as read_state_dicts() does, for its problem, and when
/// there are several, which it lists.
TensorMap read_pth(const std::filesystem::path& path);

/// Writes a state dict that torch.load(weights_only=True) reads: an OrderedDict of contiguous tensors in the
/// zip container, in the order given. Equal tensors make equal files. Atomic. Throws Error naming the file
/// for: a name twice, a dtype without a torch storage, a disk that is full.
void write_pth(const std::filesystem::path& path, const TensorMap& tensors);

}  // namespace torsor
