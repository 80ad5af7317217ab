// Images that are held out of training: folders of their own, or a share of the training images.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "data/name_share.h"
#include "image/codec.h"
#include "train/train_test_support.h"

namespace torsor::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using Names = std::set<std::string>;

constexpr std::int64_t kImageSide = 20;
constexpr int kImages = 40;

Names united(Names p, const Names& q) {
  p.insert(q.begin(), q.end());
  return p;
}

Names names_of(const Dataset& set, const std::string& domain) {
  Names out;
  for (std::int64_t i = 0; i < set.size(); ++i) {
    Rng rng(static_cast<std::uint64_t>(i));
    out.insert(set.get(i, rng).names.at(domain).front());
  }
  return out;
}

class HeldOutImages : public ::testing::Test {
 protected:
  void put(const std::string& name, int value) const {
    Image image = Image::blank(kImageSide, kImageSide, 1);
    std::fill_n(image.u8(), kImageSide * kImageSide, static_cast<std::uint8_t>(value));
    image.u8()[0] = 255;  // a corner, which a flip would move
    fs::create_directories((folder_ / name).parent_path());
    write_image(folder_ / name, image);
  }
  void put_folder(const std::string& name, int count) const {
    for (int i = 0; i < count; ++i) put(name + "/" + std::to_string(i) + ".png", 2 * i);
  }

  TrainConfig config(const std::string& pairing) const {
    TrainConfig out = tiny_config(folder_ / "run");
    out.data.data = folder_.path.string();
    out.data.pairing = pairing;
    out.data.max_dataset_size = 0;
    out.data.channels_a = out.data.channels_b = 1;
    out.data.transform.flip = true;
    return out;
  }
  static TrainData open(const TrainConfig& config) { return open_data(config, std::make_shared<NullLog>()); }
  static std::string refusal(const TrainConfig& config) {
    return error_of<UsageError>([&] {
      config.data.validate();
      open(config);
    });
  }

  TestFolder folder_;
};

TEST_F(HeldOutImages, AreNoneUnlessAskedFor) {
  put_folder("trainA", 3);
  put_folder("trainB", 3);
  const TrainData data = open(config("unpaired"));
  EXPECT_EQ(data.held_out.images, nullptr);
  EXPECT_EQ(data.held_out.count_a, 0);
  EXPECT_EQ(data.count_a, 3);
}

TEST_F(HeldOutImages, AreTheTestImagesWhereMetricsAreWanted) {
  for (const char* name : {"trainA", "trainB", "testA", "testB"})
    put_folder(name, std::string(name).starts_with("train") ? 8 : 3);
  for (const char* pairing : {"unpaired", "aligned"}) {
    TrainConfig c = config(pairing);
    EXPECT_EQ(open(c).held_out.images, nullptr) << pairing;
    c.evaluation.eval_every = 1;
    const TrainData data = open(c);
    EXPECT_EQ(data.count_a, 8);
    ASSERT_NE(data.held_out.images, nullptr) << pairing;
    EXPECT_EQ(data.held_out.count_a, 3) << pairing;
    EXPECT_EQ(names_of(*data.held_out.images, "real_b"), (Names{"0.png", "1.png", "2.png"})) << pairing;
    c.data.val_a = folder_ / "trainB";  // given ones come first
    c.data.val_b = folder_ / "trainA";
    EXPECT_EQ(open(c).held_out.count_a, 8) << pairing;
  }
}

TEST_F(HeldOutImages, OfFoldersAreWholeAndInOrder) {
  put_folder("trainA", 3);
  put_folder("trainB", 3);
  put_folder("seen later/a", 4);
  put_folder("seen later/b", 2);
  TrainConfig c = config("unpaired");
  c.data.val_a = folder_ / "seen later/a";
  c.data.val_b = folder_ / "seen later/b";
  const TrainData data = open(c);
  EXPECT_EQ(data.count_a, 3);
  ASSERT_NE(data.held_out.images, nullptr);
  EXPECT_EQ(data.held_out.count_a, 4);
  EXPECT_EQ(data.held_out.count_b, 2);
  ASSERT_EQ(data.held_out.images->size(), 4);
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    Rng rng(seed), other(seed + 100);
    const Batch once = data.held_out.images->get(3, rng), again = data.held_out.images->get(3, other);
    EXPECT_EQ(once.names.at("real_a").front(), "3.png");
    EXPECT_EQ(once.names.at("real_b").front(), "1.png") << "B's come again";
    EXPECT_TRUE(once.at("real_a").equal(again.at("real_a"))) << "nothing is drawn";
    EXPECT_GT(once.at("real_a")[0][0][0].item<double>(), once.at("real_a")[0][0][15].item<double>())
        << "the corner is where it was";
    EXPECT_EQ(once.at("real_a").sizes(), (std::vector<std::int64_t>{1, 16, 16}));
  }
}

