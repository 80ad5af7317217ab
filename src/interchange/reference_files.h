// Which files of a folder hold the networks of one model, and which network each is, by their names.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace torsor {

/// "<epoch>_net_<role>.pth" of the reference, or another file of weights.
struct ReferenceFile {
  std::filesystem::path path;
  std::string epoch;  // "latest", "200"; "" in other names
  std::string role;   // "G_A", "G_B", "D_A", "D_B", "G", "D", CUT's "F"; a whole name that says a direction
                      // (netG_A2B); or ""
};

ReferenceFile parse_file_name(const std::filesystem::path& path);

/// The files (.pth, .pt, .safetensors) of the "latest" epoch, else of the highest, generators first; where
/// there is none of the reference's names, files whose names say a direction. Throws Error naming the folder
/// when there is none.
std::vector<ReferenceFile> newest_files(const std::filesystem::path& folder);

}  // namespace torsor
