#include "io/pickle_text.h"

#include <charconv>

namespace torsor::pickle {

namespace {

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  return status == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// Digits of a code at the start of `text`: `least` to `most` of them.
std::optional<std::uint32_t> code(std::string_view text, std::size_t least, std::size_t most, int base) {
  const std::string_view digits = text.substr(0, most);
  std::uint32_t value = 0;
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  const auto length = static_cast<std::size_t>(end - digits.data());
  return status == std::errc() && length >= least ? std::optional(value) : std::nullopt;
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (point >> shift & 0x3f)); };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0 | point >> 6);
    tail(0);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0 | point >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0 | (point >> 18 & 0x07));
    tail(12);
    tail(6);
    tail(0);
  }
}

constexpr std::string_view kEscaped = "\\'\"abfnrtv";
constexpr std::string_view kMeant = "\\'\"\a\b\f\n\r\t\v";

}  // namespace

std::optional<std::int64_t> decimal(std::string_view text) {
  if (text.ends_with('L')) text.remove_suffix(1);
  return number<std::int64_t>(text);
}

std::optional<double> real(std::string_view text) { return number<double>(text); }

std::optional<std::string_view> unquoted(std::string_view text) {
  const bool quoted =
      text.size() >= 2 && text.front() == text.back() && (text.front() == '\'' || text.front() == '"');
  return quoted ? std::optional(text.substr(1, text.size() - 2)) : std::nullopt;
}

std::string without_escapes(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const char first = text.front();
    text.remove_prefix(1);
    if (first != '\\' || text.empty()) {
      out += first;
    } else if (const std::size_t place = kEscaped.find(text.front()); place != std::string_view::npos) {
      out += kMeant[place];
      text.remove_prefix(1);
    } else if (const auto hex = text.front() == 'x' ? code(text.substr(1), 2, 2, 16) : std::nullopt) {
      out += static_cast<char>(*hex);
      text.remove_prefix(3);
    } else if (const auto octal = code(text, 3, 3, 8)) {
      out += static_cast<char>(*octal);
      text.remove_prefix(3);
    } else {
      out += first;
    }
  }
  return out;
}

std::string from_raw_unicode(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t digits = text.starts_with("\\u") ? 4 : text.starts_with("\\U") ? 8 : 0;
    const auto point = digits > 0 ? code(text.substr(2), digits, digits, 16) : std::nullopt;
    append_utf8(out, point ? *point : static_cast<unsigned char>(text.front()));
    text.remove_prefix(point ? 2 + digits : 1);
  }
  return out;
}

}  // namespace torsor::pickle
