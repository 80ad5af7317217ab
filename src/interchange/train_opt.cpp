#include "interchange/train_opt.h"

#include <charconv>
#include <sstream>

#include "core/error.h"
#include "core/files.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

std::string ReferenceOptions::text(const std::string& name) const {
  const auto found = values.find(name);
  return found == values.end() ? "" : found->second;
}

std::optional<bool> ReferenceOptions::flag(const std::string& name) const {
  const std::string value = text(name);
  if (value == "True") return true;
  if (value == "False") return false;
  return std::nullopt;
}

std::optional<std::int64_t> ReferenceOptions::number(const std::string& name) const {
  const std::string value = text(name);
  std::int64_t number = 0;
  const auto [end, status] = std::from_chars(value.data(), value.data() + value.size(), number);
  return status == std::errc() && end == value.data() + value.size() ? std::optional(number) : std::nullopt;
}

ReferenceOptions read_reference_options(const fs::path& path) {
  ReferenceOptions out;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(": ");
    const std::string name = trimmed(line.substr(0, colon));
    if (colon == std::string::npos || name.empty() || name.find(' ') != std::string::npos) continue;
    const std::string value = line.substr(colon + 2);
    out.values[name] = trimmed(value.substr(0, value.find("\t[default")));
  }
  if (out.values.empty()) fail("{}: is not the reference's list of options (name: value)", path.string());
  return out;
}

std::optional<ReferenceOptions> find_reference_options(const fs::path& folder) {
  const fs::path path = folder / "train_opt.txt";
  std::error_code ec;
  if (!fs::is_regular_file(path, ec)) return std::nullopt;
  return read_reference_options(path);
}

}  // namespace torsor
