// Tensors as torch pickles them: calls that rebuild one from a view of a storage. Sources: torch/_utils.py
// (_rebuild_tensor_v2 and its relatives) and torch/serialization.py (persistent identifiers).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/pickle.h"

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

/// The calls that have to be written down: those that rebuild tensors and parameters, and torch.Size.
bool is_tensor_call(std::string_view function);

/// "FloatStorage" of module torch; "" for a dtype that has none here.
std::string_view storage_type_name(at::ScalarType dtype);

/// Whether a persistent identifier is a storage's: old files keep the sources of modules under others.
bool is_storage_id(const PickleValue& persistent);

/// Throws Error when the persistent identifier is not a storage of a known dtype.
StorageId parse_storage_id(const PickleValue& persistent, const std::string& source);

/// Whether a value is a tensor or parameter, one that cannot be read too.
bool is_tensor(const PickleValue& value);

/// Makes contiguous CPU tensors of their descriptions.
class TensorBuilder {
 public:
  /// `max_bytes` bounds the tensors together: views may repeat elements, so that a small file can claim any
  /// amount.
  TensorBuilder(StorageSource& storages, std::uint64_t max_bytes, const std::string& source)
      : storages_(storages), max_bytes_(max_bytes), source_(source) {}

  /// Throws Error naming the tensor for: damage, a kind of tensor or a dtype that is not read, too many
  /// bytes.
  at::Tensor build(const PickleValue& value, std::string_view name);

 private:
  struct View;

  at::Tensor cut(const StorageId& id, const View& view, const std::string& what);
  void spend(const View& view, at::ScalarType dtype, const std::string& what);
  const at::Tensor& loaded(const StorageId& id, const std::string& what);

  StorageSource& storages_;
  std::uint64_t max_bytes_;
  const std::string& source_;
  std::uint64_t bytes_ = 0;
  std::map<std::string, at::Tensor> cache_;
};

}  // namespace torsor
