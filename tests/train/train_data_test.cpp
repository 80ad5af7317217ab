// What a training run opens: the layouts of pairs and of unpaired domains, and what is refused.
#include "train/train_data.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/generated.h"
#include "image/codec.h"
#include "train/train_test_support.h"

namespace torsor::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::int64_t kImageSide = 20;

/// Grey images of one value each, which tells them apart; those of B are brighter by 100.
class OpenData : public ::testing::Test {
 protected:
  void put(const std::string& name, int value, std::int64_t width = kImageSide) const {
    write(name, flat(width, value));
  }
  /// A pair side by side.
  void put_pair(const std::string& name, int value, std::int64_t width = 2 * kImageSide) const {
    Image image = flat(width, value);
    for (std::int64_t y = 0; y < image.height; ++y)
      for (std::int64_t x = width / 2; x < width; ++x)
        image.u8()[y * width + x] = static_cast<std::uint8_t>(value + 100);
    write(name, image);
  }
  void put_pairs_by_name(const std::string& split, int first, int count) const {
    for (int i = 0; i < count; ++i) {
      put(split + "A/" + std::to_string(i) + ".png", first + i);
      put(split + "B/" + std::to_string(i) + ".bmp", first + i + 100);
    }
  }

  TrainConfig config(const std::string& pairing = "aligned") const {
    TrainConfig out = tiny_config(folder_ / "run");
    out.data.data = folder_.path.string();
    out.data.pairing = pairing;
    out.data.max_dataset_size = 0;
    out.data.channels_a = out.data.channels_b = 1;
    return out;
  }

  TrainData open(const TrainConfig& config) const { return open_data(config, log_); }

  template <class ErrorType = Error>
  std::string refusal(const TrainConfig& config) const {
    return error_of<ErrorType>([&] { open_data(config, log_); });
  }

  /// The grey values of item `index`, A's and B's.
  static std::pair<int, int> values_of(const Dataset& set, std::int64_t index, std::uint64_t seed = 0) {
    Rng rng(seed);
    const Batch item = set.get(index, rng);
    return {grey(item.at("real_a")), grey(item.at("real_b"))};
  }
  static std::vector<std::pair<int, int>> values_of(const Dataset& set) {
    std::vector<std::pair<int, int>> out;
    for (std::int64_t i = 0; i < set.size(); ++i)
      out.push_back(values_of(set, i, static_cast<std::uint64_t>(i)));
    return out;
  }
  /// Of a batch of samples.
  static std::vector<std::pair<int, int>> values_of(const Batch& batch) {
    std::vector<std::pair<int, int>> out;
    for (std::int64_t i = 0; i < batch.size(); ++i)
      out.emplace_back(grey(batch.at("real_a")[i]), grey(batch.at("real_b")[i]));
    return out;
  }

  const TestFolder folder_;
  const std::shared_ptr<Lines> log_ = std::make_shared<Lines>();

  static Image flat(std::int64_t width, int value) {
    Image image = Image::blank(width, kImageSide, 1);
    std::fill(image.bytes.begin(), image.bytes.end(), static_cast<std::uint8_t>(value));
    return image;
  }
  static int grey(const at::Tensor& values) {
    return static_cast<int>(std::lround((values.mean().item<double>() * 0.5 + 0.5) * 255));
  }
  void write(const std::string& name, const Image& image) const {
    fs::create_directories((folder_ / name).parent_path());
    write_image(folder_ / name, image);
  }
};

using Pairs = std::vector<std::pair<int, int>>;

// --- side by side ---

