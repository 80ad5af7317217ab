#include "app/image_size.h"

#include "core/error.h"

namespace torsor::app {

Size parse_size(const std::string& text, const std::string& option) {
  const auto cross = text.find('x');
  const auto number = [&](const std::string& digits) -> std::int64_t {
    if (digits.empty() || digits.size() > 5 || digits.find_first_not_of("0123456789") != std::string::npos ||
        std::stoll(digits) < 1)
      fail_usage("{}: '{}' is not a size; write SIDE or WIDTHxHEIGHT in pixels, for example 256 or 640x480",
                 option, text);
    return std::stoll(digits);
  };
  if (cross == std::string::npos) return {number(text), number(text)};
  return {number(text.substr(0, cross)), number(text.substr(cross + 1))};
}

}  // namespace torsor::app
