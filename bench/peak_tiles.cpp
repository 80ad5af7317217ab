#include "bench/peak.h"
#include "core/error.h"

#if defined(__x86_64__) && defined(__linux__)

#include <immintrin.h>

#include <array>

namespace torsor {

__attribute__((target("amx-tile,amx-bf16"))) double multiply_tiles(std::int64_t rounds) {
  struct alignas(64) {
    std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
    std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  } shapes;
  alignas(64) static const std::array<char, 1024> zeros{};
  asm volatile("" : : "r"(&shapes) : "memory");  // otherwise GCC 12 eliminates the stores above as dead
  _tile_loadconfig(&shapes);
  _tile_loadd(4, zeros.data(), 64);
  _tile_loadd(5, zeros.data(), 64);
  _tile_loadd(6, zeros.data(), 64);
  _tile_loadd(7, zeros.data(), 64);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (std::int64_t i = 0; i < rounds; ++i) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_release();
  return 4 * 2.0 * 16 * 16 * 32 * static_cast<double>(rounds);
}

}  // namespace torsor

#else

namespace torsor {

double multiply_tiles(std::int64_t) { fail("the peak of bfloat16 is not measured on this CPU"); }

}  // namespace torsor

#endif
