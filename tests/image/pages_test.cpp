// Files of several pages, and images in memory.
#include "image/test_pictures.h"

namespace torsor {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PagesOfTiffs : public TemporaryFolder {
 protected:
  const fs::path path_ = folder_ / "stack.tif";
};

std::vector<Image> five_pages() {
  using enum PixelType;
  return {smooth_picture(20, 10, 3, u8), smooth_picture(7, 30, 1, u8), smooth_picture(20, 10, 1, u16),
          smooth_picture(9, 9, 3, f32), smooth_picture(12, 5, 4, u8)};
}

TEST_F(PagesOfTiffs, ComeBackAsWritten) {
  const std::vector<Image> pages = five_pages();
  write_image_pages(path_, pages);
  ImageFile file(path_);
  ASSERT_EQ(file.pages(), 5);
  for (const std::int64_t page : {4, 0, 2, 1, 3})  // in any order
    EXPECT_TRUE(same(file.read(page), pages[static_cast<std::size_t>(page)])) << page;
  EXPECT_THAT(file.notes(), IsEmpty());
  EXPECT_EQ(read_image_info(path_).pages, 5);
}

TEST_F(PagesOfTiffs, OfWhichOneIsReadAreNoted) {
  write_image_pages(path_, five_pages());
  Notes notes;
  EXPECT_TRUE(same(read_image(path_, notes), five_pages().front()));
  EXPECT_THAT(notes, ::testing::ElementsAre("5 pages, of which the first alone is read"));
}

TEST_F(PagesOfTiffs, LeaveThumbnailsOut) {
  ImageFile file(kFixtures / "thumbnail_first.tif");
  ASSERT_EQ(file.pages(), 1);
  EXPECT_TRUE(same(file.read(0), read_image(kFixtures / "thumbnail_first.tif")));
}

TEST_F(PagesOfTiffs, BehindABrokenChainAreALoss) {
  write_image_pages(path_, five_pages());
  const std::string whole = read_file(path_);
  // Directories lie behind their pixels, so that this cut takes the last page.
  const std::string cut = whole.substr(0, whole.size() - 40);
  EXPECT_THAT(error_of([&] { ImageFile(cut, "cut.tif"); }), HasSubstr("cut.tif: damaged or truncated TIFF"));
  Notes notes;
  EXPECT_TRUE(same(decode_image(cut, "cut.tif", notes), five_pages().front()));
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_THAT(notes[0], HasSubstr("pages behind the first cannot be read"));
}

TEST_F(PagesOfTiffs, AreNamedWhenDamaged) {
  write_image_pages(path_,
                    {smooth_picture(30, 30, 3, PixelType::u8), smooth_picture(31, 30, 3, PixelType::u8)});
  std::string bytes = read_file(path_);
  const std::size_t second = bytes.find("\x78\x9C", bytes.find("\x78\x9C", 0) + 2);  // deflate begins so
  ASSERT_NE(second, std::string::npos);
  bytes.replace(second, 4, "\1\2\3\4");
  ImageFile file(bytes, "stack.tif");
  EXPECT_TRUE(same(file.read(0), smooth_picture(30, 30, 3, PixelType::u8)));
  EXPECT_THAT(error_of([&] { file.read(1); }), HasSubstr("stack.tif (page 2): damaged"));
}

TEST_F(PagesOfTiffs, CannotGoIntoOtherFormats) {
  const std::string message = error_of([&] { write_image_pages(folder_ / "a.png", five_pages()); });
  EXPECT_THAT(message, HasSubstr("PNG holds one picture, not 5 pages; write TIFF"));
  write_image_pages(folder_ / "a.png", {smooth_picture(5, 4, 3, PixelType::u8)});
  ImageFile file(folder_ / "a.png");
  EXPECT_EQ(file.pages(), 1);
  EXPECT_TRUE(same(file.read(0), smooth_picture(5, 4, 3, PixelType::u8)));
}

TEST_F(PagesOfTiffs, AreWrittenAllOrNotAtAll) {
  PageWriter writer(path_, 3);
  writer.add(smooth_picture(5, 4, 3, PixelType::u8));
  writer.add(smooth_picture(5, 4, 3, PixelType::u8));
  EXPECT_THAT(error_of([&] { writer.finish(); }), HasSubstr("2 of 3 pages"));
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(PagesOfTiffs, AreChannelsOfOneImage) {
  const Image grey = smooth_picture(7, 5, 1, PixelType::u16),
              colours = smooth_picture(7, 5, 3, PixelType::u16);
  write_image_pages(folder_ / "x.tif", {grey, colours});
  ImageFile file(folder_ / "x.tif", PageUse::channels);
  EXPECT_EQ(file.pages(), 1);
  EXPECT_EQ(file.pages_stored(), 2);
  const Image image = file.read(0);
  ASSERT_EQ(image.channels, 4);
  EXPECT_FALSE(image.has_alpha());
  for (std::int64_t p = 0; p < 35; ++p) {
    EXPECT_EQ(image.u16()[4 * p], grey.u16()[p]);
    for (std::int64_t c = 0; c < 3; ++c) EXPECT_EQ(image.u16()[4 * p + 1 + c], colours.u16()[3 * p + c]);
  }
  write_image_pages(folder_ / "y.tif", {grey, smooth_picture(7, 6, 1, PixelType::u16)});
  EXPECT_THAT(error_of([&] { ImageFile(folder_ / "y.tif", PageUse::channels).read(0); }),
              HasSubstr("page 2 is 7x6 pixels"));
  EXPECT_EQ(ImageFile(folder_ / "y.tif", PageUse::slices).pages(), 2);
}

TEST(Memory, IsWrittenInEveryFormat) {
  const Image image = smooth_picture(16, 12, 3, PixelType::u8);
  for (const std::string& extension : image_extensions()) {
    const std::string bytes = encode_image(extension, image);
    EXPECT_LE(largest_difference(decode_image(bytes, extension), image), 30) << extension;
    EXPECT_TRUE(has_image_extension("x." + image_extension_of(bytes.substr(0, 64)))) << extension;
  }
  EXPECT_THAT(error_of([&] { encode_image("heic", image); }), HasSubstr("names no image format"));
  EXPECT_EQ(image_extension_of("GIF89a"), "");
}

}  // namespace
}  // namespace torsor
