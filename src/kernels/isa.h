// The instruction set of the kernels, chosen once for the process.
#pragma once

#include <string>
#include <vector>

namespace torsor {

/// plain: the plain C++ implementation of every kernel, which tests compare with. The others have vectors of
/// 8 and 16 floats.
enum class Isa { plain, avx2, avx512 };
std::string isa_name(Isa isa);

/// The ones that this CPU supports and this build contains, the fastest last.
std::vector<Isa> supported_isas();

/// The one of this name. Throws UsageError for an unknown or an unsupported one.
Isa isa_named(const std::string& name);

/// The value of the environment variable TORSOR_ISA, otherwise the fastest; the same at every call. Throws as
/// isa_named() does.
Isa chosen_isa();

}  // namespace torsor
