// Values as protocols 0 and 1 of Python's pickle write them: as text. What is not written so is nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace torsor::pickle {

/// "-12"; a final L (Python 2's long) is skipped.
std::optional<std::int64_t> decimal(std::string_view text);

/// "1.5", "1e-05", "inf", "nan".
std::optional<double> real(std::string_view text);

/// What stands between the quotes of 'text' or "text", escapes still in it.
std::optional<std::string_view> unquoted(std::string_view text);

/// Python's escapes of a byte string (\n, \x41, \101, \') resolved; others stay as they are.
std::string without_escapes(std::string_view text);

/// raw-unicode-escape (\u0041, \U00000041; other bytes are Latin-1) as UTF-8.
std::string from_raw_unicode(std::string_view text);

}  // namespace torsor::pickle
