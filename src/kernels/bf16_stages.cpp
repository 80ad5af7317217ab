#include "kernels/bf16_stages.h"

#include <cmath>
#include <cstring>

#include "kernels/amx_stages.h"

namespace torsor {

std::uint16_t to_bf16(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  if (std::isnan(value)) return static_cast<std::uint16_t>((bits >> 16) | 0x40U);  // rounding could lose it
  bits += 0x7fffU + ((bits >> 16) & 1U);
  return static_cast<std::uint16_t>(bits >> 16);
}

float from_bf16(std::uint16_t bits) {
  const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
  float value = 0;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

namespace {

// Value `i` of bfloat16 memory.
std::uint16_t bits_at(const float* memory, std::int64_t i) {
  std::uint16_t bits = 0;
  std::memcpy(&bits, reinterpret_cast<const char*>(memory) + i * 2, sizeof bits);
  return bits;
}

float value_at(const float* memory, std::int64_t i) { return from_bf16(bits_at(memory, i)); }

void row_plain(const TapRow& p, const float* x, const float* weights, const float* bias, float* out) {
  for (std::int64_t i = 0; i < p.pixels; ++i)
    for (std::int64_t block = 0; block < p.out_blocks; ++block)
      for (std::int64_t lane = 0; lane < kBlock; ++lane) {
        float& result = out[i * p.out_step + block * p.out_stride + lane];
        double sum = bias[block * kBlock + lane];
        const float* w = weights + block * kBlock * kBlock;
        for (std::int64_t b = 0; b < p.blocks; ++b)
          for (std::int64_t tap = 0; tap < p.taps; ++tap, w += p.out_blocks * kBlock * kBlock) {
            const float* line = x + b * p.block_stride + p.offsets[tap] + i * p.step * p.pixel_stride;
            for (std::int64_t c = 0; c < kWideBlock; ++c)
              sum +=
                  static_cast<double>(value_at(line, c)) * value_at(w, (c / 2 * kBlock + lane) * 2 + c % 2);
          }
        result = static_cast<float>(sum);
      }
}

void rows_plain(const TapRow& p, const RowSpan& span, const float* x, const float* weights, const float* bias,
                float* out) {
  for (std::int64_t i = 0; i < span.count; ++i)
    row_plain(p, x + i * span.step, weights, bias, out + i * span.out_step);
}

void round_plain(std::int64_t count, const float* x, std::uint16_t* out) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = to_bf16(x[i]);
}

void narrow_plain(std::int64_t pixels, const float* x, float* half) {
  for (std::int64_t i = 0; i < pixels; ++i)
    for (std::int64_t lane = 0; lane < kBlock; ++lane) {
      const std::uint16_t bits = to_bf16(x[i * kBlock + lane]);
      std::memcpy(reinterpret_cast<char*>(half + i * kBlock) + lane * 2, &bits, sizeof bits);
    }
}

void vnni_pack_plain(std::int64_t pixels, std::int64_t step, const float* lines, std::uint16_t* out,
                     std::int64_t block_stride) {
  for (std::int64_t i = 0; i < pixels + pixels % 2; ++i)
    for (std::int64_t c = 0; c < kWideBlock; ++c)
      out[c / kBlock * block_stride + (i / 2 * kBlock + c % kBlock) * 2 + i % 2] =
          i < pixels ? bits_at(lines + i * step, c) : std::uint16_t{0};
}

void add_columns_plain(const ColumnSums& c, const float* sums, const float* bias, float* out) {
  for (std::int64_t i = 0; i < c.pixels; ++i)
    for (std::int64_t channel = 0; channel < kMaxSmallChannels; ++channel) {
      float sum = bias[channel];
      for (std::int64_t j = 0; j < c.columns; ++j)
        sum += sums[j / 4 * c.block_stride + (i + j) * kBlock + j % 4 * kMaxSmallChannels + channel];
      out[i * kMaxSmallChannels + channel] = sum;
    }
}

void transpose_vnni_plain(const std::uint16_t* pairs, std::uint16_t* out, std::int64_t row_stride) {
  for (std::int64_t lane = 0; lane < kBlock; ++lane)
    for (std::int64_t i = 0; i < kWideBlock; ++i)
      out[lane * row_stride + i] = pairs[(i / 2 * kBlock + lane) * 2 + i % 2];
}

void products_plain(const PixelProducts& p, const std::uint16_t* a, const std::uint16_t* b, float* sums) {
  for (std::int64_t at = 0; at < p.taps * kTapSums; ++at) {
    const std::int64_t j = at % kBlock, i = at / kBlock % kBlock, block = at / (kBlock * kBlock) % 4;
    const std::uint16_t* row = a + block % 2 * p.a_block + i * p.a_lane;
    const std::uint16_t* column = b + p.offsets[at / kTapSums] + block / 2 * p.b_block;
    double sum = sums[at];
    for (std::int64_t y = 0; y < p.rows; ++y)
      for (std::int64_t x = 0; x < p.steps * kWideBlock; ++x)
        sum += static_cast<double>(from_bf16(row[y * p.a_row + x])) *
               from_bf16(column[y * p.b_row + (x / 2 * kBlock + j) * 2 + x % 2]);
    sums[at] = static_cast<float>(sum);
  }
}

}  // namespace

const Bf16Stages* bf16_stages(Isa isa) {
  static constexpr Bf16Stages plain = {rows_plain,      round_plain,       narrow_plain,
                                       vnni_pack_plain, add_columns_plain, transpose_vnni_plain,
                                       products_plain};
  if (isa == Isa::plain) return &plain;
  return isa == Isa::avx512 ? amx_stages() : nullptr;
}

}  // namespace torsor
