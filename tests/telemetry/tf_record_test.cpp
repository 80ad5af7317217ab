// CRC-32C and the frame of records, whole, cut short and damaged.
#include "telemetry/tf_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/files.h"
#include "telemetry/crc32c.h"
#include "test_support.h"

namespace torsor {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using testing::TestFolder;

TEST(Crc32c, HasTheValuesOfTheStandard) {  // RFC 3720, B.4
  std::string rising, falling;
  for (int i = 0; i < 32; ++i) {
    rising += static_cast<char>(i);
    falling += static_cast<char>(31 - i);
  }
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  EXPECT_EQ(crc32c(rising), 0x46DD794EU);
  EXPECT_EQ(crc32c(falling), 0x113FDB5CU);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST(Crc32c, OfAnyLengthIsThatOfOneBitAtATime) {
  std::string bytes;
  for (int length = 0; length < 40; ++length) {
    std::uint32_t crc = ~0U;
    for (const unsigned char byte : bytes) {
      crc ^= byte;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0);
    }
    EXPECT_EQ(crc32c(bytes), ~crc) << length;
    bytes += static_cast<char>(length * 37 + 11);
  }
}

// Not write_file_atomically, whose fsync takes longer than all else here.
void put(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

std::vector<std::string> records_of(const std::filesystem::path& path) {
  TfRecordReader reader(path);
  std::vector<std::string> out;
  while (const auto record = reader.next()) out.push_back(*record);
  return out;
}

TEST(TfRecord, FramesDataByLengthAndMaskedSums) {
  const std::string record = tf_record("ab");
  ASSERT_EQ(record.size(), 8 + 4 + 2 + 4);
  EXPECT_EQ(record.substr(0, 8), std::string("\2\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(record.substr(12, 2), "ab");
  // 0xE3069283 rotated to the right by 15 bits, plus 0xA282EAD8.
  EXPECT_EQ(masked_crc32c("123456789"), 0xC78AB0E5U);
}

TEST(TfRecord, IsReadUpToWhereAFileIsCut) {
  const TestFolder folder;
  const auto path = folder / "records";
  const std::string whole = tf_record("first") + tf_record("") + tf_record("third");
  const std::size_t one = tf_record("first").size(), two = one + tf_record("").size();
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    put(path, whole.substr(0, size));
    TfRecordReader reader(path);
    std::size_t count = 0;
    while (reader.next()) ++count;
    const std::size_t expected = size == whole.size() ? 3 : size >= two ? 2 : size >= one ? 1 : 0;
    EXPECT_EQ(count, expected) << size;
    EXPECT_EQ(reader.position(), std::vector<std::size_t>({0, one, two, whole.size()})[expected]) << size;
  }
}

TEST(TfRecord, EndsAtTheFirstThatIsDamaged) {
  const TestFolder folder;
  const auto path = folder / "records";
  const std::string first = tf_record("first"), second = tf_record("second");
  for (std::size_t i = 0; i < second.size(); ++i) {
    std::string damaged = second;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    put(path, first + damaged + tf_record("third"));
    EXPECT_THAT(records_of(path), ElementsAre("first")) << i;
  }
  EXPECT_THAT(error_of([&] { records_of(folder / "none"); }), HasSubstr("none: cannot be read"));
}

}  // namespace
}  // namespace torsor
