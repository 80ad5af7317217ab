#include "train/run_directory.h"

#include <algorithm>

#include "core/error.h"
#include "core/files.h"

namespace torsor {

namespace fs = std::filesystem;

void RunDirectory::require_free() const {
  std::error_code ec;
  if (fs::exists(config(), ec) || fs::exists(log(), ec) || fs::exists(model(), ec))
    fail("--out {}: holds a run already, which is not overwritten; choose another folder or remove it",
         root_.string());
}

void RunDirectory::create(const Json& json) const {
  require_free();
  make_folder(samples());
  make_folder(checkpoints());
  write_file_atomically(config(), json.dump(2) + "\n");
}

void RunDirectory::require() const {
  if (!fs::is_directory(root_)) fail("{}: no such run directory", root_.string());
  if (!fs::is_regular_file(config()))
    fail("{}: is not a run directory (it has no config.json)", root_.string());
}

fs::path RunDirectory::checkpoint(std::int64_t step) const {
  return checkpoints() / fmt::format("step_{:08}.safetensors", step);
}

std::vector<fs::path> RunDirectory::list_checkpoints() const {
  std::vector<fs::path> found;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(checkpoints(), ec)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("step_") && name.ends_with(".safetensors")) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace torsor
