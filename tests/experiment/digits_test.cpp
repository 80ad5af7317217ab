// The measuring of the MNIST experiment, with translators whose answers are planted.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "data/glyphs.h"
#include "data/tensor_image.h"
#include "experiment/digit_report.h"
#include "experiment/experiments.h"
#include "image/codec.h"
#include "test_support.h"
#include "train/run_set.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using testing::error_of;
using ::testing::HasSubstr;
using testing::TestFolder;

class DigitMeasuring : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<testing::ScratchFolder>("torsor_digits");
    classifier_ = train_digit_classifier(data(), scale(), request());
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static DigitScale scale() { return digit_scale(Scale::smoke); }
  static DigitData data() { return open_digits("", scale()); }
  static Request request() {
    static StopFlag stop;
    return {Scale::smoke, {0}, "", folder_->path, std::make_shared<NullLog>(), stop};
  }
  static Json measured(const TensorMapping& there, const TensorMapping& back) {
    return digit_direction_json("a_to_b", measure_digits(there, back, data(), scale(), *classifier_.model));
  }
  // A glyph of class to[k] for each image that looks like class k.
  static TensorMapping permuting(std::vector<std::int64_t> to) {
    return [to](const at::Tensor& images) {
      const at::Tensor classes = classifier_.model->predict(images);
      std::vector<at::Tensor> out;
      for (std::int64_t i = 0; i < classes.size(0); ++i) {
        const auto k = static_cast<std::size_t>(classes[i].item<std::int64_t>());
        out.push_back(to_tensor(render_glyph({to[k]}, scale().side), {}));
      }
      return at::stack(out);
    };
  }

  static std::unique_ptr<testing::ScratchFolder> folder_;
  static DigitClassifier classifier_;
};

std::unique_ptr<testing::ScratchFolder> DigitMeasuring::folder_;
DigitClassifier DigitMeasuring::classifier_;

at::Tensor unchanged(const at::Tensor& x) { return x; }

TEST_F(DigitMeasuring, TheIdentityIsTheIdentity) {
  const Json d = measured(unchanged, unchanged);
  EXPECT_EQ(digit_kind(d), "identity");
  EXPECT_EQ(d.at("cycle_l1"), 0.0);
  EXPECT_NEAR(d.at("identity_share").get<double>(), classifier_.accuracy, 0.05);
}

TEST_F(DigitMeasuring, AFixedPermutationIsRecovered) {
  const std::vector<std::int64_t> to = {1, 0, 2, 4, 5, 3, 6, 7, 8, 9};
  const Json d = measured(permuting(to), unchanged);
  EXPECT_EQ(d.at("permutation"), Json(to));
  EXPECT_GT(d.at("permutation_share").get<double>(), 0.8);
  EXPECT_EQ(digit_kind(d), "collapsed") << "it is not undone: the cycle does not close";
  Json derangement = measured(permuting({1, 0, 3, 2, 5, 4, 7, 6, 9, 8}), unchanged);
  derangement["cycle_l1"] = 0.01;
  EXPECT_EQ(digit_kind(derangement), "permutation");
}

TEST_F(DigitMeasuring, ATranslatorThatIgnoresItsInputCollapses) {
  const Json d = measured(permuting(std::vector<std::int64_t>(10, 3)), unchanged);
  EXPECT_EQ(digit_kind(d), "collapsed");
  EXPECT_LT(d.at("output_entropy").get<double>(), 0.5);
  EXPECT_LT(d.at("mutual_information").get<double>(), 0.5);
}

TEST_F(DigitMeasuring, AFlipThatIsUndoneClosesTheCycle) {
  const TensorMapping flip = [](const at::Tensor& x) { return x.flip({3}); };
  const Json d = measured(flip, flip);
  EXPECT_EQ(d.at("cycle_l1"), 0.0);
  EXPECT_NE(digit_kind(d), "collapsed");
  EXPECT_GT(measured(flip, unchanged).at("cycle_l1").get<double>(), 0.05);
}

TEST_F(DigitMeasuring, TheClassifierIsKeptWithTheRunAndRefusedForAnother) {
  EXPECT_GT(classifier_.accuracy, 0.85);
  const DigitClassifier again = train_digit_classifier(data(), scale(), request());
  EXPECT_EQ(again.accuracy, classifier_.accuracy);
  DigitScale other = scale();
  other.ngf = 8;
  EXPECT_THAT(error_of([&] { train_digit_classifier(data(), other, request()); }),
              AllOf(HasSubstr("classifier.safetensors"), HasSubstr("other settings")));
}

TEST_F(DigitMeasuring, RunsAreTakenUpAndRefusedWithOtherSettings) {
  const DigitArm arm = bottleneck_arm(scale());
  train_digit_arms({arm}, data(), scale(), request());
  const fs::path model = run_folder(folder_->path, arm.name, 0) / "model.safetensors";
  const std::string before = read_file(model);
  const auto written = fs::last_write_time(model);
  train_digit_arms({arm}, data(), scale(), request());
  EXPECT_EQ(fs::last_write_time(model), written) << "finished: not trained again";
  // Stopped half way: the checkpoint is there, the model is not the last.
  fs::remove(model);
  train_digit_arms({arm}, data(), scale(), request());
  EXPECT_TRUE(read_file(model) == before);
  fs::remove(model);
  Request elsewhere = request();
  elsewhere.placement.device = "cpu";
  train_digit_arms({arm}, data(), scale(), elsewhere);
  EXPECT_EQ(read_json(model.parent_path() / "config.json").at("device"), "cpu") << "where it was asked to";
  DigitScale longer = scale();
  longer.steps += 5;
  EXPECT_THAT(error_of([&] { train_digit_arms({arm}, data(), longer, request()); }),
              AllOf(HasSubstr("bottleneck-seed0"), HasSubstr("other settings")));
}

TEST(DigitKinds, NeedBothDirections) {
  const auto direction = [](double follows, double kept, double cycle = 0.05, double entropy = 3.2) {
    return Json{{"permutation_share", follows},
                {"identity_share", kept},
                {"cycle_l1", cycle},
                {"output_entropy", entropy}};
  };
  const auto run = [](const Json& there, const Json& back) {
    return digit_run_kind({{"directions", {there, back}}});
  };
  EXPECT_EQ(run(direction(0.9, 0.1), direction(0.8, 0.1)), "permutation");
  EXPECT_EQ(run(direction(0.9, 0.9), direction(0.8, 0.8)), "identity");
  EXPECT_EQ(run(direction(0.9, 0.9), direction(0.8, 0.1)), "neither");
  EXPECT_EQ(run(direction(0.3, 0.1), direction(0.3, 0.1)), "neither");
  EXPECT_EQ(run(direction(0.9, 0.1), direction(0.9, 0.1, 0.2)), "collapsed");
  EXPECT_EQ(run(direction(0.9, 0.1, 0.05, 1), direction(0.9, 0.1)), "collapsed");
}

TEST(OpenDigits, SaysWhichOfMnistsFilesIsMissing) {
  TestFolder folder;
  EXPECT_THAT(error_of([&] { open_digits(folder.path, digit_scale(Scale::smoke)); }),
              AllOf(HasSubstr(folder.path.string()), HasSubstr("train-images-idx3-ubyte")));
}

}  // namespace
}  // namespace torsor
