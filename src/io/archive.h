// Named tensors and named JSON values in one file: checkpoints, where every owner saves itself under its
// name.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "core/json.h"
#include "io/tensor_map.h"

namespace torsor {

/// The metadata key of an archive's JSON values; a file without it holds tensors alone.
inline constexpr const char* kStateKey = "torsor.state";

class Archive {
 public:
  void put(const std::string& name, const at::Tensor& tensor);  // copied to the CPU
  void put(const std::string& name, Json value);
  bool has_tensor(const std::string& name) const;
  bool has_value(const std::string& name) const { return values_.contains(name); }
  /// Throw Error when there is no such entry.
  at::Tensor tensor(const std::string& name) const;
  const Json& value(const std::string& name) const;
  /// A tensor that has to be like `wanted` in shape, on its device and of its dtype. Throws Error too when
  /// its shape is another.
  at::Tensor tensor_like(const std::string& name, const at::Tensor& wanted) const;
  /// Hands the value to `take`; whatever that finds wrong with it (a Json::exception or an Error) comes out
  /// as an Error that names the file and the entry.
  void take(const std::string& name, const std::function<void(const Json&)>& take) const;
  /// "<file>: entry '<name>' is damaged: <what>", thrown as Error.
  [[noreturn]] void refuse(const std::string& name, const std::string& what) const;
  /// Entries whose name starts with "<prefix>/", without it.
  TensorMap tensors_under(const std::string& prefix) const;
  /// Whether there is a tensor or a value whose name starts with "<prefix>/".
  bool has_under(const std::string& prefix) const;

  /// The path it was read from, for messages.
  const std::string& source() const { return source_; }

  /// What the file says beside its entries; empty for an archive that was not read from a file.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  /// Stored as safetensors; the values travel in its metadata under kStateKey. Atomic.
  void write(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata) const;
  /// Throws Error naming the file for anything that is not a whole archive.
  static Archive read(const std::filesystem::path& path);

 private:
  TensorMap tensors_;
  Json values_ = Json::object();
  std::map<std::string, std::string> metadata_;
  std::string source_ = "archive";
};

/// What one owner puts into an archive: each name gets "<prefix>/" in front.
class ArchiveWriter {
 public:
  ArchiveWriter(Archive& archive, const std::string& prefix) : archive_(archive), prefix_(prefix + "/") {}
  void put(const std::string& name, const at::Tensor& tensor) { archive_.put(prefix_ + name, tensor); }
  void put(const std::string& name, Json value) { archive_.put(prefix_ + name, std::move(value)); }

 private:
  Archive& archive_;
  std::string prefix_;
};

/// What one owner has put into an archive, by its own names. Throws as the archive does.
class ArchiveReader {
 public:
  ArchiveReader(const Archive& archive, const std::string& prefix)
      : archive_(archive), prefix_(prefix + "/") {}
  bool has_tensor(const std::string& name) const { return archive_.has_tensor(prefix_ + name); }
  bool has_value(const std::string& name) const { return archive_.has_value(prefix_ + name); }
  at::Tensor tensor(const std::string& name) const { return archive_.tensor(prefix_ + name); }
  at::Tensor tensor_like(const std::string& name, const at::Tensor& wanted) const {
    return archive_.tensor_like(prefix_ + name, wanted);
  }
  const Json& value(const std::string& name) const { return archive_.value(prefix_ + name); }
  void take(const std::string& name, const std::function<void(const Json&)>& take) const {
    archive_.take(prefix_ + name, take);
  }

 private:
  const Archive& archive_;
  std::string prefix_;
};

}  // namespace torsor
