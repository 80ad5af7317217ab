#include "kernels/amx_stages.h"

#include "kernels/bf16_stages.h"

#if defined(__x86_64__) && defined(__linux__)

// GCC 12 warns of its own header (bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

// Highway has no AMX. Code compiled for it here is called only where amx_stages() found it.
#define TORSOR_AMX __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16,amx-tile,amx-bf16")))

namespace torsor {

namespace {

constexpr std::int64_t kRows = 16;  // of a tile, each a cache line
constexpr std::int64_t kLineBytes = 64;
constexpr std::int64_t kTile16 = kBlock * kBlock;  // floats, or bf16 pairs, of a tile

// LDTILECFG's operand: palette 1, and for each tile the bytes of a row and the number of rows.
struct alignas(64) TileShapes {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
};

// Tiles 0 to 3 are the accumulators, 2 x 2; 4 and 5 hold A with `first` and `second` rows, 6 and 7 hold B. A
// tile of no rows is unused.
TORSOR_AMX void configure(std::int64_t first, std::int64_t second) {
  TileShapes shapes;
  const std::int64_t rows[8] = {first, first, second, second, first, second, kRows, kRows};
  for (int i = 0; i < 8; ++i) {
    shapes.rows[i] = static_cast<std::uint8_t>(rows[i]);
    shapes.row_bytes[i] = rows[i] == 0 ? 0 : kLineBytes;
  }
  asm volatile("" : : "r"(&shapes) : "memory");  // otherwise GCC 12 eliminates the stores above as dead
  _tile_loadconfig(&shapes);
}

struct Results {
  const float* bias;
  float* out;
  std::int64_t out_stride, out_bytes;  // to the next block, in floats; to the next result, in bytes
};

// After some thirty products without a store, the next TILESTORED stalls for a thousand cycles (measured on a
// Xeon). An occasional store, overwritten in the end, costs a twentieth of that.
constexpr std::int64_t kProductsPerStore = 16;

std::int64_t bytes_of_step(const TapRow& p) {
  return p.step * p.pixel_stride * static_cast<std::int64_t>(sizeof(float));
}

// Micro-kernel: up to 16 results of two output blocks.
TORSOR_AMX void micro_kernel_1x2(const TapRow& p, const float* x, const float* w, const Results& r) {
  _tile_loadd(0, r.bias, 0);  // the same line for every row
  _tile_loadd(1, r.bias + kBlock, 0);
  const std::int64_t step_bytes = bytes_of_step(p);
  std::int64_t until_store = kProductsPerStore;
  for (std::int64_t block = 0; block < p.blocks; ++block)
    for (std::int64_t tap = 0; tap < p.taps; ++tap, w += 2 * kTile16) {
      _tile_loadd(4, x + block * p.block_stride + p.offsets[tap], step_bytes);
      _tile_loadd(6, w, kLineBytes);
      _tile_loadd(7, w + kTile16, kLineBytes);
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      if (--until_store == 0) {
        _tile_stored(0, r.out, r.out_bytes);
        until_store = kProductsPerStore;
      }
    }
  _tile_stored(0, r.out, r.out_bytes);
  _tile_stored(1, r.out + r.out_stride, r.out_bytes);
}

// Micro-kernel: `first` results and up to 16 more of two output blocks.
TORSOR_AMX void micro_kernel_2x2(const TapRow& p, std::int64_t first, const float* x, const float* w,
                                 const Results& r) {
  float* second = r.out + first * p.out_step;
  _tile_loadd(0, r.bias, 0);  // the same line for every row
  _tile_loadd(1, r.bias + kBlock, 0);
  _tile_loadd(2, r.bias, 0);
  _tile_loadd(3, r.bias + kBlock, 0);
  const std::int64_t further = first * p.step * p.pixel_stride, step_bytes = bytes_of_step(p);
  std::int64_t until_store = kProductsPerStore;
  for (std::int64_t block = 0; block < p.blocks; ++block)
    for (std::int64_t tap = 0; tap < p.taps; ++tap, w += 2 * kTile16) {
      const float* a = x + block * p.block_stride + p.offsets[tap];
      _tile_loadd(4, a, step_bytes);
      _tile_loadd(6, w, kLineBytes);
      _tile_dpbf16ps(0, 4, 6);
      _tile_loadd(7, w + kTile16, kLineBytes);
      _tile_dpbf16ps(1, 4, 7);
      _tile_loadd(5, a + further, step_bytes);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
      if (--until_store == 0) {
        _tile_stored(0, r.out, r.out_bytes);
        until_store = kProductsPerStore;
      }
    }
  _tile_stored(0, r.out, r.out_bytes);
  _tile_stored(1, r.out + r.out_stride, r.out_bytes);
  _tile_stored(2, second, r.out_bytes);
  _tile_stored(3, second + r.out_stride, r.out_bytes);
}

// Results [done, done + first + second) of each row.
TORSOR_AMX void column(const TapRow& p, const RowSpan& span, std::int64_t done, std::int64_t first,
                       std::int64_t second, const float* x, const float* weights, const float* bias,
                       float* out) {
  const auto out_bytes = p.out_step * static_cast<std::int64_t>(sizeof(float));
  for (std::int64_t y = 0; y < span.count; ++y) {
    const Results r{bias, out + y * span.out_step + done * p.out_step, p.out_stride, out_bytes};
    const float* from = x + y * span.step + done * p.step * p.pixel_stride;
    if (second > 0)
      micro_kernel_2x2(p, first, from, weights, r);
    else
      micro_kernel_1x2(p, from, weights, r);
  }
}

// Tile dispatch: groups of up to 32 results, of balanced sizes, since each group reads all weights.
TORSOR_AMX void in_groups(const TapRow& p, const RowSpan& span, const float* x, const float* weights,
                          const float* bias, float* out) {
  const std::int64_t groups = (p.pixels + 2 * kRows - 1) / (2 * kRows);
  std::int64_t configured = 0;
  for (std::int64_t i = 0; i < groups; ++i) {
    const std::int64_t done = i * p.pixels / groups, count = (i + 1) * p.pixels / groups - done;
    const std::int64_t second = count > kRows ? count / 2 : 0, first = count - second;
    if (count != configured) configure(first, second);
    configured = count;
    column(p, span, done, first, second, x, weights, bias, out);
  }
}

// The remainder of each row is computed column-wise where that takes fewer groups than one per row.
TORSOR_AMX void rows(const TapRow& p, const RowSpan& span, const float* x, const float* weights,
                     const float* bias, float* out) {
  const std::int64_t rest = p.pixels % (2 * kRows);
  const bool downwards = rest < p.pixels && 2 * rest <= span.count;
  TapRow whole = p;
  if (downwards) whole.pixels -= rest;
  in_groups(whole, span, x, weights, bias, out);
  TapRow down = p;
  down.pixels = span.count;
  down.step = span.step / p.pixel_stride;
  down.out_step = span.out_step;
  for (std::int64_t i = whole.pixels; i < p.pixels; ++i)
    in_groups(down, {}, x + i * p.step * p.pixel_stride, weights, bias, out + i * p.out_step);
  _tile_release();
}

TORSOR_AMX void round(std::int64_t count, const float* x, std::uint16_t* out) {
  std::int64_t i = 0;
  for (; i + kBlock <= count; i += kBlock)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i),
                        (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(x + i)));
  const auto rest = static_cast<__mmask16>((1U << (count - i)) - 1);
  _mm256_mask_storeu_epi16(out + i, rest, (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(rest, x + i)));
}

