// Image sizes as they are typed.
#pragma once

#include <string>

#include "data/transform.h"

namespace torsor::app {

/// "256" is a square, "640x480" width and height. Throws UsageError naming `option` for anything else.
Size parse_size(const std::string& text, const std::string& option);

}  // namespace torsor::app
