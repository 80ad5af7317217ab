#include "core/shell.h"

#include <string_view>

#include "core/plain_text.h"
#include "core/text.h"

namespace torsor {

std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./=:,+@%-";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string flag_text(const std::string& name, const Json& value) {
  if (value.is_boolean()) return (value.get<bool>() ? "--" : "--no-") + kebab_case(name);
  return "--" + kebab_case(name) + " " + shell_word(plain_text(value));
}

}  // namespace torsor
