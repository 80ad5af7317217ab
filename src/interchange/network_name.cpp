#include "interchange/network_name.h"

#include <algorithm>
#include <cctype>
#include <initializer_list>

namespace torsor {

namespace {

using Words = std::initializer_list<std::string_view>;

bool is_one_of(std::string_view word, Words words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string letters_and_digits(std::string_view name) {
  std::string out;
  for (const unsigned char c : name)
    if (std::isalnum(c) != 0) out += static_cast<char>(std::tolower(c));
  return out;
}

// Without the words for "network" in front, else behind; the longer words stand first.
std::string_view without_stems(std::string_view name, Words stems) {
  const auto cut = [&](bool front) {
    for (const std::string_view stem : stems) {
      if (name == stem || !(front ? name.starts_with(stem) : name.ends_with(stem))) continue;
      front ? name.remove_prefix(stem.size()) : name.remove_suffix(stem.size());
      return true;
    }
    return false;
  };
  if (cut(true))
    while (cut(true)) continue;
  else
    cut(false);
  return name;
}

NameSays way_of(std::string_view rest) {
  if (is_one_of(rest, {"a2b", "ab", "atob", "x2y", "xy", "xtoy", "s2t", "st", "stot", "1to2"}))
    return NameSays::a_to_b;
  if (is_one_of(rest, {"b2a", "ba", "btoa", "y2x", "yx", "ytox", "t2s", "ts", "ttos", "2to1"}))
    return NameSays::b_to_a;
  return NameSays::nothing;
}

}  // namespace

NameSays generator_name_says(std::string_view name) {
  const std::string plain = letters_and_digits(name);
  if (is_one_of(plain, {"g", "netg", "gnet", "gen", "generator", "netgenerator", "modelg"}))
    return NameSays::g;
  const std::string_view rest =
      without_stems(plain, {"generator", "model", "netg", "gnet", "gen", "net", "g"});
  if (rest == "a") return NameSays::letter_a;
  if (rest == "b") return NameSays::letter_b;
  return rest == "f" ? NameSays::f : way_of(rest);
}

NameSays discriminator_name_says(std::string_view name) {
  const std::string plain = letters_and_digits(name);
  const std::string_view rest =
      without_stems(plain, {"discriminator", "model", "netd", "dnet", "disc", "dis", "net", "d"});
  if (is_one_of(rest, {"a", "x", "s"})) return NameSays::letter_a;
  if (is_one_of(rest, {"b", "y", "t"})) return NameSays::letter_b;
  return way_of(rest);
}

}  // namespace torsor
