// Pairs: halves of an image, partners by name, one crop and one flip for both.
#include "data/aligned.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "data/folder_source.h"
#include "data/generated.h"
#include "data/loader.h"
#include "data/partners.h"
#include "image/codec.h"
#include "test_support.h"

namespace torsor {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Every pixel says where it lies, and the last channel whose it is: red = x, green = y, blue = mark.
Image place_image(std::int64_t width, std::int64_t height, std::uint8_t mark, std::int64_t first_x = 0) {
  Image image = Image::blank(width, height, 3);
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      std::uint8_t* pixel = image.u8() + 3 * (y * width + x);
      pixel[0] = static_cast<std::uint8_t>(first_x + x);
      pixel[1] = static_cast<std::uint8_t>(y);
      pixel[2] = mark;
    }
  return image;
}

/// Images that are at hand, named <prefix>0.png, ...
class ImagesAtHand : public ImageSource {
 public:
  ImagesAtHand(std::string prefix, std::vector<Image> images)
      : prefix_(std::move(prefix)), images_(std::move(images)) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(images_.size()); }
  Image read(std::int64_t index) const override { return images_.at(static_cast<std::size_t>(index)); }
  std::string name(std::int64_t index) const override { return prefix_ + std::to_string(index) + ".png"; }

 private:
  std::string prefix_;
  std::vector<Image> images_;
};

TransformOptions pair_transform(const std::string& preprocess, std::int64_t load, std::int64_t crop) {
  TransformOptions out;
  out.preprocess = preprocess;
  out.load_size = load;
  out.crop_size = crop;
  return out;
}

AlignedDataset dataset_of(Image a, Image b, const TransformOptions& transform, std::int64_t channels_b = 3) {
  const auto source = [](const std::string& prefix, Image image) {
    return std::make_shared<ImagesAtHand>(prefix, std::vector<Image>{std::move(image)});
  };
  return {std::make_shared<InStep>(source("a", std::move(a)), source("b", std::move(b))), transform, 3,
          channels_b, std::make_shared<NullLog>()};
}

/// Stored samples again: [C,H,W] of 0 to 255.
at::Tensor samples_of(const at::Tensor& values) { return ((values * 0.5 + 0.5) * 255).round(); }

double sample(const at::Tensor& chw, std::int64_t channel, std::int64_t y, std::int64_t x) {
  return chw[channel][y][x].item<double>();
}

// --- halves ---

TEST(Halves, OfAnEvenWidthAreEqual) {
  const StoredPair pair = halves_of(place_image(6, 2, 9), "x.png");
  EXPECT_EQ(pair.a.bytes, place_image(3, 2, 9).bytes);
  EXPECT_EQ(pair.b.bytes, place_image(3, 2, 9, 3).bytes);
}

TEST(Halves, OfAnOddWidthGiveBOneColumnMore) {
  const StoredPair pair = halves_of(place_image(7, 3, 9), "x.png");
  EXPECT_EQ(pair.a.width, 3);
  EXPECT_EQ(pair.b.width, 4);
  EXPECT_EQ(pair.a.bytes, place_image(3, 3, 9).bytes);
  EXPECT_EQ(pair.b.bytes, place_image(4, 3, 9, 3).bytes);
}

TEST(Halves, KeepWhateverIsStored) {
  Image deep = Image::blank(4, 1, 2, PixelType::u16);
  for (int i = 0; i < 8; ++i) deep.u16()[i] = static_cast<std::uint16_t>(1000 * i);
  const StoredPair pair = halves_of(deep, "x.tif");
  EXPECT_EQ(pair.b.type, PixelType::u16);
  EXPECT_EQ(pair.b.channels, 2);
  EXPECT_EQ(pair.a.u16()[3], 3000);
  EXPECT_EQ(pair.b.u16()[0], 4000);
  EXPECT_EQ(pair.b.u16()[3], 7000);
}

TEST(Halves, NeedTwoColumns) {
  const std::string error = error_of([] { halves_of(place_image(1, 5, 0), "thin.png"); });
  EXPECT_THAT(error, AllOf(HasSubstr("thin.png"), HasSubstr("1x5"), HasSubstr("too narrow")));
}

// --- the dataset ---

