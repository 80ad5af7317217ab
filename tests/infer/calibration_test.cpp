// Percentiles among the translations of held-out images, and their place in the model file.
#include "infer/calibration.h"

#include <cmath>
#include <limits>

#include "core/rng.h"
#include "infer/calibrate_model.h"
#include "infer/infer_test_support.h"
#include "model/generator_hash.h"

namespace torsor {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::error_of;
using ::testing::HasSubstr;

TEST(CalibrationQuantiles, PercentilesByHand) {
  const Quantiles four({3, 1, 4, 2});
  EXPECT_EQ(four.count(), 4);
  EXPECT_DOUBLE_EQ(four.percentile(0.5), 0);
  EXPECT_DOUBLE_EQ(four.percentile(1), 12.5);
  EXPECT_DOUBLE_EQ(four.percentile(2.5), 50);
  EXPECT_DOUBLE_EQ(four.percentile(3), 62.5);
  EXPECT_DOUBLE_EQ(four.percentile(4), 87.5);
  EXPECT_DOUBLE_EQ(four.percentile(4.001), 100);
  EXPECT_DOUBLE_EQ(four.quantile(0.5), 2.5);
  EXPECT_DOUBLE_EQ(Quantiles({1, 2, 2, 3}).percentile(2), 50) << "equal values share their ranks";
  EXPECT_DOUBLE_EQ(Quantiles({7, 7, 7}).percentile(7), 50);
  const Quantiles one({5});
  EXPECT_DOUBLE_EQ(one.percentile(4), 0);
  EXPECT_DOUBLE_EQ(one.percentile(5), 50);
  EXPECT_DOUBLE_EQ(one.percentile(6), 100);
}

TEST(CalibrationQuantiles, OfManyValuesAreAsOfAll) {
  Rng rng(3);
  std::vector<double> values;
  for (int i = 0; i < 5000; ++i) values.push_back(std::exp(rng.normal()));
  const Quantiles kept(values);
  ASSERT_EQ(kept.values().size(), 256);
  EXPECT_EQ(kept.count(), 5000);
  for (const double value : {0.2, 0.7, 1.0, 2.5, 8.0}) {
    double below = 0;
    for (const double other : values) below += other < value ? 1 : 0;
    EXPECT_NEAR(kept.percentile(value), 100 * below / 5000, 0.3) << value;
  }
  EXPECT_NEAR(kept.values().back(), *std::max_element(values.begin(), values.end()), 1e-8);
  const Quantiles again = Quantiles::from_json(Json::parse(kept.to_json().dump()));
  EXPECT_EQ(again.values(), kept.values());
  EXPECT_EQ(again.count(), 5000);
}

TEST(CalibrationQuantiles, RefuseWhatIsNoCalibration) {
  EXPECT_THAT(error_of([] { Quantiles(std::vector<double>()); }), HasSubstr("no images"));
  EXPECT_THAT(error_of([] {
                Quantiles({1, std::numeric_limits<double>::quiet_NaN()});
              }),
              HasSubstr("not finite"));
  EXPECT_THAT(error_of([] { Quantiles::from_json({{"count", 2}, {"values", {2, 1}}}); }), HasSubstr("rise"));
  EXPECT_THAT(error_of([] {
                Quantiles::from_json({{"count", 3}, {"values", {1, 2}}});
              }),
              HasSubstr("expected 3"));
}

class CalibrationFile : public ::testing::Test {
 protected:
  fs::path model() const {
    const fs::path path = folder_ / "m.safetensors";
    testing::write_model(path, {{"a_to_b", testing::loaded(testing::small_options(), 1)},
                                {"b_to_a", testing::loaded(testing::small_options(), 2)}});
    return path;
  }

  void images(const fs::path& folder, int count) const {
    fs::create_directories(folder);
    Rng rng(5);
    for (int i = 0; i < count; ++i) {
      Image image = Image::blank(20, 16, 3);
      for (auto& byte : image.bytes) byte = static_cast<std::uint8_t>(rng.index(256));
      write_image(folder / fmt::format("{:02}.png", i), image);
    }
  }

  static CalibrationRequest request(const fs::path& folder) {
    CalibrationRequest out;
    out.folder = folder;
    out.runner.direction = "a_to_b";
    return out;
  }

  testing::TestFolder folder_;
  NullLog log_;
  StopFlag stop_;
};

TEST_F(CalibrationFile, KeepsWhatItMeasured) {
  images(folder_ / "a", 24);
  const fs::path path = model();
  WeightSet set = read_weights(path);
  EXPECT_FALSE(find_calibration(set.info, kAToB, "m").has_value()) << "a file without one reads as before";
  const Calibration made = calibrate(set, request(folder_ / "a"), log_, stop_);
  EXPECT_EQ(made.images, 24);
  EXPECT_EQ(made.formats, std::vector<std::string>{"png"});
  ASSERT_TRUE(made.cycle_error && made.worst_patch);
  EXPECT_FALSE(made.discriminator.has_value()) << "the model has none";
  EXPECT_GT(made.worst_patch->quantile(0.5), made.cycle_error->quantile(0.5));
  set_calibration(set.info, kAToB, made);
  const fs::path calibrated = folder_ / "calibrated.safetensors";
  write_weights(calibrated, set);
  const WeightSet read = read_weights(calibrated);
  const auto found = find_calibration(read.info, kAToB, "m");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->to_json(), made.to_json());
  EXPECT_EQ(found->generators, hash_of_generators(read));
  EXPECT_EQ(hash_of_generators(read), hash_of_generators(read_weights(path)));
  EXPECT_FALSE(find_calibration(read.info, kBToA, "m").has_value());
  EXPECT_EQ(calibrate(read, request(folder_ / "a"), log_, stop_).to_json(), made.to_json())
      << "deterministic";
}

TEST_F(CalibrationFile, TakesTwentyImages) {
  images(folder_ / "few", 19);
  const WeightSet set = read_weights(model());
  EXPECT_THAT(error_of([&] { calibrate(set, request(folder_ / "few"), log_, stop_); }),
              AllOf(HasSubstr("few"), HasSubstr("19 images"), HasSubstr("20 or more")));
}

TEST_F(CalibrationFile, OfAModelThatMeasuresNothingIsRefused) {
  images(folder_ / "a", 20);
  const fs::path path = folder_ / "one.safetensors";
  testing::write_model(path, {{"a_to_b", testing::loaded(testing::small_options(), 1)}});
  EXPECT_THAT(error_of([&] { calibrate(read_weights(path), request(folder_ / "a"), log_, stop_); }),
              AllOf(HasSubstr("one.safetensors"), HasSubstr("neither")));
}

TEST_F(CalibrationFile, IsNamedWhenItIsDamaged) {
  ModelInfo info = read_weights(model()).info;
  info.calibration = {{"a_to_b", {{"images", 3}}}};
  EXPECT_THAT(error_of([&] { find_calibration(info, kAToB, "m.safetensors"); }),
              AllOf(HasSubstr("m.safetensors"), HasSubstr("torsor calibrate")));
  info.calibration = "x";
  EXPECT_THAT(error_of([&] { find_calibration(info, kAToB, "m.safetensors"); }), HasSubstr("no object"));
}

}  // namespace
}  // namespace torsor
