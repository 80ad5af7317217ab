// NumPy arrays as images.
#include <bit>
#include <limits>

#include "image/test_pictures.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// As numpy.save writes it, version 1.
std::string npy(const std::string& descr, const std::string& order, const std::string& shape,
                const std::string& data) {
  std::string header = "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  using namespace std::string_literals;
  return "\x93NUMPY\1\0"s + static_cast<char>(header.size()) + '\0' + header + data;
}

Image read(const std::string& bytes) { return decode_image(bytes, "a.npy"); }

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

TEST(Npy, HoldsAnyNumberOfChannelsNoneOfThemAlpha) {
  const Image image = read(npy("|u1", "False", "(2, 3, 4)", std::string(24, '\7')));
  EXPECT_EQ(image.height, 2);
  EXPECT_EQ(image.width, 3);
  EXPECT_EQ(image.channels, 4);
  EXPECT_FALSE(image.has_alpha());
  EXPECT_EQ(read(npy("|u1", "False", "(1, 2)", "ab")).channels, 1);
}

TEST(Npy, OfEachTypeAndByteOrder) {
  using namespace std::string_literals;
  EXPECT_EQ(read(npy("<u2", "False", "(1, 1)", "\x34\x12"s)).u16()[0], 0x1234);
  EXPECT_EQ(read(npy(">u2", "False", "(1, 1)", "\x12\x34"s)).u16()[0], 0x1234);
  EXPECT_EQ(read(npy("<f2", "False", "(1, 1)", "\x00\x3E"s)).f32()[0], 1.5F);
  EXPECT_EQ(read(npy("<f4", "False", "(1, 1)", bytes_of<float>({-2.5F}))).f32()[0], -2.5F);
  EXPECT_EQ(read(npy(">f4", "False", "(1, 1)", "\xC0\x20\x00\x00"s)).f32()[0], -2.5F);
  const Image doubles = read(npy("<f8", "False", "(1, 3)", bytes_of<double>({0.1, 1e300, -1e300})));
  EXPECT_EQ(doubles.f32()[0], 0.1F);
  EXPECT_EQ(doubles.f32()[1], std::numeric_limits<float>::infinity());
  EXPECT_EQ(doubles.f32()[2], -std::numeric_limits<float>::infinity());
}

// numpy.asfortranarray(numpy.arange(12).reshape(2, 3, 2)): the first index runs fastest.
TEST(Npy, InFortransOrderIsTheSamePicture) {
  const std::string fastest_first = {0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11};
  const Image image = read(npy("|u1", "True", "(2, 3, 2)", fastest_first));
  for (std::uint8_t i = 0; i < 12; ++i) EXPECT_EQ(image.u8()[i], i);
}

TEST(Npy, RefusesWhatIsNoImage) {
  const auto error = [](const std::string& bytes) { return error_of([&] { read(bytes); }); };
  EXPECT_THAT(error(npy("<i4", "False", "(1, 1)", "abcd")),
              AllOf(HasSubstr("a.npy"), HasSubstr("u1, u2, f2")));
  EXPECT_THAT(error(npy("|u1", "False", "(4,)", "abcd")), HasSubstr("1 dimensions"));
  EXPECT_THAT(error(npy("|u1", "False", "(1, 1, 1, 1)", "a")), HasSubstr("4 dimensions"));
  EXPECT_THAT(error(npy("|u1", "False", "(2, 0)", "")), HasSubstr("at least 1"));
  EXPECT_THAT(error(npy("|u1", "False", "(2, 3)", "abcde")), HasSubstr("ends too early"));
  EXPECT_THAT(error(npy("|u1", "False", "(60000, 60000)", "abcde")), HasSubstr("too many"));
  EXPECT_THAT(error(npy("|u1", "False", "(60000, 9999)", "abcde")), HasSubstr("cannot hold"));
  EXPECT_THAT(error(npy("|u1", "False", "(-2, 3)", "abcde")), HasSubstr("not a number"));
  EXPECT_THAT(error(npy("|u1", "Perhaps", "(1, 1)", "a")), HasSubstr("order"));
  EXPECT_THAT(error(npy("|u1", "False", "(1, 1)", "a").substr(0, 40)), HasSubstr("ends too early"));
  std::string newer = npy("|u1", "False", "(1, 1)", "a");
  newer[6] = 9;
  EXPECT_THAT(error(newer), HasSubstr("version 9"));
  Notes notes;
  decode_image(npy("|u1", "False", "(1, 1)", "abc"), "a.npy", notes);
  EXPECT_THAT(notes, ::testing::ElementsAre("2 bytes behind the array are not read"));
}

}  // namespace
}  // namespace torsor