TEST(Aligned, SharesOneCropAndOneFlip) {
  constexpr std::int64_t kSide = 8;
  const AlignedDataset set =
      dataset_of(place_image(20, 14, 10), place_image(20, 14, 200), pair_transform("crop", 20, kSide));
  std::set<std::pair<double, double>> corners;
  int mirrored = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    const Batch item = set.get(0, rng);
    const at::Tensor a = samples_of(item.at("real_a")), b = samples_of(item.at("real_b"));
    ASSERT_EQ(a.sizes(), (std::vector<std::int64_t>{3, kSide, kSide}));
    ASSERT_TRUE(a.slice(0, 0, 2).equal(b.slice(0, 0, 2))) << "seed " << seed;
    EXPECT_EQ(sample(a, 2, 0, 0), 10);
    EXPECT_EQ(sample(b, 2, 0, 0), 200);
    const double step = sample(a, 0, 0, 1) - sample(a, 0, 0, 0);
    ASSERT_EQ(std::abs(step), 1);
    mirrored += step < 0;
    corners.insert({std::min(sample(a, 0, 0, 0), sample(a, 0, 0, kSide - 1)), sample(a, 1, 0, 0)});
  }
  EXPECT_GT(mirrored, 70);
  EXPECT_LT(mirrored, 130);
  EXPECT_GT(corners.size(), 60u) << "of 13 x 7 places";
  EXPECT_EQ(corners.begin()->first, 0);
  EXPECT_EQ(corners.rbegin()->first, 12);
}

TEST(Aligned, DrawsNothingThatTheOptionsLeaveOut) {
  TransformOptions still = pair_transform("none", 8, 8);
  still.flip = false;
  const AlignedDataset set = dataset_of(place_image(12, 8, 1), place_image(12, 8, 2), still);
  Rng rng(3), untouched(3);
  const Batch item = set.get(0, rng);
  EXPECT_EQ(rng.state(), untouched.state());
  EXPECT_EQ(sample(samples_of(item.at("real_a")), 0, 5, 11), 11);
}

TEST(Aligned, IsEachDomainsOwnTransformAtTheSameDraws) {
  // A single domain that draws from an equal stream gives the same picture.
  const TransformOptions transform = pair_transform("resize_and_crop", 24, 16);
  const Image a = place_image(30, 20, 50), b = place_image(30, 20, 90);
  const AlignedDataset set = dataset_of(a, b, transform, 1);
  const DomainReader alone(std::make_shared<ImagesAtHand>("b", std::vector<Image>{b}), transform, 1,
                           std::make_shared<NullLog>());
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Rng rng(seed), same(seed);
    const Batch item = set.get(0, rng);
    EXPECT_EQ(item.at("real_b").size(0), 1) << "grey by the half's own channels";
    EXPECT_TRUE(item.at("real_b").equal(alone.read(0, same)));
    EXPECT_EQ(rng.state(), same.state());
  }
}

TEST(Aligned, NamesBothFiles) {
  const AlignedDataset set =
      dataset_of(place_image(8, 8, 1), place_image(8, 8, 2), pair_transform("crop", 8, 8));
  Rng rng(0);
  const Batch item = set.get(0, rng);
  EXPECT_THAT(item.names.at("real_a"), ElementsAre("a0.png"));
  EXPECT_THAT(item.names.at("real_b"), ElementsAre("b0.png"));
}

TEST(Aligned, MakesSizesEqualOnlyByResizingBothSides) {
  const Image a = place_image(20, 16, 1), b = place_image(30, 16, 2);
  Rng rng(0);
  const AlignedDataset resized = dataset_of(a, b, pair_transform("resize_and_crop", 12, 8));
  EXPECT_EQ(resized.get(0, rng).at("real_b").sizes(), (std::vector<std::int64_t>{3, 8, 8}));
  for (const char* preprocess : {"crop", "scale_width", "scale_width_and_crop", "none"}) {
    const AlignedDataset set = dataset_of(a, b, pair_transform(preprocess, 12, 4));
    const std::string error = error_of([&] { set.get(0, rng); });
    EXPECT_THAT(error,
                AllOf(HasSubstr("a0.png is 20x16"), HasSubstr("b0.png 30x16"),
                      HasSubstr(std::string("--preprocess ") + preprocess), HasSubstr("resize_and_crop")));
  }
}

TEST(Aligned, TakesTheOneColumnMoreOfAnOddWidthWhereItCrops) {
  const Image whole = place_image(25, 10, 3);
  const auto source = std::make_shared<ImagesAtHand>("ab", std::vector<Image>{whole});
  const auto set = [&](const std::string& preprocess, std::int64_t crop) {
    return AlignedDataset(std::make_shared<SideBySide>(source), pair_transform(preprocess, 12, crop), 3, 3,
                          std::make_shared<NullLog>());
  };
  const AlignedDataset cropped = set("crop", 10);
  std::set<double> lefts;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Rng rng(seed);
    const Batch item = cropped.get(0, rng);
    const at::Tensor a = samples_of(item.at("real_a")), b = samples_of(item.at("real_b"));
    EXPECT_TRUE((a[0] + 12).equal(b[0])) << "column x of A lies on column x of B";
    lefts.insert(a[0].min().item<double>());
  }
  EXPECT_THAT(lefts, ElementsAre(0, 1, 2)) << "where a crop of 10 has room in A's 12 columns";
  Rng rng(0);
  EXPECT_THAT(error_of([&] { set("scale_width", 2).get(0, rng); }), HasSubstr("12x10"));
}

