// Every stored file decodes to the pixels it was made from, and what is written is read back.
#include <thread>

#include "image/test_pictures.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Fixture : public ::testing::TestWithParam<fs::path> {};

// Lossy files are compared with Pillow's pixels, whose inverse transforms may round otherwise.
double tolerance(const fs::path& path) {
  const std::string name = path.filename().string();
  const bool is_lossy = path.extension() == ".jpg" || name == "lossy.webp" || name == "jpeg_inside.tif";
  return is_lossy ? 2 : name == "cmyk8.tif" ? 1 : 0;
}

TEST_P(Fixture, DecodesToTheStoredPixels) {
  const Image image = read_image(GetParam());
  const Image expected = read_raw(GetParam().string() + ".raw");
  EXPECT_EQ(shape(image), shape(expected));
  EXPECT_LE(largest_difference(image, expected), tolerance(GetParam()));
}

TEST_P(Fixture, InfoAgreesWithThePicture) {
  const ImageInfo info = read_image_info(GetParam());
  const Image image = read_image(GetParam());
  EXPECT_EQ(info.width, image.width);
  EXPECT_EQ(info.height, image.height);
  EXPECT_EQ(info.channels, image.channels);
  EXPECT_EQ(info.type, image.type);
  EXPECT_EQ(info.pages, GetParam().filename() == "two_pages.tif" ? 2 : 1);
}

std::string test_name(const ::testing::TestParamInfo<fs::path>& info) {
  std::string name = info.param.filename().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Stored, Fixture, ::testing::ValuesIn(fixtures("readable")), test_name);

TEST(Fixtures, AreThere) {
  EXPECT_GE(fixtures("readable").size(), 60u);
  EXPECT_GE(fixtures("refused").size(), 6u);
}

TEST(Exif, EveryOrientationGivesTheUprightPicture) {
  const Image upright = read_raw(kFixtures / "upright.raw");
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image image = read_image(kFixtures / fmt::format("exif{}.jpg", orientation));
    EXPECT_LE(largest_difference(image, upright), 12) << "orientation " << orientation;
  }
}

TEST(Exif, MalformedBlocksLeaveThePictureAsStored) {
  std::string bytes = read_file(kFixtures / "exif6.jpg");
  const std::size_t block = bytes.find("Exif") + 6;
  const Image stored = [&] {
    std::string without = bytes;
    without[block + 10] = 0x7F;  // another tag than the orientation
    return decode_image(without, "without");
  }();
  EXPECT_EQ(stored.width, 16);
  for (std::size_t at = block; at < block + 26; ++at) {
    std::string broken = bytes;
    broken[at] = '\xEE';
    const Image image = decode_image(broken, "broken");  // must not throw
    EXPECT_TRUE(image.width == 16 || image.width == 24) << at;
  }
  bytes[block] = 'X';
  EXPECT_TRUE(same(decode_image(bytes, "no byte order"), stored));
}

class RoundTrip : public TemporaryFolder {
 protected:
  Image read_back(const std::string& name, const Image& image) const {
    write_image(folder_ / name, image);
    return read_image(folder_ / name);
  }
};

TEST_F(RoundTrip, LosslessFormatsKeepEveryBit) {
  struct Case {
    std::string extension;
    std::vector<int> channels;
    std::vector<PixelType> types;
  };
  using enum PixelType;
  const std::vector<Case> cases = {{"png", {1, 2, 3, 4}, {u8, u16}},
                                   {"tif", {1, 2, 3, 4, 5, 9}, {u8, u16, f32}},
                                   {"tiff", {3}, {u8}},
                                   {"bmp", {3}, {u8}},
                                   {"ppm", {3}, {u8, u16}},
                                   {"pgm", {1}, {u8, u16}},
                                   {"npy", {1, 2, 3, 4, 7}, {u8, u16, f32}}};
  for (const Case& c : cases)
    for (const int channels : c.channels)
      for (const PixelType type : c.types)
        for (const auto& [width, height] : {std::pair{37, 23}, {1, 1}, {4, 200}}) {
          const Image image = smooth_picture(width, height, channels, type);
          const fs::path path = folder_ / ("picture." + c.extension);
          write_image(path, image);
          EXPECT_TRUE(same(read_image(path), image)) << path << " " << shape(image);
        }
}