TEST_F(OpenData, TakesPairsSideBySideUnderEitherName) {
  for (const std::string layout : {"", "AB"}) {
    const std::string train = "train" + layout, test = "test" + layout;
    put_pair(train + "/1.png", 10);
    put_pair(train + "/2.png", 20);
    put_pair(test + "/3.png", 30);
    const TrainData data = open(config());
    EXPECT_EQ(data.count_a, 2);
    EXPECT_EQ(data.count_b, 2);
    EXPECT_EQ(values_of(*data.train), (Pairs{{10, 110}, {20, 120}}));
    EXPECT_EQ(values_of(data.fixed), (Pairs{{30, 130}}));
    EXPECT_THAT(data.fixed.names.at("real_b"), ElementsAre("3.png"));
    EXPECT_EQ(data.a.name, folder_.path.filename().string() + "A");
    EXPECT_EQ(data.a.fingerprint.at("images"), 2);
    EXPECT_EQ(data.files.at("a"), data.files.at("b"));
    fs::remove_all(folder_ / train);
    fs::remove_all(folder_ / test);
  }
  EXPECT_THAT(log_->lines, IsEmpty());
}

TEST_F(OpenData, ShowsTestPairsElseThoseOfValElseTrainingOnes) {
  put_pair("train/1.png", 10);
  EXPECT_EQ(values_of(open(config()).fixed), (Pairs{{10, 110}}));
  put_pair("val/2.png", 20);
  EXPECT_EQ(values_of(open(config()).fixed), (Pairs{{20, 120}}));
  put_pair("valAB/3.png", 30);
  EXPECT_EQ(values_of(open(config()).fixed), (Pairs{{30, 130}}));
  put_pair("test/4.png", 40);
  EXPECT_EQ(values_of(open(config()).fixed), (Pairs{{40, 140}}));
}

TEST_F(OpenData, LooksAtBothHalves) {
  put_pair("train/good.png", 10);
  put_pair("train/small.png", 20, 2 * kImageSide - 11);  // halves of 14 and 15 columns
  TrainConfig cropped = config();
  cropped.data.transform.preprocess = "crop";
  EXPECT_THAT(refusal(cropped),
              AllOf(HasSubstr("1 of 2 images"), HasSubstr("small.png (left half): is 14x20"),
                    HasSubstr("--crop-size 16"), HasSubstr("--skip-bad")));
  cropped.data.skip_bad = true;
  EXPECT_EQ(values_of(*open(cropped).train), (Pairs{{10, 110}}));
  EXPECT_THAT(log_->lines, ElementsAre(HasSubstr("warning: skipped: ")));
}

TEST_F(OpenData, RefusesHalvesThatNoTransformBringsToOneSize) {
  put_pair("train/odd.png", 10, 2 * kImageSide + 1);
  TrainConfig whole = config();
  whole.data.transform.preprocess = "scale_width";
  EXPECT_THAT(refusal(whole), AllOf(HasSubstr("odd.png (left half) is 20x20"),
                                    HasSubstr("odd.png (right half) 21x20"), HasSubstr("scale_width")));
  EXPECT_EQ(open(config()).count_a, 1) << "resize_and_crop does";
}

// --- by name ---

TEST_F(OpenData, PairsTwoFoldersByName) {
  put_pairs_by_name("train", 10, 3);
  put_pairs_by_name("test", 50, 2);
  const TrainData data = open(config());
  EXPECT_EQ(values_of(*data.train), (Pairs{{10, 110}, {11, 111}, {12, 112}}));
  EXPECT_EQ(values_of(data.fixed), (Pairs{{50, 150}, {51, 151}}));
  EXPECT_THAT(data.fixed.names.at("real_a"), ElementsAre("0.png", "1.png"));
  EXPECT_THAT(data.fixed.names.at("real_b"), ElementsAre("0.bmp", "1.bmp"));
  EXPECT_NE(data.files.at("a"), data.files.at("b"));
  TrainConfig folders = config();
  folders.data.data.clear();
  folders.data.a = (folder_ / "trainA").string();
  folders.data.b = (folder_ / "trainB").string();
  const TrainData same = open(folders);
  EXPECT_EQ(values_of(*same.train), values_of(*data.train));
  EXPECT_EQ(values_of(same.fixed), (Pairs{{10, 110}, {11, 111}}));
  EXPECT_EQ(same.files, data.files);
  EXPECT_THAT(log_->lines, IsEmpty());
}