TEST(Aligned, RefusesAPairSmallerThanTheCrop) {
  const AlignedDataset set =
      dataset_of(place_image(8, 8, 1), place_image(8, 8, 2), pair_transform("crop", 8, 9));
  Rng rng(0);
  EXPECT_THAT(error_of([&] { set.get(0, rng); }), AllOf(HasSubstr("a0.png"), HasSubstr("--crop-size 9")));
}

TEST(Aligned, DependsOnSeedEpochAndIndexAlone) {
  std::vector<Image> wholes;
  for (std::uint8_t i = 0; i < 5; ++i) wholes.push_back(place_image(40, 18, i));
  const auto set = std::make_shared<AlignedDataset>(
      std::make_shared<SideBySide>(std::make_shared<ImagesAtHand>("ab", wholes)),
      pair_transform("crop", 18, 9), 3, 3, std::make_shared<NullLog>());
  const auto stream = [&](std::int64_t threads, std::uint64_t seed) {
    Loader loader(set, {2, threads, true, seed, 0});
    std::vector<at::Tensor> out;
    for (int i = 0; i < 9; ++i) {
      const Batch batch = loader.next();
      EXPECT_TRUE((batch.at("real_a").select(1, 2)).equal(batch.at("real_b").select(1, 2))) << "partners";
      out.push_back(at::cat({batch.at("real_a").flatten(), batch.at("real_b").flatten()}));
    }
    return at::cat(out);
  };
  const at::Tensor first = stream(0, 1);
  EXPECT_TRUE(first.equal(stream(0, 1)));
  EXPECT_TRUE(first.equal(stream(3, 1)));
  EXPECT_FALSE(first.equal(stream(0, 2)));
  const auto epoch = first.numel() / 3;
  EXPECT_FALSE(first.narrow(0, 0, epoch).equal(first.narrow(0, epoch, epoch))) << "drawn anew in each epoch";
}

TEST(Aligned, NeedsSourcesThatAreAsMany) {
  const auto one = std::make_shared<ImagesAtHand>("a", std::vector<Image>{place_image(4, 4, 0)});
  const auto none = std::make_shared<ImagesAtHand>("b", std::vector<Image>{});
  EXPECT_THROW(InStep(one, none), std::logic_error);
}

// --- partners by name ---

class PartnerLog : public LogSink {
 public:
  void notice(const std::string&) override {}
  void warning(const std::string& line) override { warnings.push_back(line); }
  std::vector<std::string> warnings;
};

class Partners : public ::testing::Test {
 protected:
  void put(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      fs::create_directories((holder_ / name).parent_path());
      std::ofstream(holder_ / name, std::ios::binary) << encode_image("png", Image::blank(4, 4, 3));
    }
  }

  void pair(BadFiles policy = BadFiles::refuse, std::int64_t limit = 0) {
    FolderSource a(holder_ / "a", 0), b(holder_ / "b", 0);
    keep_partners(a, b, limit, policy, log_);
    names_a_ = names_of(a);
    names_b_ = names_of(b);
  }

  static std::vector<std::string> names_of(const FolderSource& source) {
    std::vector<std::string> out;
    for (std::int64_t i = 0; i < source.size(); ++i) out.push_back(source.name(i));
    return out;
  }

  testing::TestFolder holder_;
  PartnerLog log_;
  std::vector<std::string> names_a_, names_b_;
};

TEST_F(Partners, HaveOneNameWhateverTheExtensionInTheSameSubFolder) {
  put({"a/x-1.png", "a/x.png", "a/sub/x.png", "a/v1.5.png"});
  put({"b/x-1.jpg", "b/x.bmp", "b/sub/x.JPG", "b/v1.5.jpeg"});
  pair();
  EXPECT_THAT(names_a_, ElementsAre("sub/x.png", "v1.5.png", "x-1.png", "x.png"));
  EXPECT_THAT(names_b_, ElementsAre("sub/x.JPG", "v1.5.jpeg", "x-1.jpg", "x.bmp"));
  EXPECT_THAT(log_.warnings, IsEmpty());
}

TEST_F(Partners, FollowAsOrderWhereBsDiffers) {
  put({"a/x.png", "a/x-1.png", "b/x", "b/x-1.png"});  // "x" sorts first, "x.png" last
  pair();
  EXPECT_THAT(names_a_, ElementsAre("x-1.png", "x.png"));
  EXPECT_THAT(names_b_, ElementsAre("x-1.png", "x"));
}

