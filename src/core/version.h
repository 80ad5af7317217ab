// The version of torsor, as CMakeLists.txt names it.
#pragma once

#include <string>

namespace torsor {

/// "0.1.0".
std::string torsor_version();

}  // namespace torsor
