#include "telemetry/jsonl.h"

#include <optional>
#include <sstream>
#include <utility>

#include "core/files.h"

namespace torsor {

namespace {

std::optional<Json> parsed(const std::string& line) {
  const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (json.is_object() && json.contains("step") && json.at("step").is_number_integer()) return json;
  return std::nullopt;
}

}  // namespace

JsonlFile::JsonlFile(fs::path path) : file_(std::move(path)) {}

void JsonlFile::write(const Json& object) {
  file_.append(object.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n');
}

std::int64_t read_jsonl(const fs::path& log, const std::function<void(const Json&)>& visit) {
  std::error_code ec;
  if (!fs::exists(log, ec)) return 0;
  std::istringstream lines(read_file(log));
  std::int64_t others = 0;
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (json.is_object())
      visit(json);
    else
      ++others;
  }
  return others;
}

fs::path discarded_beside(const fs::path& log) {
  fs::path name = log.stem();
  name += ".discarded";
  name += log.extension();
  return log.parent_path() / name;
}

void rewind_jsonl(const fs::path& log, std::int64_t step, const std::function<void(const Json&)>& kept) {
  std::error_code ec;
  if (!fs::exists(log, ec)) return;
  std::istringstream lines(read_file(log));
  std::string stays, discarded;
  for (std::string line; std::getline(lines, line);) {
    const std::optional<Json> entry = parsed(line);
    const bool keep = entry && entry->at("step").get<std::int64_t>() <= step;
    (keep ? stays : discarded) += line + "\n";
    if (keep) kept(*entry);
  }
  if (discarded.empty()) return;
  const fs::path aside = discarded_beside(log);
  if (fs::exists(aside, ec)) discarded.insert(0, read_file(aside));
  write_file_atomically(aside, discarded);
  write_file_atomically(log, stays);
}

}  // namespace torsor
