// TFRecord, the container of TensorBoard's event files: records one after another, each of
//   length      u64
//   CRC         u32 of the length's eight bytes, masked
//   data        `length` bytes
//   CRC         u32 of the data, masked
// in little endian (tensorflow.org/tutorials/load_data/tfrecord).
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace torsor {

/// CRC-32C rotated by 15 bits, plus a constant: a CRC over data that hold CRCs says little.
std::uint32_t masked_crc32c(std::string_view bytes);

/// The data with its frame.
std::string tf_record(std::string_view data);

/// Reads the records of a file, holding one at a time.
class TfRecordReader {
 public:
  /// Throws Error when the file cannot be read.
  explicit TfRecordReader(std::filesystem::path path);

  /// The data of the next record; nothing at the end, and at a record that is cut short or damaged, behind
  /// which no other can be found. Throws Error when the system cannot read on.
  std::optional<std::string> next();

  /// Where the last record that next() gave ends: so many bytes of the file are whole records.
  std::uint64_t position() const { return position_; }

 private:
  std::optional<std::string> read(std::uint64_t size);

  std::filesystem::path path_;
  std::ifstream file_;
  std::uint64_t size_ = 0;
  std::uint64_t position_ = 0;
};

}  // namespace torsor
