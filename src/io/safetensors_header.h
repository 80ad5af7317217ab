// The JSON header of a safetensors file.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <istream>
#include <map>
#include <string>
#include <vector>

namespace torsor {

/// One tensor as the header describes it; begin and end are bytes from the end of the header.
struct SafetensorsEntry {
  std::string name;
  at::ScalarType dtype = at::kFloat;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  // in the order written
  std::map<std::string, std::string> metadata;
};

/// The safetensors name of a dtype ("F32"), or "" when it has none here.
std::string safetensors_dtype_name(at::ScalarType dtype);

/// The metadata key of the header's own checksum: XXH3-128 of the JSON with its padding, in which the 32
/// digits of this entry's value stand as zeros.
inline constexpr const char* kHeaderChecksumKey = "xxh3_128_header";

/// The length field, the JSON and the padding; the header's checksum is put in. Throws Error naming `source`
/// when a text is not UTF-8.
std::string encode_safetensors_header(const SafetensorsHeader& header, const std::string& source);

/// Reads and checks the header at the start of `file`; afterwards `file` stands at the first tensor byte.
/// What it returns is consistent: the header's checksum is right where there is one, the entries cover the
/// `file_size` bytes exactly, without gaps or overlaps. Throws Error naming `source` for: not safetensors,
/// truncated, anything inconsistent.
SafetensorsHeader decode_safetensors_header(std::istream& file, std::uint64_t file_size,
                                            const std::string& source);

}  // namespace torsor
