// A log of one JSON object a line, readable while it grows.
#pragma once

#include <filesystem>
#include <fstream>

#include "core/json.h"

namespace torsor {

class JsonlFile {
 public:
  /// Appends to `path`, making it when absent. Throws Error when it cannot be opened.
  explicit JsonlFile(std::filesystem::path path);
  /// Writes one line and hands it to the system. Non-finite numbers become null (JSON has none). Throws Error
  /// when the disk is full.
  void write(const Json& object);

 private:
  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace torsor