TEST_F(OpenData, TakesTheFirstPairs) {
  put_pairs_by_name("train", 10, 3);
  TrainConfig two = config();
  two.data.max_dataset_size = 2;
  EXPECT_EQ(values_of(*open(two).train), (Pairs{{10, 110}, {11, 111}}));
}

TEST_F(OpenData, NamesMissingPartners) {
  put_pairs_by_name("train", 10, 2);
  put("trainA/alone.png", 30);
  EXPECT_THAT(refusal(config()), AllOf(HasSubstr("1 of 3 images"), HasSubstr("alone.png"),
                                       HasSubstr((folder_ / "trainB").string()), HasSubstr("--skip-bad")));
  TrainConfig skipping = config();
  skipping.data.skip_bad = true;
  EXPECT_EQ(values_of(*open(skipping).train), (Pairs{{10, 110}, {11, 111}}));
  EXPECT_THAT(log_->lines, ElementsAre(AllOf(HasSubstr("warning: left out"), HasSubstr("alone.png"))));
}

TEST_F(OpenData, LeavesOutThePartnersOfBadImagesToo) {
  put_pairs_by_name("train", 10, 4);
  std::ofstream(folder_ / "trainA/1.png", std::ios::trunc) << "no image";
  std::ofstream(folder_ / "trainB/2.bmp", std::ios::trunc) << "no image";
  EXPECT_THAT(refusal(config()), AllOf(HasSubstr("trainA/1.png"), HasSubstr("--skip-bad")));
  TrainConfig skipping = config();
  skipping.data.skip_bad = true;
  const TrainData data = open(skipping);
  EXPECT_EQ(values_of(*data.train), (Pairs{{10, 110}, {13, 113}}));
  EXPECT_EQ(data.count_a, 2);
  EXPECT_EQ(data.count_b, 2);
  EXPECT_THAT(log_->lines, Contains(AllOf(HasSubstr("left out"), HasSubstr("(1.bmp)"))));
  EXPECT_THAT(log_->lines, Contains(AllOf(HasSubstr("left out"), HasSubstr("(2.png)"))));
}

TEST_F(OpenData, RefusesPartnersOfTwoSizesUnlessTheyAreResizedToOne) {
  put_pairs_by_name("train", 10, 2);
  put("trainB/1.bmp", 111, 30);
  EXPECT_EQ(values_of(*open(config()).train), (Pairs{{10, 110}, {11, 111}}));
  TrainConfig cropped = config();
  cropped.data.transform.preprocess = "crop";
  EXPECT_THAT(refusal(cropped), AllOf(HasSubstr("trainA/1.png is 20x20"), HasSubstr("trainB/1.bmp 30x20"),
                                      HasSubstr("--preprocess crop"), HasSubstr("resize_and_crop")));
  cropped.data.skip_bad = true;
  EXPECT_EQ(values_of(*open(cropped).train), (Pairs{{10, 110}}));
}

TEST_F(OpenData, ShowsTruePairsOrSaysWhyNot) {
  put_pairs_by_name("train", 10, 2);
  put("testA/0.png", 50);
  EXPECT_EQ(values_of(open(config()).fixed), (Pairs{{10, 110}, {11, 111}}));
  EXPECT_THAT(log_->lines, ElementsAre(AllOf(HasSubstr("warning: "), HasSubstr("testA has no testB"))));
  put("testB/other.png", 150);
  EXPECT_THAT(refusal(config()), AllOf(HasSubstr("testA"), HasSubstr("0.png and other.png")));
}

// --- generated ---

