// Defects that cost nothing of the picture are noted, those that cost some are refused (docs/formats.md).
#include "image/test_pictures.h"

namespace torsor {
namespace {

using namespace std::string_literals;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string fixture(const std::string& name) { return read_file(kFixtures / name); }

// Reads the bytes as `whole` reads, and gives the notes.
Notes notes_of(const std::string& bytes, const std::string& whole) {
  Notes notes;
  EXPECT_TRUE(same(decode_image(bytes, "the-file", notes), decode_image(whole, "whole")));
  return notes;
}

// One note, of this text, and the same pixels.
void expect_noted(const std::string& bytes, const std::string& whole, const std::string& text) {
  SCOPED_TRACE(text);
  ASSERT_EQ(message_of(bytes), "");
  EXPECT_THAT(notes_of(bytes, whole), ::testing::ElementsAre(HasSubstr(text)));
}

std::string with(std::string bytes, std::size_t at, const std::string& inserted) {
  return bytes.insert(at, inserted);
}

std::string replaced(std::string bytes, std::size_t at, const std::string& by) {
  return bytes.replace(at, by.size(), by);
}

std::size_t scan_at(const std::string& jpeg) { return jpeg.find("\xFF\xDA"); }

const std::vector<std::string> kJpegs = {"rgb_420.jpg", "rgb_progressive.jpg"};

TEST(WholeFiles, HaveNoNotes) {
  for (const fs::path& path : fixtures("readable")) {
    const std::string name = path.filename().string();
    if (name.starts_with("animated") || name.starts_with("two_pages")) continue;
    Notes notes;
    read_image(path, notes);
    EXPECT_THAT(notes, IsEmpty()) << path;
  }
}

TEST(JpegDefects, InHeadersAreNoted) {
  const std::string jpeg = fixture("rgb_420.jpg");
  const std::size_t scan = scan_at(jpeg),
                    parameters = scan + 2 + static_cast<std::uint8_t>(jpeg[scan + 3]) - 3;
  expect_noted(replaced(jpeg, parameters, "\0\x3E\1"s), jpeg, "odd parameters of a scan");
  expect_noted(replaced(jpeg, 11, "\x09"), jpeg, "unknown revision of JFIF");
  const std::string bare = jpeg.substr(0, 2) + jpeg.substr(20);  // JFIF would settle the colours
  expect_noted(with(bare, 2, "\xFF\xEE\0\x0E"s + "Adobe\0\x64\0\0\0\0\7"s), jpeg, "Adobe colour transform");
}

TEST(JpegDefects, BytesThatAreNoDataAreNoted) {
  for (const std::string& name : kJpegs) {
    const std::string jpeg = fixture(name);
    const std::string before_end = with(jpeg, jpeg.size() - 2, std::string(1400, '\x5A'));
    expect_noted(with(jpeg, jpeg.find("\xFF\xDB"), "\1\2"), jpeg, "2 extraneous bytes before a marker");
    expect_noted(before_end, jpeg, "1400 extraneous bytes before a marker were skipped");
    expect_noted(with(jpeg, jpeg.size() - 2, "0123456789abc\xFF\0def"s), jpeg, "18 extraneous bytes");
    expect_noted(jpeg + "more", jpeg, "4 bytes behind the picture are not read");
    expect_noted(jpeg.substr(0, jpeg.size() - 2), jpeg, "end mark is missing");
    expect_noted(jpeg.substr(0, jpeg.size() - 1), jpeg, "end mark is missing");
  }
}

TEST(JpegDefects, BytesBetweenScansAreNoted) {
  const std::string jpeg = fixture("rgb_progressive.jpg");
  const std::size_t second = jpeg.find("\xFF\xDA", scan_at(jpeg) + 2);
  ASSERT_NE(second, std::string::npos);
  const std::string junk(50, 'x');
  expect_noted(with(jpeg, jpeg.rfind("\xFF\xC4", second), junk), jpeg, "50 extraneous bytes");
}

// A picture whose codes are not as flat as a smooth one's.
std::string busy_jpeg(const Image& picture) {
  Image image = picture;
  std::uint32_t state = 1;
  for (std::int64_t i = 0; i < image.samples(); ++i) {
    state = state * 1664525u + 1013904223u;
    image.u8()[i] = static_cast<std::uint8_t>(state >> 24);
  }
  return encode_image("jpg", image, {.jpeg_quality = 60});
}

// Bytes too many in the midst of a scan put all that follows out of step, and libjpeg says no more of it than
// of bytes behind the last block.
TEST(JpegDefects, AScanOutOfStepIsRefused) {
  const std::string jpeg = busy_jpeg(smooth_picture(160, 120, 3, PixelType::u8));
  const std::size_t begin = scan_at(jpeg) + 14;
  std::size_t tried = 0, refused = 0;
  for (std::size_t at = begin; at + 900 < jpeg.size(); at += 97) {
    const std::string message = message_of(with(jpeg, at, jpeg.substr(at + 300, 500)));
    ++tried;
    refused += message.empty() ? 0 : 1;
    EXPECT_THAT(message, AnyOf("", HasSubstr("damaged or truncated JPEG")));
  }
  EXPECT_GE(tried, 50u);
  EXPECT_GE(refused, tried * 9 / 10) << tried;
}

TEST(JpegDefects, ThatCostDataAreRefused) {
  for (const std::string& name : kJpegs) {
    const std::string jpeg = fixture(name);
    for (const std::size_t lost : {3, 5, 20, 100})
      EXPECT_THAT(message_of(jpeg.substr(0, jpeg.size() - lost)), HasSubstr("damaged or truncated JPEG"))
          << name << " without " << lost;
    EXPECT_THAT(message_of(jpeg.substr(0, jpeg.size() - 60) + "\xFF\xD9"), HasSubstr("damaged or truncated"));
  }
}

TEST(JpegDefects, MissingScansAreRefusedOrNoted) {
  const std::string jpeg = fixture("rgb_progressive.jpg");
  const std::string cut = jpeg.substr(0, jpeg.rfind("\xFF\xC4"));  // the last scan with its table
  EXPECT_THAT(message_of(cut), HasSubstr("the file ends before its last scan"));
  Notes notes;
  decode_image(cut + "\xFF\xD9", "the-file", notes);
  EXPECT_THAT(notes, ::testing::ElementsAre(HasSubstr("stop before the finest detail")));
}

TEST(JpegKinds, ThatAreNotReadAreNamed) {
  const std::string jpeg = fixture("rgb_420.jpg");
  const std::size_t frame = jpeg.find("\xFF\xC0");
  ASSERT_NE(frame, std::string::npos);
  const auto message = [&](const std::string& marker, char precision) {
    return message_of(replaced(replaced(jpeg, frame + 1, marker), frame + 4, std::string(1, precision)));
  };
  EXPECT_THAT(message("\xC1", 12), AllOf(HasSubstr("a 12-bit JPEG"), HasSubstr("is not supported")));
  EXPECT_THAT(message("\xC3", 8), HasSubstr("a lossless JPEG"));
  EXPECT_THAT(message("\xC5", 8), HasSubstr("a hierarchical JPEG"));
  EXPECT_THAT(message("\xF7", 8), HasSubstr("a JPEG-LS"));
}

std::string number(std::uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
  return out;
}

std::string chunk(const std::string& kind, const std::string& content) {
  return number(static_cast<std::uint32_t>(content.size())) + kind + content + number(crc32(kind + content));
}

std::string broken_chunk(const std::string& kind, const std::string& content) {
  std::string out = chunk(kind, content);
  out.back() = static_cast<char>(out.back() ^ 1);
  return out;
}

constexpr std::size_t kFirstPngChunk = 33, kPngEnd = 12;  // behind IHDR; the size of IEND

TEST(PngDefects, ThatCostNothingAreNoted) {
  const std::string png = fixture("rgb8.png");
  expect_noted(png.substr(0, png.size() - kPngEnd), png, "without an end mark (IEND)");
  expect_noted(png.substr(0, png.size() - 5), png, "without an end mark (IEND)");
  expect_noted(with(png, kFirstPngChunk, broken_chunk("tEXt", "Comment\0x"s)), png, "tEXt: CRC error");
  expect_noted(with(png, kFirstPngChunk, broken_chunk("tIME", "1234567")), png, "tIME: CRC error");
  expect_noted(with(png, png.size() - kPngEnd, "\0\0\0\4\1\2\3\4 and more"s), png,
               "what follows the pixels is not valid");
  expect_noted(png + "more", png, "4 bytes behind the picture are not read");
}

TEST(PngDefects, ThatCostPixelsAreRefused) {
  const std::string png = fixture("rgb8.png");
  const std::size_t data = png.find("IDAT");
  EXPECT_THAT(message_of(replaced(png, png.size() - kPngEnd - 1, "x")), HasSubstr("CRC"));
  EXPECT_THAT(message_of(replaced(png, data + 20, "x")), HasSubstr("damaged or truncated PNG"));
  EXPECT_THAT(message_of(png.substr(0, png.size() - kPngEnd - 2)), HasSubstr("damaged or truncated PNG"));
  EXPECT_THAT(message_of(with(png, kFirstPngChunk, broken_chunk("tRNS", "\0\1\0\1\0\1"s))),
              HasSubstr("transparency"));
  EXPECT_THAT(message_of(with(png, 8, chunk("CgBI", "\x50\0\x20\6"s))), HasSubstr("Apple"));
}

TEST(PngChunks, ThatAreNotAppliedAreNoted) {
  const std::string png = fixture("rgb8.png");
  expect_noted(with(png, kFirstPngChunk, chunk("gAMA", number(100000))), png, "gamma of 1/1.00");
  expect_noted(with(png, kFirstPngChunk, chunk("acTL", number(3) + number(0))), png, "3 frames");
  EXPECT_THAT(notes_of(with(png, kFirstPngChunk, chunk("gAMA", number(45455))), png), IsEmpty());
  EXPECT_THAT(notes_of(with(png, kFirstPngChunk, chunk("tEXt", "Title\0x"s)), png), IsEmpty());
}

std::uint16_t u16_at(const std::string& bytes, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<std::uint8_t>(bytes[at]) |
                                    static_cast<std::uint8_t>(bytes[at + 1]) << 8);
}

// Where the entry of a tag lies in a little-endian TIFF of one page.
std::size_t entry_of(const std::string& tiff, std::uint16_t tag) {
  const std::size_t directory = u16_at(tiff, 4) + 65536u * u16_at(tiff, 6);
  for (std::size_t i = 0; i < u16_at(tiff, directory); ++i)
    if (u16_at(tiff, directory + 2 + 12 * i) == tag) return directory + 2 + 12 * i;
  throw std::out_of_range("the TIFF lacks this tag");
}

TEST(TiffDefects, ThatCostNothingAreNoted) {
  const std::string tiff = encode_image("tif", smooth_picture(20, 10, 3, PixelType::u8));
  const std::size_t width = entry_of(tiff, 256), sample_format = entry_of(tiff, 339);
  std::string swapped = tiff;
  swapped.replace(width, 24, tiff.substr(width + 12, 12) + tiff.substr(width, 12));
  expect_noted(swapped, tiff, "tags are not sorted");
  const std::string own =
      replaced(tiff, sample_format, "\xE8\xFD");  // 65000, a tag of nobody's, the last one
  EXPECT_THAT(notes_of(own, tiff), IsEmpty());
}

TEST(TiffColours, OfAKindThatIsNotConvertedAreRefusedByName) {
  std::string tiff = encode_image("tif", smooth_picture(20, 10, 3, PixelType::u8));
  tiff[entry_of(tiff, 262) + 8] = 10;  // ITU L*a*b*
  EXPECT_THAT(error_of([&] { decode_image(tiff, "lab.tif"); }), HasSubstr("lab.tif"));
}

TEST(WebpDefects, ThatCostNothingAreNoted) {
  const std::string webp = fixture("lossless.webp");
  expect_noted(webp + "some", webp, "4 bytes behind the picture are not read");
  std::string torn = webp + "EXIF\x40\0\0\0abc"s;
  torn[4] = static_cast<char>(torn[4] + 60);
  expect_noted(torn, webp, "the file ends within what follows the pixels");
  EXPECT_THAT(message_of(webp.substr(0, webp.size() - 4)), HasSubstr("damaged or truncated WebP"));
}

TEST(WebpAnimations, GiveTheirFirstFrame) {
  Notes notes;
  read_image(kFixtures / "animated.webp", notes);
  EXPECT_THAT(notes, ::testing::ElementsAre(HasSubstr("frames, of which the first alone is read")));
}

TEST(OtherDefects, BytesBehindThePictureAreNoted) {
  for (const char* name : {"rgb24.bmp", "rgb.ppm"}) {
    const std::string whole = fixture(name);
    expect_noted(whole + "twelve bytes", whole, "bytes behind the picture are not read");
  }
  expect_noted("P2 2 1 100\n7 9\nP2", "P2 2 1 100\n7 9", "2 bytes behind the picture");
}

TEST(Foreign, FormatsAreNamedWithAConverter) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"\0\0\0\x18"s + "ftypheic\0\0\0\0mif1heic"s, "heif-convert"},
      {"\0\0\0\x1C"s + "ftypmif1\0\0\0\0mif1avif"s, "avifdec"},
      {"GIF89a", "a GIF"},
      {"\xFF\x0A" + std::string(20, 'x'), "djxl"},
      {"\0\0\0\x0CjP  \r\n\x87\n"s, "opj_decompress"},
      {"II*\0\x10\0\0\0CR\2\0"s, "raw"},
      {"<?xml version='1.0'?><svg/>", "rsvg-convert"},
      {"\0\0\0\x18"s + "ftypisom\0\0\0\0"s, "a video"}};
  for (const auto& [bytes, text] : cases)
    EXPECT_THAT(error_of([&] { decode_image(bytes, "photo.jpg"); }),
                AllOf(HasSubstr("photo.jpg: is a"), HasSubstr(text), HasSubstr("expected JPEG")));
}

}  // namespace
}  // namespace torsor
