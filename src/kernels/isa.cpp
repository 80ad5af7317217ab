#include "kernels/isa.h"

#include <hwy/targets.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/error.h"
#include "core/text.h"

namespace torsor {

namespace {

constexpr std::array<Isa, 3> kAll = {Isa::plain, Isa::avx2, Isa::avx512};

bool runs_here(Isa isa) {
  // Supported by the CPU and contained in this build.
  const auto targets =
      static_cast<std::uint64_t>(hwy::SupportedTargets()) & static_cast<std::uint64_t>(HWY_TARGETS);
  switch (isa) {
    case Isa::plain:
      return true;
    case Isa::avx2:
      return (targets & HWY_AVX2) != 0;
    case Isa::avx512:
      return (targets & HWY_AVX3) != 0;
  }
  return false;
}

std::string names(const std::vector<Isa>& all) {
  std::vector<std::string> out;
  for (const Isa isa : all) out.push_back(isa_name(isa));
  return join(out);
}

}  // namespace

std::string isa_name(Isa isa) { return isa == Isa::plain ? "plain" : isa == Isa::avx2 ? "avx2" : "avx512"; }

std::vector<Isa> supported_isas() {
  std::vector<Isa> out;
  std::copy_if(kAll.begin(), kAll.end(), std::back_inserter(out), runs_here);
  return out;
}

Isa isa_named(const std::string& name) {
  const std::vector<Isa> there = supported_isas();
  for (const Isa isa : kAll) {
    if (isa_name(isa) != name) continue;
    if (std::find(there.begin(), there.end(), isa) == there.end())
      fail_usage("TORSOR_ISA={}: this processor does not have it (it has {})", name, names(there));
    return isa;
  }
  fail_usage("TORSOR_ISA={}: unknown (one of {})", name, names({kAll.begin(), kAll.end()}));
}

Isa chosen_isa() {
  static const Isa chosen = [] {
    const char* wanted = std::getenv("TORSOR_ISA");
    return wanted == nullptr || *wanted == '\0' ? supported_isas().back() : isa_named(wanted);
  }();
  return chosen;
}

}  // namespace torsor
