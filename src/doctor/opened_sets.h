// The sets of images that a folder of data holds, whatever its layout.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/image_set.h"
#include "image/codec.h"

namespace torsor {

/// What is looked at: as --data of a training or any folder of images, or two folders.
struct DataPlace {
  std::string data = "";  // where `a` and `b` are given
  std::string a = "", b = "";
  std::int64_t max_images = 0;      // of each set; 0: all
  PageUse pages = PageUse::images;  // of files
};

enum class Holds { domain_a, domain_b, pairs, images };  // images: of one folder that belongs to no domain

struct OpenedSet {
  std::string title;  // "trainB", "A", "photos"
  Holds holds = Holds::images;
  Split split = Split::train;
  std::shared_ptr<ImageSet> images;
};

struct OpenedSets {
  std::vector<OpenedSet> sets;
  std::vector<std::string> left_out;  // a line for each entry and each set that could not be opened
};

/// Opens all sets that the data source has, or the folder itself where it has none. Reads no image. Throws
/// Error where there is no image at all, and for a missing one of two folders.
OpenedSets open_sets(const DataPlace& place);

}  // namespace torsor
