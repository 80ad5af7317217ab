// What is said of many images, once for each kind.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace torsor {

/// Notes that differ in numbers alone are of one kind.
class NoteCount {
 public:
  struct Kind {
    std::string first_file, first_note;
    std::int64_t count = 0;
  };

  void add(const std::string& file, const std::string& note);
  /// Those of other files.
  void add(const NoteCount& others);

  /// In the order in which they came.
  const std::vector<Kind>& kinds() const { return kinds_; }

  /// One line for each kind, in the order in which they came: with the file's name, or with the number of
  /// files and the name of the first.
  std::vector<std::string> lines() const;

 private:
  void add(const Kind& kind);

  std::map<std::string, std::size_t> places_;
  std::vector<Kind> kinds_;
};

}  // namespace torsor