TORSOR_AMX void narrow(std::int64_t pixels, const float* x, float* half) {
  for (std::int64_t i = 0; i < pixels; ++i) {
    const __m256bh bits = _mm512_cvtneps_pbh(_mm512_loadu_ps(x + i * kBlock));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(half + i * kBlock), (__m256i)bits);
  }
}

// Interleaves the lanes of two pixels: one in the lower half of each 32-bit word, one in the upper.
TORSOR_AMX inline void interleave_lanes(__m256i even, __m256i odd, std::uint16_t* out) {
  const __m512i words =
      _mm512_or_si512(_mm512_cvtepu16_epi32(even), _mm512_slli_epi32(_mm512_cvtepu16_epi32(odd), 16));
  _mm512_storeu_si512(out, words);
}

TORSOR_AMX void vnni_pack(std::int64_t pixels, std::int64_t step, const float* lines, std::uint16_t* out,
                          std::int64_t block_stride) {
  for (std::int64_t i = 0; i < pixels; i += 2, out += kWideBlock) {
    const float *even = lines + i * step, *odd = even + step;
    const bool has_odd = i + 1 < pixels;
    for (std::int64_t half = 0; half < 2; ++half) {
      const auto at = [half](const float* line) {
        return reinterpret_cast<const __m256i*>(line + half * kBlock / 2);
      };
      interleave_lanes(_mm256_loadu_si256(at(even)),
                       has_odd ? _mm256_loadu_si256(at(odd)) : _mm256_setzero_si256(),
                       out + half * block_stride);
    }
  }
}

