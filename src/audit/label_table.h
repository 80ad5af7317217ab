// Tables of the classes of images, as a user writes them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace torsor {

struct LabelRow {
  std::string name, label;
  std::int64_t line = 0;  // where it begins, from 1
};

/// The rows "name,label" of a table by RFC 4180: quotes around a field, two for one inside, lines that end
/// with LF or CRLF; a byte-order mark is passed over. Throws Error "<source>:<line>: ..." for another number
/// of fields, an empty field, quotes in the wrong place, and what is not UTF-8.
std::vector<LabelRow> parse_label_table(const std::string& text, const std::string& source);

/// What a table says of the images with these names.
struct NamedLabels {
  std::string source;                    // of the table, for messages
  std::vector<std::string> labels;       // of each image; "" where it has none
  std::vector<std::int64_t> lines;       // of the table; 0 where it has none
  std::int64_t without_label = 0;        // images
  std::int64_t without_image = 0;        // rows, the header aside
  std::int64_t first_without_image = 0;  // the line of the first of them; 0 for none
};

/// Reads a table and finds the image of each row by its name, "/" between folders, with or without extension.
/// The first row is a header when its name is no image's. Throws Error naming table and line: as
/// parse_label_table(), for a second label of an image, for a name without extension that several images
/// have, and when no row is an image's.
NamedLabels read_label_table(const std::filesystem::path& table, const std::vector<std::string>& names);

}  // namespace torsor
