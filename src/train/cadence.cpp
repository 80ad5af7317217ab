#include "train/cadence.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "core/error.h"
#include "core/text.h"

namespace torsor {

Cadence Cadence::parse(const std::string& text, const std::string& what) {
  const bool only_digits = !text.empty() && std::all_of(text.begin(), text.end(),
                                                        [](unsigned char c) { return c >= '0' && c <= '9'; });
  if (!only_digits) {
    const bool has_unit =
        std::any_of(text.begin(), text.end(), [](unsigned char c) { return std::isalpha(c); });
    if (!has_unit) fail_usage("{}: '{}' is neither steps (500) nor a time (10min)", what, text);
    return {0, parse_duration(text, what)};
  }
  Cadence out;
  if (std::from_chars(text.data(), text.data() + text.size(), out.steps).ec != std::errc())
    fail_usage("{}: {} steps are too many", what, text);
  return out;
}

}  // namespace torsor