TEST_F(OpenData, DrawsPairsWhereTheTaskKnowsThem) {
  TrainConfig drawn = config();
  drawn.data.data = "generated:t1-flair";
  drawn.data.max_dataset_size = 3;
  drawn.data.transform.load_size = drawn.data.transform.crop_size = 32;
  drawn.data.transform.flip = false;
  // Outside of the brain both are black.
  const auto black_together = [](const at::Tensor& a, const at::Tensor& b) {
    return (a == -1).equal(b == -1);
  };
  const auto together = [&](const TrainData& data) {
    Rng rng(0);
    const Batch item = data.train->get(1, rng);
    return black_together(item.at("real_a"), item.at("real_b"));
  };
  const TrainData data = open(drawn);
  EXPECT_EQ(data.count_b, 3);
  EXPECT_TRUE(together(data));
  EXPECT_TRUE(black_together(data.fixed.at("real_a"), data.fixed.at("real_b")));
  drawn.data.pairing = "unpaired";
  EXPECT_FALSE(together(open(drawn)));
}

TEST_F(OpenData, RefusesGeneratedImagesWithoutPartners) {
  TrainConfig drawn = config();
  drawn.data.data = "generated:glyphs";
  EXPECT_THAT(refusal<UsageError>(drawn),
              AllOf(HasSubstr("generated:glyphs"), HasSubstr("--pairing unpaired")));
}

// --- layouts that contradict what is asked for ---

TEST_F(OpenData, RefusesTwoLayoutsOfPairs) {
  put_pair("trainAB/1.png", 10);
  put("trainA/1.png", 10);
  EXPECT_THAT(refusal(config()), AllOf(HasSubstr("trainAB for pairs side by side"),
                                       HasSubstr("trainA for pairs"), HasSubstr("--a and --b")));
  fs::remove_all(folder_ / "trainA");
  put_pair("train/1.png", 10);
  EXPECT_THAT(refusal(config()), HasSubstr("both trainAB and train"));
}

TEST_F(OpenData, RefusesAFolderWithoutPairs) {
  EXPECT_THAT(refusal(config()), AllOf(HasSubstr(folder_.path.string()), HasSubstr("trainAB or train"),
                                       HasSubstr("trainA and trainB")));
  put("trainA/1.png", 10);
  EXPECT_THAT(refusal(config()), AllOf(HasSubstr("trainB"), HasSubstr("no such folder")));
  TrainConfig absent = config();
  absent.data.data += "/absent";
  EXPECT_THAT(refusal(absent), AllOf(HasSubstr("/absent"), HasSubstr("no such folder")));
}

TEST_F(OpenData, RefusesMnistsFilesAsPairs) {
  std::ofstream(folder_ / "train-images-idx3-ubyte") << "any";
  EXPECT_THAT(refusal<UsageError>(config()), AllOf(HasSubstr("MNIST"), HasSubstr("--pairing unpaired")));
}

TEST_F(OpenData, RefusesPairsSideBySideAsUnpairedDomains) {
  put_pair("train/1.png", 10);
  for (const char* pairing : {"unpaired", "auto"})
    EXPECT_THAT(refusal(config(pairing)),
                AllOf(HasSubstr("no trainA and trainB, but train"), HasSubstr("--pairing aligned")));
}

TEST_F(OpenData, DrawsFromEachDomainByItselfUnlessPairsAreAskedFor) {
  put_pairs_by_name("train", 10, 5);
  put("trainA/alone.png", 30);
  for (const char* pairing : {"unpaired", "auto"}) {
    const TrainData data = open(config(pairing));
    EXPECT_EQ(data.count_a, 6);
    EXPECT_EQ(data.count_b, 5);
    std::vector<int> drawn;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      const auto [a, b] = values_of(*data.train, 1, seed);
      EXPECT_EQ(a, 11);
      drawn.push_back(b);
    }
    for (int value = 110; value < 115; ++value) EXPECT_THAT(drawn, Contains(value));
  }
}

