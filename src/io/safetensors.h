// The safetensors container: 8 bytes header length, a JSON header, raw little-endian tensors.
// Format: https://github.com/huggingface/safetensors, "Format".
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "io/tensor_map.h"

namespace torsor {

struct Safetensors {
  TensorMap tensors;
  std::map<std::string, std::string> metadata;  // the header's __metadata__: text to text
};

/// The metadata key of the checksum: XXH3-128 of the tensor data (everything after the header), 32
/// hexadecimal digits.
inline constexpr const char* kChecksumKey = "xxh3_128";

/// Writes atomically; readable by Python's safetensors. Dtypes F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL.
/// Tensors may be anywhere and have any strides. The header lists them in the order given; the data lies in
/// order of falling element size, so that each tensor is aligned. The header is padded with spaces to 8
/// bytes. Two metadata entries are added (replacing what was given): kChecksumKey, and the header's own
/// checksum (safetensors_header.h). Throws Error for: a name twice or "__metadata__", another dtype, text
/// that is not UTF-8; and when the disk is full or the folder cannot be written: what was there before stays.
void write_safetensors(const std::filesystem::path& path, const Safetensors& content);

/// The tensors in the header's order; the metadata includes the checksums, which are verified where present.
/// Peak memory is that of the tensors. Throws Error naming the file for: missing, empty, not safetensors,
/// truncated, offsets that do not fit, unknown dtype, checksum mismatch.
Safetensors read_safetensors(const std::filesystem::path& path);

/// Metadata only, without reading the tensors (so the checksum is not verified). Throws as read_safetensors
/// does for a header that is not right.
std::map<std::string, std::string> read_safetensors_metadata(const std::filesystem::path& path);

}  // namespace torsor
