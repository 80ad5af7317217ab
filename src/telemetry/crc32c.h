// CRC-32C (Castagnoli's polynomial, RFC 3720 appendix B.4), which TensorBoard's files are guarded by. zlib
// has another polynomial, and no library that torsor links has this one.
#pragma once

#include <cstdint>
#include <string_view>

namespace torsor {

/// Of "123456789" it is 0xe3069283.
std::uint32_t crc32c(std::string_view bytes);

}  // namespace torsor
