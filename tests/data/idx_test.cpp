#include "data/idx_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>

#include "core/files.h"
#include "data/glyphs.h"
#include "test_support.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using testing::TestFolder;

std::string number(std::uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 255);
  return out;
}

std::string header(char dimensions, std::initializer_list<std::uint32_t> sides) {
  std::string out = {0, 0, 8, dimensions};
  for (const std::uint32_t side : sides) out += number(side);
  return out;
}

const std::string kImages = header(3, {2, 2, 3}) + "abcdefghijkl";
const std::string kLabels = header(1, {2}) + std::string{7, 0};

void write_gzip(const fs::path& path, const std::string& bytes) {
  const gzFile file = gzopen(path.c_str(), "wb");
  ASSERT_EQ(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())), static_cast<int>(bytes.size()));
  ASSERT_EQ(gzclose(file), Z_OK);
}

class IdxTest : public ::testing::Test {
 protected:
  fs::path plain(const std::string& bytes, const std::string& name = "train-images-idx3-ubyte") {
    write_file_atomically(folder_ / name, bytes);
    return folder_ / name;
  }
  std::string refused(const std::string& bytes, std::size_t dimensions = 3) {
    const fs::path path = plain(bytes);
    const std::string message = error_of([&] { read_idx(path, dimensions); });
    EXPECT_THAT(message, HasSubstr(path.string()));
    return message;
  }

  TestFolder folder_;
};

TEST_F(IdxTest, ReadsImagesRowByRowWithTheirLabels) {
  write_gzip(folder_ / "i.gz", kImages);
  const auto source = open_idx(folder_ / "i.gz", plain(kLabels, "l"), 0);
  EXPECT_EQ(source->size(), 2);
  const Image second = source->read(1);
  EXPECT_EQ(second.width, 3);
  EXPECT_EQ(second.height, 2);
  EXPECT_EQ(second.channels, 1);
  EXPECT_EQ(std::string(second.bytes.begin(), second.bytes.end()), "ghijkl");
  EXPECT_EQ(source->label(0), 7);
  EXPECT_EQ(source->label(1), 0);
  EXPECT_EQ(open_idx(folder_ / "i.gz", {}, 1)->size(), 1);
  EXPECT_THROW(open_idx(folder_ / "i.gz", {}, 0)->label(0), Error);
  EXPECT_THROW(source->read(2), Error);
}

TEST_F(IdxTest, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(refused(""), HasSubstr("ends inside its header of 16 bytes"));
  EXPECT_THAT(refused(kImages.substr(0, 20)), AllOf(HasSubstr("byte 20"), HasSubstr("12 bytes")));
  EXPECT_THAT(refused(kImages + "m"), AllOf(HasSubstr("byte 28"), HasSubstr("goes on")));
  EXPECT_THAT(refused(kLabels), HasSubstr("not an IDX file of bytes in 3 dimensions"));
  EXPECT_THAT(refused(header(3, {2, 0, 3})), AllOf(HasSubstr("byte 8"), HasSubstr("side 2 is 0")));
  EXPECT_THAT(refused(header(3, {0xffffffff, 2, 3})), HasSubstr("side 1 is 4294967295"));
  EXPECT_THAT(error_of([&] { read_idx(folder_ / "absent", 3); }), HasSubstr("absent: cannot be opened"));
  EXPECT_THAT(error_of([&] { read_idx(folder_.path, 3); }), HasSubstr("is a folder"));
}

TEST_F(IdxTest, AHeaderAloneTakesNoMemory) {
  EXPECT_THAT(refused(header(3, {100000000, 60000, 60000}) + "abc"), HasSubstr("byte 19: ends early"));
}

TEST_F(IdxTest, DamagedGzipIsNamed) {
  write_gzip(folder_ / "i.gz", header(3, {100, 28, 28}) + std::string(78400, 'x') + std::string(400, 'y'));
  std::string bytes = read_file(folder_ / "i.gz");
  write_file_atomically(folder_ / "short.gz", bytes.substr(0, bytes.size() / 2));
  EXPECT_THAT(error_of([&] { read_idx(folder_ / "short.gz", 3); }),
              AllOf(HasSubstr("short.gz"), HasSubstr("ends early")));
  bytes[bytes.size() / 2] ^= 0x55;
  write_file_atomically(folder_ / "bad.gz", bytes);
  EXPECT_THAT(error_of([&] { read_idx(folder_ / "bad.gz", 3); }),
              AllOf(HasSubstr("bad.gz: byte"), HasSubstr("fetch")));
}

