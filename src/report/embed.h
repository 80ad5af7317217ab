// Files inside a page.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/json.h"
#include "image/image.h"

namespace torsor {

/// "data:image/png;base64,...".
std::string data_uri(std::string_view type, std::string_view bytes);

/// A picture as a page holds it.
struct Embedded {
  std::string uri;
  std::int64_t width = 0, height = 0;

  std::int64_t bytes() const { return static_cast<std::int64_t>(uri.size()); }
};

/// As PNG, or as JPEG of this quality where that takes less than half of it. u8, 1 or 3 channels.
Embedded embed(const Image& image, int quality = 90);

/// The same of an image whose PNG is at hand: nothing is encoded that is not shown.
Embedded embed(const Image& image, std::string_view png, int quality);

/// JSON for a script in a page: no closing tag in it ends the script.
std::string script_json(const Json& data);

}  // namespace torsor
