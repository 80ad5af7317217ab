// Whether the codes of a JPEG's scans are whole. Internal to this layer.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace torsor::formats {

struct JpegScans {
  std::string fault;         // the first place where they are not whole, or ""
  std::size_t fault_at = 0;  // the byte
  std::size_t skipped = 0;   // bytes between segments
};

/// Walks through all Huffman codes of a JPEG (ITU-T T.81, annexes F and G; 8 bits, sequential or progressive)
/// that libjpeg could decode. They are not whole where a code is not in its table, a block has more
/// coefficients than there is room for, or, behind the last block of a scan or restart interval, the rest of
/// the byte is not filled with ones or codes go on. libjpeg passes over all of these; it only says that bytes
/// were left over, which is as true of bytes that somebody put behind a whole scan. Scans by arithmetic
/// coding cannot be judged so, and are a fault.
JpegScans check_jpeg_scans(std::string_view file);

}  // namespace torsor::formats
