#include "core/text.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <numeric>

#include <fmt/ranges.h>

#include "core/error.h"

namespace torsor {

namespace {

// Bytes of the well-formed UTF-8 character at the front of `text`, 0 when there is none (RFC 3629: no
// overlong forms, no surrogates, nothing above U+10FFFF).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : std::uint32_t{0};
  };
  const std::uint32_t first = byte(0);
  const std::size_t length = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (first > 0xF4 || length > text.size()) return 0;
  std::uint32_t code = length <= 1 ? first : first & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3F);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  return overlong || surrogate || code > 0x10FFFF ? 0 : length;
}

struct Character {
  std::string_view bytes;
  bool whole = false;  // well-formed; otherwise it is one byte
};

// `text` is not empty.
Character first_character(std::string_view text) {
  const std::size_t length = utf8_length(text);
  return {text.substr(0, std::max<std::size_t>(1, length)), length != 0};
}

// Characters that would break a line or turn its direction: C0, DEL, C1, U+2028 to U+202E.
bool disturbs_a_line(std::string_view character) {
  const auto first = static_cast<unsigned char>(character.front());
  if (character.size() == 1) return first < 0x20 || first == 0x7F;
  const auto second = static_cast<unsigned char>(character[1]);
  if (character.size() == 2) return first == 0xC2 && second < 0xA0;
  const auto third = static_cast<unsigned char>(character[2]);
  return first == 0xE2 && second == 0x80 && third >= 0xA8 && third <= 0xAE;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.empty()) return "";
  // Never all of the word's letters.
  const std::size_t limit = std::min(std::max<std::size_t>(2, word.size() / 3), word.size() - 1);
  std::string best;
  std::size_t best_distance = limit + 1;
  for (const auto& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string best = nearest(word, candidates);
  return best.empty() ? "" : fmt::format("; did you mean '{}'?", best);
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Character first = first_character(text);
    if (!first.whole) return false;
    text.remove_prefix(first.bytes.size());
  }
  return true;
}

std::string printable(std::string_view text, std::size_t longest) {
  std::string out;
  while (!text.empty()) {
    const Character first = first_character(text);
    const std::size_t length = first.bytes.size();
    if (longest < length) return out + "...";
    out += first.whole && !disturbs_a_line(first.bytes) ? first.bytes : "?";
    text.remove_prefix(length);
    longest -= length;
  }
  return out;
}

std::string one_line(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character first = first_character(text);
    const bool is_space = first.bytes == "\n" || first.bytes == "\t" || first.bytes == "\r";
    out += is_space ? " " : first.whole && disturbs_a_line(first.bytes) ? "?" : first.bytes;
    text.remove_prefix(first.bytes.size());
  }
  return out;
}

std::string join(const std::vector<std::string>& words, std::string_view separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

std::string kebab_case(std::string_view snake) {
  std::string out(snake);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

std::string snake_case(std::string_view kebab) {
  std::string out(kebab);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

namespace {

double seconds_per(std::string_view unit) {
  if (unit.empty() || unit == "s" || unit == "sec") return 1;
  if (unit == "m" || unit == "min") return 60;
  if (unit == "h") return 3600;
  if (unit == "d") return 86400;
  return -1;
}

}  // namespace

double parse_duration(std::string_view text, std::string_view what) {
  double total = 0;
  std::string_view rest = text;
  bool good = !text.empty();
  while (good && !rest.empty()) {
    double value = 0;
    const auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    good = status == std::errc() && value >= 0 && std::isfinite(value);
    if (!good) break;
    const bool is_alone =
        end == text.data() + text.size() && rest.size() == text.size();  // 1h30 is ambiguous
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const std::size_t letters =
        std::find_if_not(rest.begin(), rest.end(), [](unsigned char c) { return std::isalpha(c); }) -
        rest.begin();
    const double scale = seconds_per(rest.substr(0, letters));
    good = scale > 0 && (letters > 0 || is_alone);
    total += value * scale;
    rest.remove_prefix(letters);
  }
  if (!good || total <= 0)
    fail_usage("{}: '{}' is not a duration; write for example 90s, 10min, 1h or 1h30min", what, text);
  return total;
}

std::string with_thousands(std::int64_t value) {
  const std::string digits = std::to_string(value);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const std::size_t left = digits.size() - i;
    if (i > 0 && left % 3 == 0 && digits[i - 1] != '-') out.push_back(',');
    out.push_back(digits[i]);
  }
  return out;
}

std::string human_duration(double seconds) {
  const auto total = static_cast<std::int64_t>(std::llround(std::max(0.0, seconds)));
  if (total < 60) return fmt::format("{}s", total);
  if (total < 3600) return fmt::format("{}m{:02}s", total / 60, total % 60);
  if (total < 86400) return fmt::format("{}h{:02}m", total / 3600, total / 60 % 60);
  return fmt::format("{}d{:02}h", total / 86400, total / 3600 % 24);
}

std::string human_bytes(double bytes) {
  if (bytes >= 1024.0 * 1024 * 1024) return fmt::format("{:.1f} GiB", bytes / (1024.0 * 1024 * 1024));
  if (bytes >= 1024.0 * 1024) return fmt::format("{:.0f} MiB", bytes / (1024.0 * 1024));
  return fmt::format("{:.0f} KiB", bytes / 1024);
}

}  // namespace torsor
