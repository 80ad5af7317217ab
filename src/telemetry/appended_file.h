// A file that grows at its end and is readable while it does.
#pragma once

#include <filesystem>
#include <fstream>
#include <string_view>

namespace torsor {

class AppendedFile {
 public:
  /// Appends to `path`, making it when absent. Throws Error when it cannot be opened.
  explicit AppendedFile(std::filesystem::path path);
  /// Hands the bytes to the system. Throws Error when the disk is full.
  void append(std::string_view bytes);

 private:
  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace torsor
