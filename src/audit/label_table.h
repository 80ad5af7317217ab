// What a table of labels (data/label_table.h) says of given images.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace torsor {

/// What a table says of the images with these names.
struct NamedLabels {
  std::string source;                    // of the table, for messages
  std::vector<std::string> labels;       // of each image; "" where it has none
  std::vector<std::int64_t> lines;       // of the table; 0 where it has none
  std::int64_t without_label = 0;        // images
  std::int64_t without_image = 0;        // rows, the header aside
  std::int64_t first_without_image = 0;  // the line of the first of them; 0 for none
};

/// Finds the image of each row of a table by its name, "/" between folders, with or without extension. The
/// first row may be a header of any words. Throws Error naming table and line: as LabelTable, for a second
/// label of an image, for a name without extension that several images have, and when no row is an image's.
NamedLabels read_label_table(const std::filesystem::path& table, const std::vector<std::string>& names);

}  // namespace torsor