TEST_F(Partners, ThatAreMissingAreNamedOnBothSides) {
  put({"a/both.png", "a/only-a.png", "a/sub/both.png", "b/both.png", "b/only-b.png"});
  const std::string error = error_of([&] { pair(); });
  EXPECT_THAT(error, AllOf(HasSubstr("2 of 3 images in " + (holder_ / "a").string()),
                           HasSubstr("have no partner in " + (holder_ / "b").string()),
                           HasSubstr("only-a.png"), HasSubstr("sub/both.png")));
  EXPECT_THAT(error, AllOf(HasSubstr("1 of 2 images in " + (holder_ / "b").string() + " has no partner"),
                           HasSubstr("only-b.png"), HasSubstr("same name"), HasSubstr("--skip-bad")));
}

TEST_F(Partners, ThatAreMissingMayBeSkippedWithAWarning) {
  put({"a/both.png", "a/only-a.png", "b/both.png", "b/only-b.png"});
  pair(BadFiles::skip);
  EXPECT_THAT(names_a_, ElementsAre("both.png"));
  EXPECT_THAT(names_b_, ElementsAre("both.png"));
  EXPECT_THAT(log_.warnings, ElementsAre(AllOf(HasSubstr("left out"), HasSubstr("only-a.png")),
                                         AllOf(HasSubstr("left out"), HasSubstr("only-b.png"))));
}

TEST_F(Partners, AreNamedOnlyInPartWhenMany) {
  for (int i = 0; i < 9; ++i) put({"a/" + std::to_string(i) + ".png"});
  put({"b/0.png"});
  const std::string error = error_of([&] { pair(); });
  EXPECT_THAT(error, AllOf(HasSubstr("8 of 9 images"), HasSubstr("1.png, 2.png, 3.png, 4.png, 5.png, ...)"),
                           Not(HasSubstr("6.png"))));
}

TEST_F(Partners, AreNeededBySomeImage) {
  put({"a/1_a.png", "b/1_b.png"});
  for (const BadFiles policy : {BadFiles::refuse, BadFiles::skip})
    EXPECT_THAT(error_of([&] { pair(policy); }),
                AllOf(HasSubstr("no image in"), HasSubstr("1_a.png and 1_b.png"), HasSubstr("same name")));
}

TEST_F(Partners, AreNotGuessedAmongTwo) {
  put({"a/x.png", "b/x.jpg", "b/x.png"});
  EXPECT_THAT(
      error_of([&] { pair(BadFiles::skip); }),
      AllOf(HasSubstr((holder_ / "b").string()), HasSubstr("x.jpg and x.png"), HasSubstr("keep one")));
}

TEST_F(Partners, AreLimitedTogether) {
  put({"a/1.png", "a/2.png", "a/3.png", "b/1.png", "b/2.png", "b/3.png"});
  pair(BadFiles::refuse, 2);
  EXPECT_THAT(names_a_, ElementsAre("1.png", "2.png"));
  EXPECT_THAT(names_b_, ElementsAre("1.png", "2.png"));
}

// --- drawn pairs ---

TEST(GeneratedPartners, AreTheRightTranslationsOfA) {
  constexpr std::int64_t kSide = 32;
  const auto scenes = make_generated_partners("solid-striped", Split::train, 7, 3, kSide);
  const SceneTruth truth = generated_truth("solid-striped", Domain::a, Split::train, 7, 2);
  EXPECT_EQ(scenes->read(2).bytes, render_scene("solid-striped", Domain::b, truth, kSide).bytes);
  EXPECT_EQ(scenes->name(2), "b_train_00002.png");
  // Of a slice, the same tissue: where A is black around the brain, B is.
  const auto slices = make_generated_source("t1-flair", Domain::a, Split::train, 7, 3, kSide);
  const auto partners = make_generated_partners("t1-flair", Split::train, 7, 3, kSide);
  const auto others = make_generated_source("t1-flair", Domain::b, Split::train, 7, 3, kSide);
  const auto apart = [](const Image& x, const Image& y) {
    int pixels = 0;
    for (std::size_t i = 0; i < x.bytes.size(); ++i) pixels += (x.bytes[i] == 0) != (y.bytes[i] == 0);
    return pixels;
  };
  for (std::int64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(apart(slices->read(i), partners->read(i)), 0);
    EXPECT_GT(apart(slices->read(i), others->read(i)), 10);
  }
}

TEST(GeneratedPartners, AreThereOnlyWhereTheTaskKnowsThem) {
  const auto glyphs = [] { make_generated_partners("glyphs", Split::train, 0, 3, 32); };
  EXPECT_THAT(error_of<UsageError>(glyphs),
              AllOf(HasSubstr("generated:glyphs"), HasSubstr("--pairing unpaired"),
                    HasSubstr("generated:solid-striped")));
  const auto unknown = [] { make_generated_partners("solid-stripe", Split::train, 0, 3, 32); };
  EXPECT_THAT(error_of<UsageError>(unknown), HasSubstr("did you mean 'solid-striped'"));
}

}  // namespace
}  // namespace torsor