TEST_F(RoundTrip, WebpQuality100KeepsEveryBit) {
  for (const int channels : {3, 4}) {
    const Image image = smooth_picture(37, 23, channels, PixelType::u8);
    write_image(folder_ / "a.webp", image, {.webp_quality = 100});
    EXPECT_TRUE(same(read_image(folder_ / "a.webp"), image)) << channels;
  }
}

TEST_F(RoundTrip, LossyFormatsStayNear) {
  for (const int channels : {1, 3}) {
    const Image image = smooth_picture(64, 48, channels, PixelType::u8);
    write_image(folder_ / "a.jpg", image);
    EXPECT_LE(largest_difference(read_image(folder_ / "a.jpg"), image), 8) << channels;
  }
  const Image image = smooth_picture(64, 48, 3, PixelType::u8);
  write_image(folder_ / "a.webp", image);
  EXPECT_LE(largest_difference(read_image(folder_ / "a.webp"), image), 12);
}

TEST_F(RoundTrip, QualityChangesTheSize) {
  const Image image = smooth_picture(200, 150, 3, PixelType::u8);
  write_image(folder_ / "low.JPG", image, {.jpeg_quality = 30});
  write_image(folder_ / "high.JPG", image, {.jpeg_quality = 98});
  EXPECT_LT(fs::file_size(folder_ / "low.JPG"), fs::file_size(folder_ / "high.JPG"));
}

TEST_F(RoundTrip, GreyBecomesRgbWhereTheFormatHasNoGrey) {
  const Image grey = smooth_picture(30, 20, 1, PixelType::u8);
  write_image(folder_ / "a.bmp", grey);
  write_image(folder_ / "a.webp", grey, {.webp_quality = 100});
  for (const char* name : {"a.bmp", "a.webp"}) {
    const Image image = read_image(folder_ / name);
    ASSERT_EQ(image.channels, 3) << name;
    for (std::int64_t i = 0; i < image.samples(); ++i) ASSERT_EQ(image.u8()[i], grey.u8()[i / 3]) << name;
  }
}

