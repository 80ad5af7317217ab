// From the values of a torch.save pickle to named tensors. How torch pickles tensors and storages:
// torch/_utils.py (_rebuild_tensor_v2) and torch/serialization.py (persistent identifiers).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "io/pickle.h"
#include "io/tensor_map.h"

namespace torsor {

/// What a pickle says about a storage: ('storage', torch.FloatStorage, key, location, element count[, view]).
struct StorageId {
  std::string key;
  at::ScalarType dtype = at::kFloat;
  std::int64_t count = 0;        // elements of the whole storage
  std::int64_t view_offset = 0;  // the part meant, in elements (files of torch before 0.4)
  std::int64_t view_count = 0;
};

/// Where the elements of storages come from.
class StorageSource {
 public:
  virtual ~StorageSource() = default;
  /// A contiguous CPU tensor of id.count elements. Asked at most once a key.
  virtual at::Tensor load(const StorageId& id) = 0;
};

/// The globals a state dict may mention: OrderedDict, tensor and parameter rebuilding, storages, and what
/// stands for plain data in checkpoints (torch.Size, torch.device, dtypes, sets).
bool is_state_dict_global(std::string_view name);

/// "FloatStorage" of module torch; "" for a dtype that has none here.
std::string_view storage_type_name(at::ScalarType dtype);

/// Throws Error when the persistent identifier is not a storage of a supported dtype.
StorageId parse_storage_id(const PickleValue& persistent, const std::string& source);

/// The state dict in `root`, found as read_pth documents. `max_bytes` bounds the tensors together: views may
/// repeat elements, so that a small file can claim any amount. Throws Error naming `source`.
TensorMap extract_state_dict(const PickleValue& root, StorageSource& storages, std::uint64_t max_bytes,
                             const std::string& source);

}  // namespace torsor
