// Headers that claim more than their files hold: refused before memory or time is spent on them.
#include "image/test_pictures.h"

namespace torsor {
namespace {

using ::testing::HasSubstr;

// `value` in `size` bytes, the highest first.
std::string big_endian(std::uint32_t value, int size) {
  std::string bytes;
  while (size-- > 0) bytes.push_back(static_cast<char>(value >> (8 * size) & 0xFF));
  return bytes;
}

// A PNG of RGB whose sums are right, so that the header is believed.
std::string png_claiming(std::uint32_t width, std::uint32_t height, bool interlaced) {
  using namespace std::string_literals;
  const auto chunk = [](const std::string& kind, const std::string& data) {
    return big_endian(static_cast<std::uint32_t>(data.size()), 4) + kind + data +
           big_endian(crc32(kind + data), 4);
  };
  const std::string header =
      big_endian(width, 4) + big_endian(height, 4) + (interlaced ? "\x08\2\0\0\1"s : "\x08\2\0\0\0"s);
  return "\x89PNG\r\n\x1A\n" + chunk("IHDR", header) + chunk("IDAT", std::string(200, '\0'));
}

// A grey JPEG up to its first scan, of one scan ("\xC0") or progressive ("\xC2").
std::string jpeg_claiming(std::uint32_t width, std::uint32_t height, const std::string& process) {
  using namespace std::string_literals;
  return "\xFF\xD8\xFF"s + process + "\0\x0B\x08"s + big_endian(height, 2) + big_endian(width, 2) +
         "\1\1\x11\0\xFF\xDA\0\x08\1\1\0\0\0\0"s;
}

struct Tag {
  std::uint16_t number;
  std::uint32_t value, count = 1;  // with a count the value is where the numbers stand
};

// A little-endian TIFF whose directory is at byte 8 and holds these tags (in order) as 32-bit numbers.
std::string tiff_of(const std::vector<Tag>& tags) {
  using namespace std::string_literals;
  const auto number = [](std::uint32_t value, int size) {
    const std::string bytes = big_endian(value, size);
    return std::string(bytes.rbegin(), bytes.rend());
  };
  std::string tiff = "II*\0\x08\0\0\0"s + number(static_cast<std::uint32_t>(tags.size()), 2);
  for (const Tag& tag : tags)
    tiff += number(tag.number, 2) + number(4, 2) + number(tag.count, 4) + number(tag.value, 4);
  return tiff + std::string(4, '\0');
}

// The most that this process has had of the address space so far.
std::int64_t peak_kilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmPeak:") {
      std::int64_t kilobytes = 0;
      status >> kilobytes;
      return kilobytes;
    }
  ADD_FAILURE() << "no VmPeak";
  return 0;
}

class Forged : public Refused {
 protected:
  // What the message says of the header, behind "the header at byte ".
  std::string claim_in(const std::string& name, const std::string& content) {
    const std::int64_t before = peak_kilobytes();
    const std::string message = message_for(name, content);
    EXPECT_LT(peak_kilobytes() - before, 1 << 17) << "128 MiB";
    const std::string wanted = fmt::format(", which a file of {} bytes cannot hold; ", content.size());
    EXPECT_THAT(message, HasSubstr(wanted));
    const std::string start = "the header at byte ";
    const std::size_t at = message.find(start), end = message.find(wanted);
    return at < end && end < message.size() ? message.substr(at + start.size(), end - at - start.size()) : "";
  }
};

TEST_F(Forged, HeadersCannotClaimMoreThanTheFileCanHold) {
  using namespace std::string_literals;
  EXPECT_EQ(claim_in("a.png", png_claiming(18000, 18000, false)),
            "16 claims 18000 x 18000 pixels of 3 channels");
  EXPECT_EQ(claim_in("b.png", png_claiming(6000, 50000, true)),
            "16 claims 6000 x 50000 pixels of 3 channels");
  EXPECT_THAT(message_for("c.png", png_claiming(30000, 30000, false)),
              HasSubstr("the header at byte 16 claims 30000 x 30000 pixels of 3 channels, too many"));
  EXPECT_EQ(claim_in("a.jpg", jpeg_claiming(60000, 17000, "\xC2")),
            "2 claims 60000 x 17000 pixels of 1 channel");
  EXPECT_EQ(claim_in("b.jpg", jpeg_claiming(60000, 17000, "\xC0")),
            "2 claims 60000 x 17000 pixels of 1 channel");
  EXPECT_EQ(claim_in("a.ppm", "P6\n18000 18000\n255\n12345"), "2 claims 18000 x 18000 pixels of 3 channels");
  std::string bmp = read_file(kFixtures / "rgb24.bmp").substr(0, 200);
  bmp.replace(18, 8, "\x50\x46\0\0\x50\x46\0\0"s);  // 18000 x 18000
  EXPECT_EQ(claim_in("a.bmp", bmp), "18 claims 18000 x 18000 pixels of 3 channels");
  std::string webp = read_file(kFixtures / "lossless.webp");
  ASSERT_EQ(webp.substr(12, 4), "VP8L");
  webp.replace(21, 4, "\xFE\xBF\xFF\x0F"s);  // 16383 x 16383: 14 bits each, less one
  EXPECT_EQ(claim_in("a.webp", webp), "12 claims 16383 x 16383 pixels of 3 channels");
}

