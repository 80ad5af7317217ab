#include "telemetry/tf_record.h"

#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "telemetry/crc32c.h"

namespace torsor {

namespace {

constexpr std::size_t kLengthBytes = 8, kCrcBytes = 4, kHeaderBytes = kLengthBytes + kCrcBytes;

void put_little_endian(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFFU);
}

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = (value << 8U) | static_cast<unsigned char>(bytes[i]);
  return value;
}

// Bytes that are followed by their CRC.
bool is_sound(std::string_view with_crc) {
  const std::string_view bytes = with_crc.substr(0, with_crc.size() - kCrcBytes);
  return little_endian(with_crc.substr(bytes.size())) == masked_crc32c(bytes);
}

}  // namespace

std::uint32_t masked_crc32c(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15U) | (crc << 17U)) + 0xA282EAD8U;
}

std::string tf_record(std::string_view data) {
  std::string out;
  out.reserve(kHeaderBytes + data.size() + kCrcBytes);
  put_little_endian(out, data.size(), kLengthBytes);
  put_little_endian(out, masked_crc32c(out), kCrcBytes);
  out += data;
  put_little_endian(out, masked_crc32c(data), kCrcBytes);
  return out;
}

TfRecordReader::TfRecordReader(std::filesystem::path path)
    : path_(std::move(path)), file_(path_, std::ios::binary) {
  std::error_code ec;
  size_ = std::filesystem::file_size(path_, ec);
  if (!file_ || ec) fail("{}: cannot be read: {}", path_.string(), ec ? ec.message() : std::strerror(errno));
}

std::optional<std::string> TfRecordReader::read(std::uint64_t size) {
  std::string bytes(size, '\0');
  file_.read(bytes.data(), static_cast<std::streamsize>(size));
  if (file_.bad()) fail("{}: cannot be read: {}", path_.string(), std::strerror(errno));
  if (file_.fail()) return std::nullopt;
  return bytes;
}

std::optional<std::string> TfRecordReader::next() {
  if (size_ - position_ < kHeaderBytes + kCrcBytes) return std::nullopt;
  const std::optional<std::string> header = read(kHeaderBytes);
  if (!header || !is_sound(*header)) return std::nullopt;
  const std::uint64_t length = little_endian(std::string_view(*header).substr(0, kLengthBytes));
  if (length > size_ - position_ - kHeaderBytes - kCrcBytes) return std::nullopt;
  std::optional<std::string> data = read(length + kCrcBytes);
  if (!data || !is_sound(*data)) return std::nullopt;
  data->resize(length);
  position_ += kHeaderBytes + length + kCrcBytes;
  return data;
}

}  // namespace torsor
