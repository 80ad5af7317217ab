// The folder of one run, laid out so that it explains itself.
#pragma once

#include <filesystem>

#include "core/json.h"

namespace torsor {

/// config.json (resolved options), log.jsonl, samples/, checkpoints/, model.safetensors (at the end).
class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path root) : root_(std::move(root)) {}

  /// Throws Error when a run is there already: nothing is ever overwritten.
  void require_free() const;

  /// require_free(), then makes the folders and writes config.json.
  void create(const Json& config) const;

  /// Throws Error unless a run is there.
  void require() const;

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path config() const { return root_ / "config.json"; }
  std::filesystem::path log() const { return root_ / "log.jsonl"; }
  std::filesystem::path samples() const { return root_ / "samples"; }
  std::filesystem::path checkpoints() const { return root_ / "checkpoints"; }
  std::filesystem::path checkpoint(std::int64_t step) const;
  std::filesystem::path model() const { return root_ / "model.safetensors"; }

  /// Checkpoints there are, oldest first.
  std::vector<std::filesystem::path> list_checkpoints() const;

 private:
  std::filesystem::path root_;
};

}  // namespace torsor
