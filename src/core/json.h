// JSON with the order of keys kept, and file reading that names line and column of a mistake.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

namespace torsor {

using Json = nlohmann::ordered_json;

/// Parses `text`; on a mistake throws Error "<source>:<line>:<column>: not JSON: ...".
Json parse_json(const std::string& text, const std::string& source);

/// Reads and parses a file. Throws Error when it cannot be read or is not JSON.
Json read_json(const std::filesystem::path& path);

}  // namespace torsor
