// What lies below a folder of images.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "image/foreign.h"

namespace torsor {

/// A file that looks like an image but is not read.
struct LeftOutFile {
  std::filesystem::path path;
  const ForeignFormat* format;  // null for one that could be read if its name ended in `extension`
  std::string extension;
};

/// All of it sorted by path.
struct FolderListing {
  std::vector<std::filesystem::path> images;
  std::vector<LeftOutFile> left_out;
  /// Entries that may hold images but cannot be entered or read, a line each that begins with the path: links
  /// to nowhere or back to a folder that contains them, folders that may not be listed, pipes.
  std::vector<std::string> bad;
};

/// Lists a folder and those below it, also through links. Images are told by their extensions, files without
/// any by their content; other extensions are looked into for what is left out. Hidden files and folders are
/// passed over. Throws Error when the folder itself cannot be listed.
FolderListing list_folder(const std::filesystem::path& folder);

/// "3 files left out: b.avif, c.HEIC, d.gif; convert .avif with avifdec (Debian: libavif-bin), ...", with
/// paths relative to the folder; "" for none.
std::string describe_left_out(const std::vector<LeftOutFile>& files, const std::filesystem::path& folder);

}  // namespace torsor