TEST_F(HeldOutImages, OfAShareAreNotTrainedWith) {
  put_folder("trainA", kImages);
  put_folder("trainB", kImages);
  TrainConfig c = config("unpaired");
  c.data.val_share = 0.25;
  const TrainData data = open(c);
  EXPECT_EQ(data.count_a + data.held_out.count_a, kImages);
  EXPECT_EQ(data.train->size(), data.count_a);
  EXPECT_NEAR(static_cast<double>(data.held_out.count_a), 0.25 * kImages,
              6);  // about two standard deviations
  for (const std::string domain : {"real_a", "real_b"}) {
    const Names trained = names_of(*data.train, domain), held = names_of(*data.held_out.images, domain);
    for (const std::string& name : held) EXPECT_FALSE(trained.contains(name)) << name;
  }
  EXPECT_EQ(united(names_of(*data.train, "real_a"), names_of(*data.held_out.images, "real_a")).size(),
            kImages);
  EXPECT_EQ(names_of(*data.held_out.images, "real_a"), names_of(*data.held_out.images, "real_b"))
      << "of one name, on one side";

  c.run.seed = 99;
  const Names held = names_of(*data.held_out.images, "real_a");
  EXPECT_EQ(names_of(*open(c).held_out.images, "real_a"), held) << "whatever the seed";
  put("trainA/another.png", 3);
  const Names with_another = names_of(*open(c).held_out.images, "real_a");
  EXPECT_TRUE(std::includes(with_another.begin(), with_another.end(), held.begin(), held.end()));
}

TEST_F(HeldOutImages, OfASharePairsStayTogether) {
  put_folder("trainA", kImages);
  put_folder("trainB", kImages);
  TrainConfig c = config("aligned");
  c.data.val_share = 0.25;
  const TrainData data = open(c);
  EXPECT_EQ(data.count_a, data.count_b);
  EXPECT_EQ(data.held_out.count_a, data.held_out.count_b);
  EXPECT_EQ(data.count_a + data.held_out.count_a, kImages);
  for (std::int64_t i = 0; i < data.held_out.images->size(); ++i) {
    Rng rng(1);
    const Batch pair = data.held_out.images->get(i, rng);
    EXPECT_EQ(pair.names.at("real_a"), pair.names.at("real_b"));
    EXPECT_FALSE(names_of(*data.train, "real_a").contains(pair.names.at("real_a").front()));
  }
}

TEST_F(HeldOutImages, OfASharePairsSideBySideToo) {
  put_folder("train", kImages);
  TrainConfig c = config("aligned");
  c.data.transform.load_size = c.data.transform.crop_size = 16;
  c.data.val_share = 0.25;
  const TrainData data = open(c);
  EXPECT_GT(data.held_out.count_a, 0);
  EXPECT_EQ(data.count_a + data.held_out.count_a, kImages);
  EXPECT_EQ(united(names_of(*data.train, "real_a"), names_of(*data.held_out.images, "real_a")).size(),
            kImages);
}

TEST_F(HeldOutImages, OfFoldersArePairsByNameForADrawnDomain) {
  put_folder("a", 3);
  put_folder("b", 3);
  TrainConfig c = config("aligned");
  c.data.data = "generated:t1-flair";
  c.data.max_dataset_size = 4;
  c.data.val_a = folder_ / "a";
  c.data.val_b = folder_ / "b";
  EXPECT_EQ(open(c).held_out.images->size(), 3);
  EXPECT_EQ(open(c).count_a, 4);
}

TEST_F(HeldOutImages, AreReadBeforeTheRunBegins) {
  put_folder("trainA", 3);
  put_folder("trainB", 3);
  put_folder("a", 2);
  put_folder("b", 2);
  std::ofstream(folder_ / "b/1.png") << "no picture";
  TrainConfig c = config("unpaired");
  c.data.val_a = folder_ / "a";
  c.data.val_b = folder_ / "b";
  EXPECT_THAT(error_of([&] { open(c); }), AllOf(HasSubstr("1 of 2 images"), HasSubstr("1.png")));
  c.data.skip_bad = true;
  EXPECT_EQ(open(c).held_out.count_b, 1);
}

TEST_F(HeldOutImages, AreRefusedWhereTheyCannotBe) {
  put_folder("trainA", 2);
  put_folder("trainB", 2);
  TrainConfig c = config("unpaired");
  c.data.val_a = folder_ / "trainA";
  EXPECT_THAT(refusal(c), HasSubstr("--val-b is missing"));
  c.data.val_b = folder_ / "trainB";
  EXPECT_THAT(refusal(c), AllOf(HasSubstr("--val-a"), HasSubstr("is the training folder")));
  c.data.val_share = 0.1;
  EXPECT_THAT(refusal(c), HasSubstr("exclude each other"));
  c.data.val_a = c.data.val_b = "";
  c.data.val_share = 1e-9;
  EXPECT_THAT(refusal(c), AllOf(HasSubstr("none of the 2 images"), HasSubstr("a larger share")));
  c.data.data = "generated:glyphs";
  EXPECT_THAT(refusal(c),
              AllOf(HasSubstr("--val-share"), HasSubstr("generated:glyphs"), HasSubstr("--val-a")));
}

TEST_F(HeldOutImages, AreFoundByARunThatGoesOnElsewhere) {
  put_folder("trainA", 3);
  put_folder("trainB", 3);
  put_folder("a", 2);
  put_folder("b", 2);
  TrainConfig c = config("unpaired");
  c.data.val_a = folder_ / "a";
  c.data.val_b = folder_ / "b";
  c.run.steps = 1;
  train(c);
  fs::rename(folder_ / "b", folder_ / "moved");
  NullLog log;
  const ResumePoint point = open_resume_point(c.run.out, log);
  EXPECT_THAT(error_of<UsageError>([&] { resumed_config(point, Json::object()); }),
              AllOf(HasSubstr("--val-b "), HasSubstr("say where they are now: --val-b DIR")));
  const Json flags = {{"val_b", (folder_ / "moved").string()}};
  EXPECT_EQ(resumed_config(point, flags).config.data.val_b, (folder_ / "moved").string());
}

}  // namespace
}  // namespace torsor::testing
