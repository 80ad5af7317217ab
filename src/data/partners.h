// Which images of two folders belong together, by their names.
#pragma once

#include <string>

#include "core/log.h"
#include "data/folder_source.h"

namespace torsor {

/// What partners have in common: the name without the extension of an image, since another says nothing of
/// images and is a part of the name.
std::string pair_name(const std::string& name);

/// Keeps of two folders the images that have a partner in the other, both in the order of A's files, so that
/// image i of one belongs to image i of the other. Partners have the same name below their folder, its
/// sub-folders included and the extension left out; `limit` > 0 keeps the first that many pairs. Images
/// without a partner: refuse throws Error that names the first of each folder and says that skip_bad goes on;
/// skip leaves them out with a warning for each folder. Throws Error also when no image has a partner, and
/// for two images of one name in a folder.
void keep_partners(FolderSource& a, FolderSource& b, std::int64_t limit, BadFiles policy, LogSink& log);

}  // namespace torsor