TEST_F(IdxTest, LabelsMustBeDigitsAndAsManyAsTheImages) {
  const fs::path images = plain(kImages);
  EXPECT_THAT(error_of([&] { open_idx(images, plain(header(1, {3}) + "abc", "l"), 0); }),
              AllOf(HasSubstr("3 labels"), HasSubstr("2 images")));
  EXPECT_THAT(error_of([&] {
                open_idx(images, plain(header(1, {2}) + std::string{1, 10}, "l"), 0);
              }),
              AllOf(HasSubstr("byte 9"), HasSubstr("label 10")));
}

TEST_F(IdxTest, FilesAreFoundUnderTheNamesInUse) {
  EXPECT_TRUE(find_idx(folder_.path, "train", "images").empty());
  for (const char* name :
       {"train-images.idx3-ubyte", "train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"}) {
    plain("x", name);
    EXPECT_EQ(find_idx(folder_.path, "train", "images"), folder_ / name);
  }
  EXPECT_TRUE(find_idx(folder_.path, "t10k", "images").empty());
  EXPECT_TRUE(find_idx(folder_.path, "train", "labels").empty());
}

TEST_F(IdxTest, MnistIsWhole) {
  const char* given = std::getenv("TORSOR_DATA");
  const fs::path mnist = fs::path(given != nullptr ? given : TORSOR_DATA_DEFAULT) / "mnist";
  if (!fs::exists(mnist)) GTEST_SKIP() << "no MNIST at " << mnist << " (set TORSOR_DATA)";
  const auto test = open_idx(find_idx(mnist, "t10k", "images"), find_idx(mnist, "t10k", "labels"), 0);
  EXPECT_EQ(test->size(), 10000);
  std::array<int, 10> counts{};
  for (std::int64_t i = 0; i < test->size(); ++i) ++counts[static_cast<std::size_t>(test->label(i))];
  EXPECT_THAT(counts, ElementsAre(980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009))
      << "as LeCun et al. say";
  EXPECT_EQ(test->read(9999).width, 28);
}

TEST(Glyphs, AreDrawnAlikeFromTheirTruthAndDifferByDomainAndSplit) {
  const auto a = make_glyph_source(Domain::a, Split::train, 0, 50, 32),
             b = make_glyph_source(Domain::b, Split::train, 0, 50, 32);
  const auto test = make_glyph_source(Domain::a, Split::test, 0, 50, 32);
  EXPECT_EQ(a->read(3).bytes, render_glyph(glyph_truth(Domain::a, Split::train, 0, 3), 32).bytes);
  EXPECT_NE(a->read(3).bytes, b->read(3).bytes);
  EXPECT_NE(a->read(3).bytes, test->read(3).bytes);
  EXPECT_EQ(a->label(7), glyph_truth(Domain::a, Split::train, 0, 7).label);
  EXPECT_THROW(a->read(50), Error);
  EXPECT_THROW(make_glyph_source(Domain::a, Split::train, 0, 5, 8), UsageError);
  EXPECT_THROW(render_glyph({10}, 32), UsageError);
}

TEST(Glyphs, ShowAWholeStrokeInsideTheFrame) {
  for (std::int64_t i = 0; i < 500; ++i) {
    const Image image = make_glyph_source(Domain::a, Split::train, 1, 500, 32)->read(i);
    int bright = 0, at_edge = 0;
    for (std::int64_t y = 0; y < 32; ++y)
      for (std::int64_t x = 0; x < 32; ++x) {
        const int v = image.u8()[y * 32 + x];
        bright += v > 200;
        at_edge += (x == 0 || y == 0 || x == 31 || y == 31) && v > 0;
      }
    EXPECT_GT(bright, 15) << i;
    EXPECT_LT(bright, 400) << i;
    EXPECT_EQ(at_edge, 0) << i;
  }
}

TEST(Glyphs, ClassesAreAsFrequentAndToldApart) {
  std::array<int, 10> counts{};
  for (std::int64_t i = 0; i < 2000; ++i)
    ++counts[static_cast<std::size_t>(glyph_truth(Domain::b, Split::train, 0, i).label)];
  for (const int count : counts) EXPECT_NEAR(count, 200, 60);
  std::vector<Image> plain;
  for (std::int64_t label = 0; label < kGlyphClasses; ++label) plain.push_back(render_glyph({label}, 32));
  for (std::size_t i = 0; i < plain.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      int differing = 0;
      for (std::size_t k = 0; k < plain[i].bytes.size(); ++k)
        differing += std::abs(plain[i].bytes[k] - plain[j].bytes[k]) > 128;
      EXPECT_GT(differing, 30) << i << " and " << j;
    }
}

}  // namespace
}  // namespace torsor