// One scale for a domain, decided over all its images; the other domain has its own.
TEST_F(OpenData, EachDomainHasOneScaleOfItsOwn) {
  const auto deep = [](std::uint16_t value) {
    Image image = Image::blank(kImageSide, kImageSide, 1, PixelType::u16);
    std::fill_n(image.u16(), image.samples(), value);
    return image;
  };
  write("trainA/0.png", deep(100));
  write("trainA/1.png", deep(4000));
  put("trainB/0.png", 50);
  put("trainB/1.png", 60);
  TrainConfig given = config("unpaired");
  const TrainData data = open(given);
  EXPECT_EQ(data.a.range, (ValueRange{4095, -1, 0, PixelType::u16}));
  EXPECT_EQ(data.b.range, ValueRange{});
  Rng rng(0);
  const Batch sample = data.train->get(0, rng);
  EXPECT_FLOAT_EQ(sample.tensors.at("real_a").max().item<float>(), 100.0F / 4095 * 2 - 1);
  given.data.white_a = 2000;
  const TrainData clipped = open(given);
  EXPECT_EQ(clipped.a.range.white, 2000);
  EXPECT_EQ(clipped.train->get(1, rng).tensors.at("real_a").max().item<float>(), 1);
  given.data.white_a = -1;
  EXPECT_THAT(refusal<UsageError>(given), HasSubstr("--white-a: white is -1"));
  given = config("aligned");
  EXPECT_EQ(open(given).a.range.white, 4095);
  given.data.transform.scaling = "percentile_95";
  EXPECT_EQ(open(given).a.range, (ValueRange{2050, 0, 0, PixelType::u16})) << "the mean of both images'";
  EXPECT_EQ(open(given).b.range, (ValueRange{55, 0}));
}

TEST_F(OpenData, OfHalvesEachDomainHasOneScale) {
  Image pair = Image::blank(2 * kImageSide, kImageSide, 1, PixelType::f32);
  for (std::int64_t i = 0; i < pair.samples(); ++i)
    pair.f32()[i] = i % (2 * kImageSide) < kImageSide ? 0.5F : 200.0F;
  write("train/0.tif", pair);
  const TrainData data = open(config());
  EXPECT_EQ(data.a.range, (ValueRange{1, -1, 0, PixelType::f32}));
  EXPECT_EQ(data.b.range, (ValueRange{255, -1, 0, PixelType::f32}));
  Rng rng(0);
  EXPECT_FLOAT_EQ(data.train->get(0, rng).tensors.at("real_b").mean().item<float>(), 200.0F / 255 * 2 - 1);
}

TEST_F(OpenData, PagesAreImagesChannelsOrSlices) {
  for (const char* domain : {"trainA", "trainB"}) {
    fs::create_directories(folder_.path / domain);
    write_image_pages(folder_.path / domain / "a.tif", {flat(kImageSide, 10), flat(kImageSide, 20)});
    write_image_pages(folder_.path / domain / "b.tif", {flat(kImageSide, 30), flat(kImageSide, 40)});
  }
  TrainConfig given = config("unpaired");
  Rng rng(0);
  EXPECT_EQ(open(given).count_a, 2);
  given.data.transform.pages = "slices";
  const TrainData slices = open(given);
  EXPECT_EQ(slices.count_a, 4);
  const Batch last = slices.train->get(3, rng);
  EXPECT_EQ(last.names.at("real_a").front(), "b.tif:2");
  EXPECT_FLOAT_EQ(last.tensors.at("real_a").max().item<float>(), 40.0F / 127.5F - 1);
  EXPECT_EQ(open([&] {
              auto few = given;
              few.data.max_dataset_size = 3;
              return few;
            }())
                .count_a,
            3);
  given.data.transform.pages = "channels";
  given.data.channels_a = given.data.channels_b = 2;
  const TrainData channels = open(given);
  EXPECT_EQ(channels.count_a, 2);
  const at::Tensor both = channels.train->get(1, rng).tensors.at("real_a");
  ASSERT_EQ(both.size(0), 2);
  EXPECT_FLOAT_EQ(both[0].max().item<float>(), 30.0F / 127.5F - 1);
  EXPECT_FLOAT_EQ(both[1].max().item<float>(), 40.0F / 127.5F - 1);
}

}  // namespace
}  // namespace torsor::testing
