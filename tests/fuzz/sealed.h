// Damage inside formats that protect themselves: the content is changed and the protection (CRCs, checksums,
// lengths) put right again, so that a reader gets past it and meets the damage.
#pragma once

#include <string>

#include "fuzz/mutate.h"

namespace torsor::testing {

/// A zip archive (.pth, .npz): entries changed, renamed, left out or repeated, and packed anew as they were
/// packed. A quarter of the time the archive's own bytes are changed instead.
std::string mutate_zip(const std::string& bytes, Random& random);

/// A safetensors file: its header, the JSON inside its metadata, or its tensors; then both checksums and the
/// header's length are those of the new content.
std::string mutate_safetensors(const std::string& bytes, Random& random);

/// A PNG whose chunks have the right CRCs again.
std::string mutate_png(const std::string& bytes, Random& random);

/// A WebP whose outer length is right again.
std::string mutate_webp(const std::string& bytes, Random& random);

/// The header's length, its checksum and that of the tensors set to what the bytes make them; what is no
/// safetensors file comes back as it is.
std::string seal_safetensors(std::string bytes);

/// Every chunk's CRC set to what its bytes make it, as far as the chunks go.
std::string seal_png(std::string bytes);

}  // namespace torsor::testing