// Sizes that fit, but what the library keeps beside the pixels does not.
TEST_F(Forged, WorkingMemoryCountsToo) {
  EXPECT_EQ(claim_in("a.jpg", jpeg_claiming(8000, 8000, "\xC2")), "2 claims 8000 x 8000 pixels of 1 channel");
  EXPECT_THAT(message_of(jpeg_claiming(8000, 8000, "\xC0")), HasSubstr("damaged or truncated JPEG"));
  const auto bilevel = [](std::uint32_t side, std::uint32_t compression) {
    return tiff_of({{256, side}, {257, side}, {258, 1}, {259, compression}, {262, 1}, {273, 8}, {279, 100}});
  };
  EXPECT_EQ(claim_in("a.tif", bilevel(7000, 4)), "8 claims 7000 x 7000 pixels of 1 channel");
  EXPECT_THAT(message_of(bilevel(3000, 4)), HasSubstr("damaged or truncated TIFF"));
  EXPECT_THAT(message_of(bilevel(3000, 34661)), HasSubstr("JBIG (at byte 8) is not supported"));
  const auto tiled = [](std::uint32_t width, std::uint32_t height) {
    constexpr std::uint32_t kTiles = 256;  // any number will do as their places and lengths
    return tiff_of({{256, 4096},
                    {257, 1},
                    {258, 8},
                    {262, 1},
                    {322, width},
                    {323, height},
                    {324, 8, kTiles},
                    {325, 8, kTiles}}) +
           std::string(4 * kTiles, '\1');
  };
  EXPECT_EQ(claim_in("b.tif", tiled(16384, 16384)), "8 claims 4096 x 1 pixels of 1 channel");
  EXPECT_EQ(claim_in("c.tif", tiled(16, 1 << 20)), "8 claims 4096 x 1 pixels of 1 channel");  // 256 of 16 MiB
}

TEST_F(Forged, LibtiffReadsNoPlaceEndlessly) {
  constexpr std::uint32_t kRows = 4000, kNumbersAt = 8 + 2 + 8 * 12 + 4;
  std::string tiff = tiff_of({{256, 1},
                              {257, kRows},
                              {258, 8},
                              {259, 1},
                              {262, 1},
                              {273, kNumbersAt, kRows},
                              {278, 1},
                              {279, kNumbersAt + 4 * kRows, kRows}});
  for (const char* number : {"\x08\0\0\0", "\0\x40\0\0"})  // each row at byte 8 and of 16 KiB
    for (std::uint32_t row = 0; row < kRows; ++row) tiff.append(number, 4);
  EXPECT_THAT(message_of(tiff), HasSubstr("its parts lie upon each other"));
}

TEST_F(Forged, TiffDirectoriesTakeNoTimeWithoutEnd) {
  std::vector<Tag> tags = {{256, 4}, {257, 1}, {258, 8}, {262, 1}, {273, 8}, {279, 4}};
  std::string loop = tiff_of(tags);
  loop[loop.size() - 4] = '\x08';  // this directory is followed by itself
  write_file_atomically(folder_ / "loop.tif", loop);
  EXPECT_EQ(read_image_info(folder_ / "loop.tif").pages, 1);
  for (std::uint16_t unknown = 40000; unknown < 43000; ++unknown) tags.push_back({unknown, 1});
  EXPECT_THAT(message_for("unknown.tif", tiff_of(tags)), HasSubstr("too many tags"));
}

// 63 coefficients, each refined bit by bit: every scan is valid, and they take no end.
TEST_F(Forged, JpegScansAreCounted) {
  using namespace std::string_literals;
  const auto scan = [](int first, int last, int high, int low) {
    return "\xFF\xDA\0\x08\1\1\0"s + static_cast<char>(first) + static_cast<char>(last) +
           static_cast<char>(high << 4 | low) + "\x7F"s;
  };
  const std::string frame = jpeg_claiming(8, 8, "\xC2").substr(0, 15);
  const std::string one_code = "\1"s + std::string(15, '\0') + '\0';
  std::string jpeg = frame.substr(0, 2) + "\xFF\xDB\0\x43\0"s + std::string(64, '\1') + frame.substr(2) +
                     "\xFF\xC4\0\x14\0"s + one_code + "\xFF\xC4\0\x14\x10"s + one_code + scan(0, 0, 0, 0);
  std::size_t short_end = 0;
  for (int coefficient = 1; coefficient < 64; ++coefficient)
    for (int bit = 13; bit >= 0; --bit) {
      jpeg += scan(coefficient, coefficient, bit == 13 ? 0 : bit + 1, bit);
      if (coefficient == 20 && bit == 0) short_end = jpeg.size();
    }
  EXPECT_EQ(message_of(jpeg.substr(0, short_end) + "\xFF\xD9"), "");
  const std::string message = message_of(jpeg + "\xFF\xD9");
  EXPECT_THAT(message, HasSubstr("more than 500 scans"));
  EXPECT_GT(place_in(message), static_cast<std::int64_t>(jpeg.size() / 2));
}

}  // namespace
}  // namespace torsor
