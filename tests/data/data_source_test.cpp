// The kinds of source that --data may name: which one is meant, and the sets of images that each opens.
#include "data/data_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "test_support.h"

namespace torsor::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t kSide = 16;

std::vector<std::string> names_of(const std::shared_ptr<ImageSet>& set) {
  std::vector<std::string> out;
  if (set)
    for (std::int64_t i = 0; i < set->size(); ++i) out.push_back(set->name(i));
  return out;
}

class DataSources : public ::testing::Test {
 protected:
  void put(const std::string& name, int value = 0) const {
    Image image = Image::blank(2 * kSide, kSide, 1);
    std::fill(image.bytes.begin(), image.bytes.end(), static_cast<std::uint8_t>(value));
    fs::create_directories((folder_ / name).parent_path());
    write_image(folder_ / name, image);
  }

  // MNIST's files, of images that show their place and are labelled with it.
  void put_digits(const std::string& split, std::uint8_t count) const {
    std::string images{0, 0, 8, 3, 0, 0, 0, static_cast<char>(count), 0, 0, 0, 1, 0, 0, 0, 1};
    std::string labels{0, 0, 8, 1, 0, 0, 0, static_cast<char>(count)};
    for (std::uint8_t i = 0; i < count; ++i) {
      images += static_cast<char>(i);
      labels += static_cast<char>(i);
    }
    write_file_atomically(folder_ / (split + "-images-idx3-ubyte"), images);
    write_file_atomically(folder_ / (split + "-labels-idx1-ubyte"), labels);
  }

  DataRequest request(const std::string& data = "") const {
    DataRequest out;
    out.data = data.empty() ? folder_.path.string() : data;
    out.size = kSide;
    return out;
  }
  std::unique_ptr<DataSource> source(const std::string& data = "") const {
    return open_data_source(request(data));
  }

  const TestFolder folder_;
};

TEST_F(DataSources, AreRecognisedByWhatDataNames) {
  const auto name_of = [](const std::string& data) {
    for (const std::string& name : data_source_types().names())
      if (&data_source_types().at(name) == &data_source_type(data)) return name;
    return std::string();
  };
  EXPECT_EQ(name_of("generated:anything"), "generated");
  EXPECT_EQ(name_of(folder_.path.string()), "folder");
  EXPECT_EQ(name_of(""), "folder") << "of --a and --b";
  put_digits("train", 1);
  EXPECT_EQ(name_of(folder_.path.string()), "mnist");
  EXPECT_TRUE(is_drawn("generated:anything"));
  EXPECT_FALSE(is_drawn(folder_.path.string()));
}

TEST_F(DataSources, EachSaysInItsHelpWhatDataIs) {
  for (const std::string& name : data_source_types().names())
    EXPECT_FALSE(data_source_types().at(name).help.empty()) << name;
}

TEST_F(DataSources, OfAFolderAreItsDomainsOrPairsSideBySide) {
  put("trainA/1.png");
  put("trainA/2.png");
  put("trainB/1.bmp");
  put("testA/3.png");
  const auto folders = source();
  folders->require(Pairing::unpaired);
  folders->require(Pairing::aligned);
  EXPECT_THAT(names_of(folders->open(SetName::real_a, Split::train)), ElementsAre("1.png", "2.png"));
  EXPECT_THAT(names_of(folders->open(SetName::real_b, Split::train)), ElementsAre("1.bmp"));
  EXPECT_THAT(names_of(folders->open(SetName::real_a, Split::test)), ElementsAre("3.png"));
  EXPECT_EQ(folders->open(SetName::real_b, Split::test), nullptr);
  EXPECT_EQ(folders->open(SetName::paired_a, Split::test), nullptr) << "there is no testB";
  EXPECT_EQ(folders->open(SetName::pairs, Split::train), nullptr);
  EXPECT_EQ(folders->open(SetName::paired_a, Split::train)->pair_name(0),
            folders->open(SetName::paired_b, Split::train)->pair_name(0));
  EXPECT_TRUE(folders->has_named_images());
  EXPECT_EQ(folders->domain_name(Domain::b), folder_.path.filename().string() + "B");

  fs::remove_all(folder_ / "trainA");
  fs::remove_all(folder_ / "trainB");
  put("train/both.png");
  EXPECT_THAT(names_of(source()->open(SetName::pairs, Split::train)), ElementsAre("both.png"));
}

