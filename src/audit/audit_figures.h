// The pictures of an audit on its page.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/json.h"
#include "report/html.h"

namespace torsor {

/// Each stands on the page once, where it is first shown.
class AuditFigures {
 public:
  /// `parts` of audit.json, whose figures have the captions; files are relative to `out`.
  AuditFigures(const Json& parts, std::filesystem::path out);

  /// Those that were not shown before; returns how many were. Throws Error naming a file that is gone or is
  /// no picture.
  std::size_t show(const std::vector<std::string>& files, HtmlPage& page);

 private:
  struct Shown {
    std::string caption;
    std::int64_t width = 0;
  };

  void learn(const Json& value);
  void show_one(const std::string& file, HtmlPage& page);

  std::filesystem::path out_;
  std::map<std::string, Shown> known_;
  std::set<std::string> shown_;
};

}  // namespace torsor
