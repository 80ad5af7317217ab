// Features that are computed once: found again, added to, and never of another extractor.
#include "metric/feature_cache.h"

#include "core/files.h"
#include "io/safetensors.h"
#include "metric/formula_weights.h"
#include "test_support.h"

namespace torsor {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::TestFolder;

struct Warnings : NullLog {
  std::vector<std::string> lines;
  void warning(const std::string& line) override { lines.push_back(line); }
};

std::shared_ptr<FeatureExtractor> pixels() { return make_extractor({"pixels"}, c10::kCPU); }

std::filesystem::path cache_file(const std::filesystem::path& folder, const FeatureExtractor& extractor) {
  return folder / fmt::format("{}-{}.safetensors", extractor.name(), extractor.hash());
}

// Images in memory whose opening is counted.
struct CountedInputs {
  std::vector<Image> images;
  int opened = 0;
  FeatureInputs inputs() {
    return {static_cast<std::int64_t>(images.size()),
            [this](std::int64_t i) {
              const auto& bytes = images[static_cast<std::size_t>(i)].bytes;
              return content_key({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
            },
            [this](std::int64_t i) {
              ++opened;
              return images[static_cast<std::size_t>(i)];
            }};
  }
};

TEST(FeatureCache, ComputesEachImageOnce) {
  const TestFolder folder;
  const auto extractor = pixels();
  Warnings log;
  CountedInputs counted{testing::patterned_images(4, 20, 20)};
  counted.images.push_back(counted.images[1]);  // the same picture under another name
  const StopFlag stop;
  const auto features = [&] {
    FeatureCache cache(folder.path, *extractor, log);
    return cached_features(*extractor, &cache, counted.inputs(), stop, log);
  };
  const at::Tensor first = features();
  EXPECT_EQ(counted.opened, 4);
  EXPECT_TRUE(first.equal(extractor->features(counted.images)));
  EXPECT_TRUE(features().equal(first));
  EXPECT_EQ(counted.opened, 4);
  counted.images[2].bytes[0] ^= 1;
  EXPECT_FALSE(features().equal(first));
  EXPECT_EQ(counted.opened, 5);
  EXPECT_TRUE(log.lines.empty());
  EXPECT_TRUE(cached_features(*extractor, nullptr, counted.inputs(), stop, log).equal(features()));
}

TEST(FeatureCache, WhatIsStoppedGoesOnFromThere) {
  const TestFolder folder;
  const auto extractor = pixels();
  NullLog log;
  CountedInputs counted{testing::patterned_images(40, 16, 16)};
  StopFlag stop;
  FeatureInputs inputs = counted.inputs();
  const auto open = inputs.open;
  inputs.open = [&](std::int64_t i) {
    if (i == 20) stop.request();
    return open(i);
  };
  FeatureCache begun(folder.path, *extractor, log);
  EXPECT_THROW(cached_features(*extractor, &begun, inputs, stop, log), StoppedError);
  counted.opened = 0;
  FeatureCache again(folder.path, *extractor, log);
  EXPECT_EQ(again.size(), 32u);
  cached_features(*extractor, &again, counted.inputs(), StopFlag(), log);
  EXPECT_EQ(counted.opened, 8);
}

TEST(FeatureCache, AnotherExtractorsOrADamagedFileIsSaidAndReplaced) {
  const TestFolder folder;
  const auto extractor = pixels(), other = make_extractor({"random-vgg"}, c10::kCPU);
  CountedInputs counted{testing::patterned_images(3, 20, 20)};
  const auto fill = [&](const FeatureExtractor& e, Warnings& log) {
    FeatureCache cache(folder.path, e, log);
    cached_features(e, &cache, counted.inputs(), StopFlag(), log);
  };
  Warnings quiet;
  fill(*extractor, quiet);
  fill(*other, quiet);
  EXPECT_TRUE(quiet.lines.empty()) << "each has a file of its own";
  const auto file = cache_file(folder.path, *extractor);
  const auto expect_said = [&](const std::string& bytes, const std::string& part) {
    write_file_atomically(file, bytes);
    counted.opened = 0;
    Warnings log;
    fill(*extractor, log);
    ASSERT_EQ(log.lines.size(), 1u);
    EXPECT_THAT(log.lines[0], HasSubstr(file.string()));
    EXPECT_THAT(log.lines[0], HasSubstr(part));
    EXPECT_EQ(counted.opened, 3);
    Warnings after;
    FeatureCache cache(folder.path, *extractor, after);
    EXPECT_EQ(cache.size(), 3u);
    EXPECT_TRUE(after.lines.empty());
  };
  const std::string good = read_file(file);
  expect_said(read_file(cache_file(folder.path, *other)), "another extractor");
  expect_said(good.substr(0, good.size() / 2), "computed anew");
  expect_said("", "computed anew");
  Safetensors content = read_safetensors(file);
  content.tensors[1].second = content.tensors[1].second.slice(1, 0, 100);
  write_safetensors(file, content);
  expect_said(read_file(file), "damaged");
}

TEST(FeatureCache, FilesAreKeyedByContentAndRange) {
  const TestFolder folder;
  write_image(folder / "x.png", testing::patterned_images(1, 20, 20)[0]);
  write_image(folder / "y.png", testing::patterned_images(1, 20, 20)[0]);
  Image deep = Image::blank(20, 20, 1, PixelType::u16);
  for (std::int64_t i = 0; i < 400; ++i) deep.u16()[i] = static_cast<std::uint16_t>(10 * i);
  write_image(folder / "z.png", deep);
  const std::vector<std::filesystem::path> files = {folder / "x.png", folder / "y.png", folder / "z.png"};
  const FeatureInputs whole = inputs_of_files(files);
  ValueRange range;
  range.white = 4000;
  range.type = PixelType::u16;
  const FeatureInputs ranged = inputs_of_files({files[2]}, range);
  EXPECT_EQ(whole.key(0), whole.key(1));
  EXPECT_NE(whole.key(2), ranged.key(0));
  const at::Tensor dark =
      cached_features(*pixels(), nullptr, whole, StopFlag(), *std::make_unique<NullLog>());
  const at::Tensor bright =
      cached_features(*pixels(), nullptr, ranged, StopFlag(), *std::make_unique<NullLog>());
  EXPECT_LT(dark[2].max().item<double>(), 0.1);
  EXPECT_GT(bright[0].max().item<double>(), 0.9);
  const FeatureInputs missing = inputs_of_files({folder / "none.png"});
  EXPECT_THAT(error_of([&] { missing.key(0); }), HasSubstr("none.png"));
}

}  // namespace
}  // namespace torsor