TEST_F(RoundTrip, LeavesNothingElseInTheFolder) {
  write_image(folder_ / "a.png", smooth_picture(5, 5, 3, PixelType::u8));
  write_image(folder_ / "a.png", smooth_picture(6, 5, 3, PixelType::u8));
  EXPECT_EQ(read_image_info(folder_ / "a.png").width, 6);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(RoundTrip, PngInMemoryIsAPngFile) {
  const Image image = smooth_picture(9, 7, 3, PixelType::u8);
  EXPECT_TRUE(same(decode_image(encode_image("png", image), "memory"), image));
}

TEST_F(RoundTrip, FormatIsToldByContentNotName) {
  const Image image = smooth_picture(9, 7, 3, PixelType::u8);
  write_file_atomically(folder_ / "really_a_png.jpg", encode_image("png", image));
  EXPECT_TRUE(same(read_image(folder_ / "really_a_png.jpg"), image));
}

TEST_F(RoundTrip, TiffKeepsWhatStandsForNoData) {
  Image heights = smooth_picture(9, 8, 1, PixelType::f32);
  EXPECT_FALSE(read_back("plain.tif", heights).no_data.has_value());
  for (const double none : {-9999.0, 0.0, -3.4028234663852886e+38}) {
    heights.no_data = none;
    const Image back = read_back("heights.tif", heights);
    EXPECT_EQ(back.no_data, heights.no_data);
    EXPECT_TRUE(same(back, heights));
  }
  heights.no_data = std::nan("");
  EXPECT_TRUE(std::isnan(read_back("nan.tif", heights).no_data.value()));
}

TEST_F(RoundTrip, TheLastOfFourChannelsMayBeData) {
  Image bands = smooth_picture(6, 5, 4, PixelType::u16);
  EXPECT_TRUE(read_back("alpha.tif", bands).has_alpha());
  bands.last = LastChannel::data;
  const Image back = read_back("bands.tif", bands);
  EXPECT_FALSE(back.has_alpha());
  EXPECT_TRUE(same(back, bands));
}

TEST_F(RoundTrip, RefusesWhatTheFormatCannotHold) {
  const auto refusal = [&](const char* name, std::int64_t channels, PixelType type) {
    const fs::path path = folder_ / name;
    const std::string message = error_of([&] { write_image(path, smooth_picture(4, 3, channels, type)); });
    EXPECT_FALSE(fs::exists(path));
    return message;
  };
  EXPECT_THAT(refusal("a.jpg", 4, PixelType::u8),
              AllOf(HasSubstr("a.jpg"), HasSubstr("PNG or WebP or TIFF")));
  EXPECT_THAT(refusal("a.jpg", 1, PixelType::u16), HasSubstr("PNG or TIFF or PPM/PGM or NPY"));
  EXPECT_THAT(refusal("a.png", 3, PixelType::f32), HasSubstr("write TIFF or NPY instead"));
  EXPECT_THAT(refusal("a.png", 5, PixelType::u8), HasSubstr("write TIFF or NPY instead"));
  EXPECT_THAT(refusal("a.webp", 2, PixelType::u8), HasSubstr("PNG or TIFF"));
  EXPECT_THAT(refusal("a.bmp", 4, PixelType::u8), HasSubstr("BMP cannot hold 8-bit images of 4 channels"));
  EXPECT_THAT(refusal("a.gif", 3, PixelType::u8), HasSubstr("expected one of jpg, jpeg, jpe"));
  EXPECT_THAT(refusal("a", 3, PixelType::u8), HasSubstr("names no image format"));
}

TEST_F(RoundTrip, RefusesImpossibleRequests) {
  const Image image = smooth_picture(4, 3, 3, PixelType::u8);
  EXPECT_THROW(write_image(folder_ / "a.jpg", image, {.jpeg_quality = 101}), UsageError);
  EXPECT_THROW(write_image(folder_ / "a.webp", image, {.webp_quality = -1}), UsageError);
  EXPECT_THROW(write_image(folder_ / "absent" / "a.png", image), Error);
  EXPECT_THROW(write_image(folder_ / "a.webp", Image::blank(16384, 1, 3)), Error);
  EXPECT_THROW(write_image(folder_ / "a.jpg", Image::blank(65501, 1, 1)), Error);
  EXPECT_THROW(write_image(folder_ / "a.png", Image{}), Error);
  Image torn = image;
  torn.bytes.pop_back();
  EXPECT_THROW(write_image(folder_ / "a.png", torn), Error);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST(Extensions, AreKnownInAnyCase) {
  EXPECT_THAT(image_extensions(), ::testing::UnorderedElementsAre(
                                      "jpg", "jpeg", "jpe", "jfif", "jif", "jfi", "mpo", "png", "apng", "bmp",
                                      "dib", "webp", "tif", "tiff", "btf", "ppm", "pgm", "pnm", "npy"));
  for (const char* name : {"a.jpg", "b/c.JPEG", "x.y.Png", "a.WebP", "a.TIF"})
    EXPECT_TRUE(has_image_extension(name));
  for (const char* name : {"a", "jpg", "a.jpg.txt", "a.gif", ".png", "a.jp"})
    EXPECT_FALSE(has_image_extension(name));
}

TEST(Threads, DecodeInParallelAsAlone) {
  const std::vector<fs::path> paths = fixtures("readable");
  std::vector<std::string> files;
  std::vector<Image> alone;
  for (const fs::path& path : paths) {
    files.push_back(read_file(path));
    alone.push_back(decode_image(files.back(), path.string()));
  }
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&, t] {
      for (std::size_t round = 0; round < 5; ++round)
        for (std::size_t i = 0; i < files.size(); ++i) {
          const std::size_t which = (i + 13 * t) % files.size();
          if (!same(decode_image(files[which], "thread"), alone[which])) ++wrong[t];
          try {
            decode_image(files[which].substr(0, files[which].size() / 2), "half");
          } catch (const Error&) {
          }
        }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, ::testing::Each(0));
}

}  // namespace
}  // namespace torsor
