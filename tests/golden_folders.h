// Where what was recorded from the reference implementation lies.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

namespace torsor::testing {

/// The folders that TORSOR_GOLDEN names, separated by colons; those beside the source where it is not set.
inline std::vector<std::filesystem::path> golden_folders() {
  const char* given = std::getenv("TORSOR_GOLDEN");
  std::istringstream names(given != nullptr ? given : TORSOR_GOLDEN_DEFAULT);
  std::vector<std::filesystem::path> out;
  for (std::string name; std::getline(names, name, ':');)
    if (!name.empty()) out.emplace_back(name);
  return out;
}

/// The first of them: forward passes, pictures and trainings of CycleGAN.
inline std::filesystem::path golden_folder() {
  const auto folders = golden_folders();
  return folders.empty() ? std::filesystem::path() : folders.front();
}

}  // namespace torsor::testing
