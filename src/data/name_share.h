// A part of a folder that is set aside, always the same one.
#pragma once

#include <cstdint>
#include <vector>

#include "data/folder_source.h"

namespace torsor {

/// Places among a folder's files(), in order.
struct NameShare {
  std::vector<std::int64_t> kept, held_out;
};

/// Holds out about `share` of the files, 0 to 1, by a hash of each one's name below the folder: no seed moves
/// a file, nor do others that come or go, and images of one name in two folders are on the same side. Throws
/// UsageError when none is held out or none is left.
NameShare share_by_name(const FolderSource& source, double share);

}  // namespace torsor
