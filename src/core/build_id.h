// Which build of the program this is.
#pragma once

#include <string>

namespace torsor {

/// The linker's hash (--build-id, which CMakeLists.txt asks for) of the program or shared library that this
/// code is linked into, 40 hexadecimal digits: any change of its code changes it, the same sources, compiler
/// and options give it again. Throws std::logic_error where it was linked without.
std::string build_id();

}  // namespace torsor