TORSOR_AMX void add_columns(const ColumnSums& c, const float* sums, const float* bias, float* out) {
  const __m128 first = _mm_loadu_ps(bias);
  for (std::int64_t i = 0; i < c.pixels; ++i) {
    __m128 sum = first;
    for (std::int64_t j = 0; j < c.columns; ++j)
      sum = _mm_add_ps(
          sum, _mm_loadu_ps(sums + j / 4 * c.block_stride + (i + j) * kBlock + j % 4 * kMaxSmallChannels));
    _mm_storeu_ps(out + i * kMaxSmallChannels, sum);
  }
}

// Transposes 16 x 16 words of 32 bits.
TORSOR_AMX void transpose_vnni(const std::uint16_t* pairs, std::uint16_t* out, std::int64_t row_stride) {
  __m512i a[16], b[16];
  for (int i = 0; i < 16; ++i) a[i] = _mm512_loadu_si512(pairs + i * kWideBlock);
  for (int i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
  }
  for (int i = 0; i < 16; i += 4)
    for (int j = 0; j < 2; ++j) {
      a[i + 2 * j] = _mm512_unpacklo_epi64(b[i + j], b[i + j + 2]);
      a[i + 2 * j + 1] = _mm512_unpackhi_epi64(b[i + j], b[i + j + 2]);
    }
  for (int i = 0; i < 16; i += 8)
    for (int j = 0; j < 4; ++j) {
      b[i + j] = _mm512_shuffle_i32x4(a[i + j], a[i + j + 4], 0x88);
      b[i + j + 4] = _mm512_shuffle_i32x4(a[i + j], a[i + j + 4], 0xdd);
    }
  for (int j = 0; j < 8; ++j) {
    _mm512_storeu_si512(out + j * row_stride, _mm512_shuffle_i32x4(b[j], b[j + 8], 0x88));
    _mm512_storeu_si512(out + (j + 8) * row_stride, _mm512_shuffle_i32x4(b[j], b[j + 8], 0xdd));
  }
}

TORSOR_AMX void tap_micro_kernel(const PixelProducts& p, const std::uint16_t* a, const std::uint16_t* b,
                                 float* sums) {
  const std::int64_t lane_bytes = p.a_lane * 2;
  _tile_loadd(0, sums, kLineBytes);
  _tile_loadd(1, sums + 2 * kTile16, kLineBytes);
  _tile_loadd(2, sums + kTile16, kLineBytes);
  _tile_loadd(3, sums + 3 * kTile16, kLineBytes);
  std::int64_t until_store = kProductsPerStore;
  for (std::int64_t y = 0; y < p.rows; ++y)
    for (std::int64_t step = 0; step < p.steps; ++step) {
      const std::uint16_t *from_a = a + y * p.a_row + step * kWideBlock,
                          *from_b = b + y * p.b_row + step * kRows * kWideBlock;
      _tile_loadd(4, from_a, lane_bytes);
      _tile_loadd(6, from_b, kLineBytes);
      _tile_dpbf16ps(0, 4, 6);
      _tile_loadd(7, from_b + p.b_block, kLineBytes);
      _tile_dpbf16ps(1, 4, 7);
      _tile_loadd(5, from_a + p.a_block, lane_bytes);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
      if (--until_store == 0) {
        _tile_stored(0, sums, kLineBytes);
        until_store = kProductsPerStore;
      }
    }
  _tile_stored(0, sums, kLineBytes);
  _tile_stored(1, sums + 2 * kTile16, kLineBytes);
  _tile_stored(2, sums + kTile16, kLineBytes);
  _tile_stored(3, sums + 3 * kTile16, kLineBytes);
}

TORSOR_AMX void products(const PixelProducts& p, const std::uint16_t* a, const std::uint16_t* b,
                         float* sums) {
  configure(kRows, kRows);
  for (std::int64_t tap = 0; tap < p.taps; ++tap)
    tap_micro_kernel(p, a, b + p.offsets[tap], sums + tap * kTapSums);
  _tile_release();
}

// Linux saves tile data only for processes that requested the permission.
bool request_tile_permission() {
  constexpr int kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

bool has_amx_bf16() {
  constexpr unsigned kTileBf16 = 1U << 22, kTiles = 1U << 24;
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & kTileBf16) != 0 && (d & kTiles) != 0 &&
         __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vl") &&
         request_tile_permission();
}

}  // namespace

const Bf16Stages* amx_stages() {
  static constexpr Bf16Stages stages = {rows,        round,          narrow,  vnni_pack,
                                        add_columns, transpose_vnni, products};
  static const bool available = has_amx_bf16();
  return available ? &stages : nullptr;
}

}  // namespace torsor

#else

namespace torsor {

const Bf16Stages* amx_stages() { return nullptr; }

}  // namespace torsor

#endif