// Pairs are counted when they are known: a domain by itself is cut at once.
TEST_F(DataSources, OfAFolderAreCutUnlessTheyArePairedFirst) {
  put("trainA/1.png");
  put("trainA/2.png");
  put("trainB/2.png");
  DataRequest one = request();
  one.limit = 1;
  const auto folders = open_data_source(one);
  EXPECT_THAT(names_of(folders->open(SetName::real_a, Split::train)), ElementsAre("1.png"));
  EXPECT_THAT(names_of(folders->open(SetName::paired_a, Split::train)), ElementsAre("1.png", "2.png"));
}

TEST_F(DataSources, OfMnistsFilesAreOneSetForBothDomains) {
  put_digits("train", 3);
  const auto digits = source();
  const auto a = digits->open(SetName::real_a, Split::train), b = digits->open(SetName::real_b, Split::train);
  ASSERT_EQ(a->size(), 3);
  EXPECT_EQ(b->read(2).u8()[0], 2);
  EXPECT_EQ(a->identity(), b->identity());
  EXPECT_EQ(a->looked_at(), 3);
  EXPECT_EQ(digits->open(SetName::real_a, Split::test), nullptr);
  EXPECT_FALSE(digits->has_named_images());
  EXPECT_EQ(digits->domain_name(Domain::a), digits->domain_name(Domain::b));
  digits->require(Pairing::unpaired);
  EXPECT_THAT(error_of<UsageError>([&] { digits->require(Pairing::aligned); }),
              AllOf(HasSubstr("MNIST"), HasSubstr("--pairing unpaired")));
}

TEST_F(DataSources, OfLabelledImagesSayTheirClass) {
  put_digits("train", 4);
  EXPECT_EQ(source()->open_labelled(Split::train)->label(3), 3);
  EXPECT_THAT(error_of([&] { source()->open_labelled(Split::test); }), HasSubstr("t10k-images-idx3-ubyte"));
  const auto glyphs = source("generated:glyphs")->open_labelled(Split::train);
  EXPECT_EQ(glyphs->size(), 1000);
  EXPECT_LT(glyphs->label(0), 10);
  EXPECT_THAT(error_of([&] { source("generated:t1-flair")->open_labelled(Split::train); }),
              AllOf(HasSubstr("generated:t1-flair"), HasSubstr("train-images-idx3-ubyte")));
}

TEST_F(DataSources, OfGeneratedImagesHavePartnersByTheirPlace) {
  DataRequest five = request("generated:solid-striped");
  five.limit = 5;
  five.drawn_tests = 2;
  const auto drawn = open_data_source(five);
  const auto a = drawn->open(SetName::paired_a, Split::train),
             partners = drawn->open(SetName::paired_b, Split::train),
             b = drawn->open(SetName::real_b, Split::train);
  ASSERT_EQ(a->size(), 5);
  EXPECT_EQ(a->pair_name(4), partners->pair_name(4));
  EXPECT_NE(partners->read(4).bytes, b->read(4).bytes) << "B by itself is drawn independently";
  EXPECT_EQ(drawn->open(SetName::real_a, Split::test)->size(), 2);
  EXPECT_EQ(drawn->open(SetName::real_a, Split::test)->looked_at(), 0);
  EXPECT_THAT(a->files(), IsEmpty());
  EXPECT_EQ(drawn->domain_name(Domain::a), "solid");
}

TEST_F(DataSources, SetsCanBeChosenFrom) {
  DataRequest five = request("generated:glyphs");
  five.limit = 5;
  const auto all = open_data_source(five)->open(SetName::real_a, Split::train), some = all->copy();
  some->keep({4, 1});
  ASSERT_EQ(some->size(), 2);
  EXPECT_EQ(all->size(), 5);
  EXPECT_EQ(some->name(0), all->name(4));
  EXPECT_EQ(some->read(1).bytes, all->read(1).bytes);
  EXPECT_EQ(some->pair_name(0), all->pair_name(4));
  EXPECT_EQ(some->looked_at(), 2);
  some->keep({1});
  EXPECT_EQ(some->name(0), all->name(1));
}

}  // namespace
}  // namespace torsor::testing
