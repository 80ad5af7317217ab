// A table of the classes of images.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace torsor {

/// Lines "name,label" (RFC 4180: fields may stand in quotes, lines end in LF or CRLF, empty ones are left
/// out). A first line "name,label", in letters of any case, is a header.
class LabelTable {
 public:
  struct Row {
    std::string name, label;
    std::int64_t line = 0;  // in the file, from 1
  };

  /// Throws Error naming the file, and the line where there is one: unreadable, empty, not UTF-8, a line that
  /// has not two fields, an empty field, a quote that does not end, a name twice.
  explicit LabelTable(const std::filesystem::path& file);

  /// The row of an image by its name, relative to its folder, with or without the extension; null where there
  /// is none.
  const Row* find(const std::string& image) const;

  const std::vector<Row>& rows() const { return rows_; }
  /// The labels there are, each once, sorted by their bytes.
  std::vector<std::string> classes() const;
  const std::string& source() const { return source_; }  // path, for messages

 private:
  std::string source_;
  std::vector<Row> rows_;
  std::map<std::string, std::size_t> places_;  // of rows_, by name
};

}  // namespace torsor
