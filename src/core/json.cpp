#include "core/json.h"

#include "core/error.h"
#include "core/files.h"

namespace torsor {

namespace {

// Line and column (from 1) of the byte at `offset`.
std::pair<std::size_t, std::size_t> position(const std::string& text, std::size_t offset) {
  std::size_t line = 1, column = 1;
  for (std::size_t i = 0; i < std::min(offset, text.size()); ++i) {
    column = text[i] == '\n' ? 1 : column + 1;
    line += text[i] == '\n' ? 1 : 0;
  }
  return {line, column};
}

// nlohmann's "[json.exception...] parse error at line 1, column 2: syntax error ..." without its prefix; not
// all of its messages have a position and a colon.
std::string reason(const std::string& what) {
  for (const std::string_view end : {": ", "] "})
    if (const auto at = what.find(end); at != std::string::npos) return what.substr(at + end.size());
  return what;
}

}  // namespace

Json parse_json(const std::string& text, const std::string& source) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& e) {
    const auto [line, column] = position(text, e.byte == 0 ? 0 : e.byte - 1);
    fail("{}:{}:{}: not JSON: {}", source, line, column, reason(e.what()));
  } catch (const Json::out_of_range& e) {  // 1e999; no position is known
    fail("{}: not JSON: {}", source, reason(e.what()));
  }
}

Json read_json(const std::filesystem::path& path) { return parse_json(read_file(path), path.string()); }

}  // namespace torsor
