// Small string helpers shared by error messages and option parsing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace torsor {

/// Levenshtein distance in single-character edits.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate closest to `word`, or "" when none is within a third of its length (at least 2 edits, fewer
/// than it has letters).
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// "; did you mean 'x'?" or "" when nothing is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

/// "a, b, c".
std::string join(const std::vector<std::string>& words, std::string_view separator = ", ");

/// lambda_cycle_a -> lambda-cycle-a.
std::string kebab_case(std::string_view snake);

/// lambda-cycle-a -> lambda_cycle_a.
std::string snake_case(std::string_view kebab);

/// Whether all of it is well-formed UTF-8.
bool is_utf8(std::string_view text);

/// Text from a file or a user made fit for a one-line message: control characters and what is not UTF-8
/// become
/// '?', and what is beyond `longest` bytes becomes "...".
std::string printable(std::string_view text, std::size_t longest = 80);

/// The text with line ends and tabs as spaces and other control characters as '?'. Bytes that are not UTF-8,
/// as paths may have, stay.
std::string one_line(std::string_view text);

/// ASCII lower and upper case.
std::string lower(std::string_view text);
std::string upper(std::string_view text);

/// "90", "90s", "10min", "1h", "1h30min", "1.5h" -> seconds; only a number alone may lack its unit. Throws
/// UsageError naming `what` otherwise.
double parse_duration(std::string_view text, std::string_view what);

/// 12345678 -> "12,345,678".
std::string with_thousands(std::int64_t value);

/// The two largest units: 3725 -> "1h02m", 61 -> "1m01s"; under a minute "42s".
std::string human_duration(double seconds);

/// 3300000000 -> "3.1 GiB".
std::string human_bytes(double bytes);

}  // namespace torsor
