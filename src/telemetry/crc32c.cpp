#include "telemetry/crc32c.h"

#include <array>
#include <cstddef>

namespace torsor {

namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // reflected
constexpr std::size_t kSlices = 8;

using Table = std::array<std::uint32_t, 256>;

// tables[k][b]: what byte b contributes when k more bytes follow it. With them eight bytes are one step
// (M. Kounavis and F. Berry, "Novel Table Lookup-Based Algorithms for High-Performance CRC Generation",
// 2008).
constexpr std::array<Table, kSlices> make_tables() {
  std::array<Table, kSlices> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t k = 1; k < kSlices; ++k)
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8U) ^ tables[0][before & 0xFFU];
    }
  return tables;
}

constexpr std::array<Table, kSlices> kTables = make_tables();

std::uint32_t byte_at(std::string_view bytes, std::size_t i) { return static_cast<unsigned char>(bytes[i]); }

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (; bytes.size() >= kSlices; bytes.remove_prefix(kSlices)) {
    std::uint32_t next = 0;
    for (std::size_t i = 0; i < kSlices; ++i) {
      const std::uint32_t state = i < 4 ? (crc >> (8 * i)) & 0xFFU : 0;
      next ^= kTables[kSlices - 1 - i][byte_at(bytes, i) ^ state];
    }
    crc = next;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i)
    crc = (crc >> 8U) ^ kTables[0][(crc ^ byte_at(bytes, i)) & 0xFFU];
  return ~crc;
}

}  // namespace torsor
