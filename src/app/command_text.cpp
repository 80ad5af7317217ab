#include "app/command_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/shell.h"
#include "core/text.h"

namespace torsor::app {

std::string command_text(const std::string& name, const std::vector<std::string>& positionals,
                         const OptionSet& options, const std::vector<std::string>& without,
                         const std::string& more) {
  std::string out = "torsor " + name;
  for (const std::string& word : positionals)
    if (!word.empty()) out += " " + shell_word(word);
  for (const Option& option : options.options())
    if (option.given() && std::find(without.begin(), without.end(), option.name()) == without.end())
      out += " " + flag_text(option.name(), option.value());
  return out + (more.empty() ? "" : " " + more);
}

}  // namespace torsor::app
