// Words for error messages about files that are not what they should be.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace torsor {

/// What the first bytes of a file look like, as the end of a sentence: "looks like a PNG image", or
/// "starts with 1f 2e 3d" when nothing is recognised. A few hundred bytes are enough.
std::string describe_content(std::string_view head);

/// The size of a regular file. Throws Error naming the path for: missing, a folder, empty, not a plain file.
std::uintmax_t weight_file_size(const std::filesystem::path& path);

}  // namespace torsor
