#include "app/command_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/shell.h"
#include "core/text.h"

namespace torsor::app {

namespace {

std::string value_word(const Json& value) {
  return shell_word(value.is_string() ? value.get<std::string>() : value.dump());
}

std::string flag_text(const Option& option) {
  if (option.is_bool())
    return option.value() == Json(true) ? option.flag() : "--no-" + kebab_case(option.name());
  return option.flag() + " " + value_word(option.value());
}

}  // namespace

std::string command_text(const std::string& name, const std::vector<std::string>& positionals,
                         const OptionSet& options, const std::vector<std::string>& without,
                         const std::string& more) {
  std::string out = "torsor " + name;
  for (const std::string& word : positionals)
    if (!word.empty()) out += " " + shell_word(word);
  for (const Option& option : options.options())
    if (option.given() && std::find(without.begin(), without.end(), option.name()) == without.end())
      out += " " + flag_text(option);
  return out + (more.empty() ? "" : " " + more);
}

}  // namespace torsor::app
