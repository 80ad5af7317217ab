// What is listed, left out and refused in a folder of images.
#include "data/folder_listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "core/error.h"
#include "data/folder_source.h"
#include "data/image_notes.h"
#include "image/codec.h"
#include "test_support.h"

namespace torsor {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Folder : public ::testing::Test {
 protected:
  void put(const std::string& name, const std::string& content) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }

  static std::string encoded(const std::string& extension, std::int64_t channels = 3) {
    return encode_image(extension, Image::blank(8, 6, channels));
  }

  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const fs::path& path : list_folder(folder_).images)
      out.push_back(path.lexically_relative(folder_).string());
    return out;
  }

  std::string left_out() const { return describe_left_out(list_folder(folder_).left_out, folder_); }

  testing::TestFolder holder_;
  const fs::path folder_ = holder_.path;
};

class Collected : public LogSink {
 public:
  void notice(const std::string& line) override { notices.push_back(line); }
  void warning(const std::string& line) override { warnings.push_back(line); }
  std::vector<std::string> notices, warnings;
};

TEST_F(Folder, HoldsEveryFormatUnderItsNames) {
  for (const char* name : {"a.jpg", "b.JFIF", "c.jpe", "d.TIF", "e.pnm", "sub/f.PNG"})
    put(name, encoded("jpg"));
  put(".hidden.jpg", encoded("jpg"));
  put(".thumbs/g.jpg", encoded("jpg"));
  put("notes.txt", "BMW and other makes");
  EXPECT_THAT(names(), ElementsAre("a.jpg", "b.JFIF", "c.jpe", "d.TIF", "e.pnm", "sub/f.PNG"));
  EXPECT_EQ(left_out(), "");
}

TEST_F(Folder, TellsFilesWithoutExtensionByTheirContent) {
  put("DSC0001", encoded("jpg"));
  put("scan", encoded("tif"));
  put("README", "text\n");
  put("empty", "");
  put("bitmap", "BM is a word that begins a text, too\n");
  put("phone", "\0\0\0\x18"s + "ftypheic");
  EXPECT_THAT(names(), ElementsAre("DSC0001", "scan"));
  EXPECT_EQ(left_out(), "1 file left out: phone; convert phone with heif-convert (Debian: libheif-examples)");
}

TEST_F(Folder, NamesWhatItLeavesOut) {
  put("a.jpg", encoded("jpg"));
  put("b.avif", "");
  put("c.HEIC", "");
  put("sub/d.gif", "");
  put("sub/e.gif", "");
  put("old.jpg.bak", encoded("jpg"));
  EXPECT_THAT(left_out(),
              AllOf(HasSubstr("5 files left out: b.avif, c.HEIC, old.jpg.bak, sub/d.gif, sub/e.gif; "),
                    HasSubstr("convert .avif with avifdec (Debian: libavif-bin)"),
                    HasSubstr("convert .heic with heif-convert"),
                    HasSubstr("rename old.jpg.bak so that it ends in .jpg"), HasSubstr("convert .gif with")));
  for (int i = 0; i < 10; ++i) put("z" + std::to_string(i) + ".cr2", "");
  EXPECT_THAT(left_out(), AllOf(HasSubstr("15 files left out"), HasSubstr(" and 10 more; ")));
}

TEST_F(Folder, OfOtherImagesAloneSaysSo) {
  put("c.HEIC", "");
  EXPECT_THAT(error_of([&] { FolderSource(folder_, 0); }),
              AllOf(HasSubstr("holds no image"), HasSubstr("1 file left out: c.HEIC; convert .heic with")));
}

TEST_F(Folder, FollowsLinksButNotInCircles) {
  testing::TestFolder other;
  std::ofstream(other.path / "far.jpg") << encoded("jpg");
  put("sub/a.jpg", encoded("jpg"));
  fs::create_directory_symlink(other.path, folder_ / "other");
  EXPECT_THAT(names(), ElementsAre("other/far.jpg", "sub/a.jpg"));
  EXPECT_THAT(list_folder(folder_).bad, IsEmpty());
  fs::create_directory_symlink(folder_, folder_ / "sub/parent");
  fs::create_symlink("self", folder_ / "self");
  fs::create_symlink("nowhere", folder_ / "gone.jpg");
  fs::create_symlink("nowhere", folder_ / "gone.txt");
  EXPECT_THAT(names(), ElementsAre("other/far.jpg", "sub/a.jpg"));
  EXPECT_THAT(
      list_folder(folder_).bad,
      ElementsAre(HasSubstr("gone.jpg: is a link that leads nowhere"), HasSubstr("self: is a link to itself"),
                  AllOf(HasSubstr("sub/parent: is a link back to"), HasSubstr("which contains it"))));
}

TEST_F(Folder, NamesWhatIsNoFile) {
  put("a.jpg", encoded("jpg"));
  ASSERT_EQ(::mkfifo((folder_ / "pipe.jpg").c_str(), 0600), 0);
  EXPECT_THAT(list_folder(folder_).bad, ElementsAre(HasSubstr("pipe.jpg: is no file")));
}

TEST_F(Folder, WithABadEntryIsRefusedOrGoesOn) {
  put("a.jpg", encoded("jpg"));
  fs::create_symlink("self", folder_ / "self");
  EXPECT_THAT(
      error_of([&] { FolderSource(folder_, 0); }),
      AllOf(HasSubstr("1 entry of"), HasSubstr("self: is a link to itself"), HasSubstr("--skip-bad")));
  const FolderSource source(folder_, 0, BadFiles::skip);
  EXPECT_EQ(source.size(), 1);
  EXPECT_THAT(source.skipped(), ElementsAre(HasSubstr("self: is a link to itself")));
}

TEST_F(Folder, SumsUpTheNotesOfItsImages) {
  const std::string jpeg = encoded("jpg");
  put("a.jpg", jpeg + "more");
  put("b.jpg", jpeg + "and more");
  put("c.jpg", jpeg.substr(0, jpeg.size() - 2));
  put("d.jpg", jpeg);
  FolderSource source(folder_, 0);
  Collected log;
  source.verify(BadFiles::refuse, log, {});
  const std::string where = source.folder().string() + ": ";
  EXPECT_THAT(log.notices,
              ElementsAre(where + "2 of 4 images: 4 bytes behind the picture are not read (the first: a.jpg)",
                          where + "c.jpg: the end mark is missing"));
  EXPECT_THAT(log.warnings, IsEmpty());
}

TEST(Notes, OfManyKindsAreCut) {
  ImageNotes notes;
  for (char kind = 'a'; kind < 'a' + 14; ++kind) notes.add("x.jpg", {std::string(1, kind)});
  ASSERT_EQ(notes.lines().size(), 11u);
  EXPECT_EQ(notes.lines().back(), "4 more kinds of notes on these images");
}

}  // namespace
}  // namespace torsor
