#include "metric/groups.h"

#include <filesystem>
#include <map>
#include <regex>

#include "core/error.h"

namespace torsor {

namespace {

std::regex compiled(const std::string& pattern, const std::string& what) {
  try {
    return std::regex(pattern);
  } catch (const std::regex_error&) {
    fail_usage("{}: '{}' is no regular expression (ECMAScript's, as in '^(patient[0-9]+)_')", what,
               printable(pattern));
  }
}

std::string captured(const std::string& name, const std::regex& regex, const std::string& pattern) {
  std::smatch match;
  if (!std::regex_search(name, match, regex))
    fail("{}: its name does not match the pattern of --groups, '{}'", name, printable(pattern));
  const std::string group = match.size() > 1 ? match[1].str() : match[0].str();
  if (group.empty())
    fail("{}: the pattern of --groups, '{}', finds an empty group in its name", name, printable(pattern));
  return group;
}

std::string without_extension(const std::string& name) {
  return std::filesystem::path(name).replace_extension().generic_string();
}

}  // namespace

void check_group_pattern(const std::string& pattern, const std::string& what) {
  if (!pattern.empty()) compiled(pattern, what);
}

SampleGroups group_by_name(const std::vector<std::string>& real, const std::vector<std::string>& fake,
                           const std::string& pattern) {
  const std::regex regex = compiled(pattern, "--groups");
  std::map<std::string, std::int64_t> ids;
  const auto id_of = [&](const std::string& name) {
    const std::string group = pattern.empty() ? without_extension(name) : captured(name, regex, pattern);
    return ids.emplace(group, std::ssize(ids)).first->second;
  };
  SampleGroups out;
  for (const auto& name : real) out.real.push_back(id_of(name));
  for (const auto& name : fake) out.fake.push_back(id_of(name));
  out.count = std::ssize(ids);
  return out;
}

SampleGroups ungrouped(std::int64_t real, std::int64_t fake) {
  SampleGroups out;
  for (std::int64_t i = 0; i < real; ++i) out.real.push_back(i);
  for (std::int64_t i = 0; i < fake; ++i) out.fake.push_back(real + i);
  out.count = real + fake;
  return out;
}

}  // namespace torsor
