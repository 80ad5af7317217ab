#include "core/json.h"

#include <set>
#include <tuple>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"

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

[[noreturn]] void fail_at(const std::string& text, std::size_t offset, const std::string& source,
                          const std::string& what) {
  const auto [line, column] = position(text, offset);
  fail("{}:{}:{}: not JSON: {}", source, line, column, what);
}

// nlohmann's parser would keep the last of two values without a word.
void require_unique_keys(const std::string& text, const std::string& source) {
  std::vector<std::set<std::string>> seen(1);  // by depth
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    const auto level = static_cast<std::size_t>(depth);
    if (event == Json::parse_event_t::object_start) {
      seen.resize(level + 2);
      seen[level + 1].clear();
    }
    if (event == Json::parse_event_t::key && !seen.at(level).insert(value.get<std::string>()).second)
      fail("{}: '{}' is given twice in the same object; keep one of them", source,
           printable(value.get<std::string>()));
    return true;
  };
  std::ignore = Json::parse(text, watch);
}

}  // namespace

std::optional<std::size_t> deeper_than(int levels, const std::string& text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\')
      ++i;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && (c == '{' || c == '['))
      ++depth;
    else if (!quoted && (c == '}' || c == ']'))
      --depth;
    if (depth > levels) return i;
  }
  return std::nullopt;
}

Json parse_json(const std::string& text, const std::string& source) {
  constexpr int kDeepest = 64;
  if (const auto at = deeper_than(kDeepest, text))
    fail_at(text, *at, source, fmt::format("nested more than {} levels deep", kDeepest));
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& e) {
    fail_at(text, e.byte == 0 ? 0 : e.byte - 1, source, json_reason(e));
  } catch (const Json::out_of_range& e) {  // 1e999; no position is known
    fail("{}: not JSON: {}", source, json_reason(e));
  }
}

// nlohmann's texts read "[json.exception...] parse error at line 1, column 2: syntax error ..."; not all of
// them have a position and a colon.
std::string json_reason(const Json::exception& error) {
  constexpr std::size_t kLongest = 240;
  const std::string what = error.what();
  for (const std::string_view end : {": ", "] "})
    if (const auto at = what.find(end); at != std::string::npos)
      return printable(what.substr(at + end.size()), kLongest);
  return printable(what, kLongest);
}

std::int64_t json_count(const Json& value) {
  const bool is_count = value.is_number_unsigned() && value.get<std::uint64_t>() <= std::uint64_t{INT64_MAX};
  // A number that was set, not parsed, may be of the signed kind.
  if (is_count ||
      (value.is_number_integer() && !value.is_number_unsigned() && value.get<std::int64_t>() >= 0))
    return value.get<std::int64_t>();
  throw Json::type_error::create(302, "a whole number of 0 or more was expected", &value);
}

Json read_json(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  Json parsed = parse_json(text, path.string());
  require_unique_keys(text, path.string());
  return parsed;
}

}  // namespace torsor
