// Image formats that torsor does not read: their names, what they look like, and who converts them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace torsor {

struct ForeignFormat {
  std::string title;                        // with its article: "an AVIF image"
  std::vector<std::string> extensions;      // lower case, without the dot; may be empty
  bool (*matches)(std::string_view bytes);  // by the first 512 bytes; null when they do not tell
  std::string program;                      // that converts it, and its package; "" when there is none
};

/// By the file's extension, in any case; null for the formats that are read and for what is no image.
const ForeignFormat* foreign_by_name(const std::filesystem::path& path);

/// By the file's first bytes; null likewise.
const ForeignFormat* foreign_by_content(std::string_view bytes);

/// "convert it with avifdec (Debian: libavif-bin)"
std::string conversion_of(const ForeignFormat& format);

}  // namespace torsor
