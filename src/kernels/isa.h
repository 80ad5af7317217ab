// The instruction set that kernels run with, chosen once for the process.
#pragma once

#include <string>
#include <vector>

namespace torsor {

/// plain: C++ that says what is computed, the twin of every kernel. The others are 8 and 16 floats wide.
enum class Isa { plain, avx2, avx512 };
std::string isa_name(Isa isa);

/// What this processor can run and this build has code for, the fastest last.
std::vector<Isa> supported_isas();

/// The one of this name. Throws UsageError for an unknown one, or one that this processor does not have.
Isa isa_named(const std::string& name);

/// What the environment variable TORSOR_ISA names, else the fastest; the same at every call. Throws as
/// isa_named().
Isa chosen_isa();

}  // namespace torsor
