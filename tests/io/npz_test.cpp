#include "io/npz.h"

#include "io_test_support.h"

namespace torsor {
namespace {

using testing::error_of;
using testing::fixture;
using ::testing::HasSubstr;
using testing::same;
using testing::TemporaryFolder;

std::string npy(const std::string& header, const std::string& data, char version = 1) {
  std::string bytes = std::string("\x93NUMPY") + version + '\0';
  bytes += static_cast<char>(header.size() & 0xff);
  bytes += static_cast<char>(header.size() >> 8);
  if (version > 1) bytes += std::string(2, '\0');
  return bytes + header + data;
}

class CraftedNpz : public ::testing::Test {
 protected:
  TensorMap read(const std::string& array) const {
    return read_npz(folder_.write_zip("x.npz", {{"w.npy", array}}));
  }
  std::string message(const std::string& array) const {
    return error_of([&] { read(array); });
  }
  TemporaryFolder folder_;
};

TEST(Npz, ReadsEveryTypeStoredAndDeflated) {
  for (const char* file : {"arrays_stored.npz", "arrays_deflated.npz"}) {
    const TensorMap read = read_npz(fixture(file));
    ASSERT_EQ(read.size(), 12u) << file;
    const at::Tensor signed_values = at::arange(-3, 3).reshape({2, 3});
    const std::pair<const char*, at::ScalarType> types[] = {
        {"f8", at::kDouble}, {"f4", at::kFloat}, {"f2", at::kHalf}, {"i8", at::kLong},
        {"i4", at::kInt},    {"i2", at::kShort}, {"i1", at::kChar}};
    for (const auto& [name, dtype] : types)
      EXPECT_TRUE(same(find_tensor(read, name), signed_values.to(dtype))) << file << " " << name;
    EXPECT_TRUE(same(find_tensor(read, "u1"), at::arange(6).to(at::kByte).reshape({2, 3})));
    EXPECT_TRUE(same(find_tensor(read, "b1"), at::arange(6).remainder(2).eq(0).reshape({2, 3})));
    EXPECT_TRUE(same(find_tensor(read, "fortran"), at::arange(24, at::kFloat).reshape({2, 3, 4})));
    EXPECT_TRUE(same(find_tensor(read, "scalar"), at::scalar_tensor(2.5, at::kDouble)));
    EXPECT_TRUE(same(find_tensor(read, "empty"), at::zeros({0, 4}, at::kInt)));
    EXPECT_FALSE(find_tensor(read, "no such").defined());
    testing::expect_sound(read);
  }
}

TEST(Npz, OtherContentIsNamed) {
  const auto message = [](const std::filesystem::path& path) { return error_of([&] { read_npz(path); }); };
  EXPECT_THAT(message(fixture("arrays_big_endian.npz")), HasSubstr("array 'x.npy' has the type '>f4'"));
  EXPECT_THAT(message(fixture("arrays_of_objects.npz")), HasSubstr("array 'x.npy' has the type '|O'"));
  EXPECT_THAT(message(fixture("single.npy")), HasSubstr("looks like a single NumPy array"));
  EXPECT_THAT(message(fixture("network_zip.pth")), HasSubstr("is not a NumPy archive (it holds "));
  EXPECT_THAT(message(fixture("network_legacy.pth")), HasSubstr("looks like a PyTorch weight file"));
  EXPECT_THAT(message(fixture("gone.npz")), HasSubstr("no such file"));
  EXPECT_THAT(message(fixture("")), HasSubstr("is a folder"));
  const TemporaryFolder folder;
  EXPECT_THAT(message(folder.write("e.npz", "")), HasSubstr("is empty"));
}

TEST_F(CraftedNpz, HeadersOfEveryVersion) {
  for (const char version : {1, 2, 3}) {
    const TensorMap read_back =
        read(npy("{\"shape\":(2L,),'descr':'|u1','fortran_order':False}  \n", "ab", version));
    EXPECT_TRUE(same(read_back[0].second, at::arange(97, 99).to(at::kByte)));
  }
}

TEST_F(CraftedNpz, WrongHeadersAreErrors) {
  const auto header = [](const std::string& shape) {
    return "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }";
  };
  EXPECT_THAT(message(npy(header("(2,)"), "1234567")),
              HasSubstr("has 7 bytes of data from byte 67 on, expected 8"));
  EXPECT_THAT(message(npy(header("(2,)"), "123456789")),
              HasSubstr("has 9 bytes of data from byte 67 on, expected 8"));
  EXPECT_THAT(message(npy(header("(-2,)"), "")), HasSubstr("impossible"));
  EXPECT_THAT(message(npy(header("(4611686018427387904, 4)"), "")), HasSubstr("impossible"));
  EXPECT_THAT(message(npy(header("(0, 4611686018427387904, 4)"), "")), HasSubstr("impossible"));
  EXPECT_THAT(message(npy(header("(99999999999999999999,)"), "")), HasSubstr("header cannot be read"));
  EXPECT_THAT(message(npy(header("(2"), "")), HasSubstr("header cannot be read"));
  EXPECT_THAT(message(npy(header("2"), "")), HasSubstr("header cannot be read"));
  EXPECT_THAT(message(npy("{'descr': '<f4', 'shape': (2,)}", "12345678")),
              HasSubstr("header cannot be read"));
  EXPECT_THAT(message(npy("{'descr': '<f4", "")), HasSubstr("header cannot be read"));
  EXPECT_THAT(message(npy("{'what': 1}", "")), HasSubstr("header cannot be read"));
  EXPECT_THAT(message(npy("", "")), HasSubstr("header cannot be read"));
  EXPECT_THAT(message(npy("{'descr': [('a', '<f4')]}", "")), HasSubstr("structured array"));
  EXPECT_THAT(message(npy("{'descr': '<c8', 'fortran_order': False, 'shape': ()}", "12345678")),
              HasSubstr("'<c8'"));
  EXPECT_THAT(message(npy("{'descr': '', 'fortran_order': False, 'shape': ()}", "")), HasSubstr("type ''"));
  EXPECT_THAT(message(npy("{}", "", 4)), HasSubstr("version 4"));
  EXPECT_THAT(message("\x93NUMPY"), HasSubstr("not a NumPy array"));
  EXPECT_THAT(message("hello, world"), HasSubstr("not a NumPy array"));
  EXPECT_THAT(message(std::string("\x93NUMPY\x01\x00\xff", 9)), HasSubstr("truncated"));
  EXPECT_THAT(message(std::string("\x93NUMPY\x01\x00\xff\xff{", 11)), HasSubstr("truncated"));
}

// --- the zip archive around the arrays
// --------------------------------------------------------------------------

class CraftedZip : public ::testing::Test {
 protected:
  // Sets packed and unpacked size of every entry in the central directory.
  static std::string claim_sizes(std::string archive, std::uint32_t size) {
    for (std::size_t at = 0; (at = archive.find("PK\x01\x02", at)) != std::string::npos; at += 4)
      for (const std::size_t field : {20u, 24u})
        archive.replace(at + field, sizeof size, reinterpret_cast<const char*>(&size), sizeof size);
    return archive;
  }
  std::string message(const std::string& bytes) const {
    return error_of([&] { read_npz(folder_.write("x.npz", bytes)); });
  }
  TemporaryFolder folder_;
};

TEST_F(CraftedZip, SizesThatCannotBeAreRefused) {
  const std::string array =
      npy("{'descr': '|u1', 'fortran_order': False, 'shape': (400,)}", std::string(400, 'x'));
  const std::string good =
      testing::bytes_of(folder_.write_zip("g.npz", {{"a.npy", array}, {"b.npy", array}}));
  EXPECT_EQ(read_npz(folder_ / "g.npz").size(), 2u);
  EXPECT_THAT(message(claim_sizes(good, 0x7fffffff)), HasSubstr("x.npz"));
  EXPECT_THAT(message(claim_sizes(good, static_cast<std::uint32_t>(good.size() - 100))),
              HasSubstr("overlap"));
  EXPECT_THAT(message(claim_sizes(good, 20)), HasSubstr("x.npz"));
}

TEST_F(CraftedZip, DamagedDataFailsItsCrc) {
  const std::string array =
      npy("{'descr': '|u1', 'fortran_order': False, 'shape': (400,)}", std::string(400, 'x'));
  std::string bytes = testing::bytes_of(folder_.write_zip("g.npz", {{"a.npy", array}}));
  bytes[bytes.find("xxxx") + 7] = 'y';
  EXPECT_THAT(message(bytes), HasSubstr("'a.npy' in it is damaged"));
}

TEST_F(CraftedZip, TruncatedArchivesAreNamed) {
  const std::string good = testing::bytes_of(fixture("arrays_stored.npz"));
  EXPECT_THAT(message(good.substr(0, good.size() / 2)), HasSubstr("is truncated or damaged"));
}

}  // namespace
}  // namespace torsor
