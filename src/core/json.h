// JSON with the order of keys kept, and file reading that names line and column of a mistake.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace torsor {

using Json = nlohmann::ordered_json;

/// Parses `text`; on a mistake throws Error "<source>:<line>:<column>: not JSON: ...". Nesting beyond 64
/// levels is a mistake too: what walks through values recursively relies on that.
Json parse_json(const std::string& text, const std::string& source);

/// Where `text` first goes more than `levels` brackets deep; nothing where it never does. JSON or not.
std::optional<std::size_t> deeper_than(int levels, const std::string& text);

/// What is wrong with a value, as the end of a message: one line without nlohmann's prefix.
std::string json_reason(const Json::exception& error);

/// A whole number of 0 or more, as counts and sizes are stored. Throws Json::type_error for anything else,
/// also for fractions and text.
std::int64_t json_count(const Json& value);

/// Reads and parses a file that people may have written. Throws Error when it cannot be read, is not JSON, or
/// gives a key twice in one object.
Json read_json(const std::filesystem::path& path);

}  // namespace torsor
