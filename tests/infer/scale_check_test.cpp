// Images at another scale than the training's.
#include "infer/scale_check.h"

#include "infer_test_support.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

LoadedGenerator trained(const std::string& preprocess, std::int64_t load_size) {
  LoadedGenerator out;
  out.source = "model";
  out.info.preprocessing = {{"preprocess", preprocess}, {"load_size", load_size}, {"crop_size", 32}};
  return out;
}

std::string warning(const LoadedGenerator& model, Size own, Size used) {
  ScaleCheck check(model);
  check.add("in.png", own, used);
  return check.warning();
}

TEST(ScaleCheck, NamesTheScaleOfTheTrainingAndTheResizeThatMatches) {
  EXPECT_THAT(warning(trained("resize_and_crop", 64), {256, 256}, {256, 256}),
              AllOf(HasSubstr("64x64"), HasSubstr("in.png: 256x256"), HasSubstr("larger"),
                    HasSubstr("--resize 64 ")));
  EXPECT_THAT(warning(trained("scale_width", 64), {200, 100}, {200, 100}),
              AllOf(HasSubstr("a width of 64"), HasSubstr("--resize 64x32 ")));
  EXPECT_THAT(warning(trained("resize_and_crop", 64), {20, 20}, {20, 20}), HasSubstr("smaller"));
}

TEST(ScaleCheck, IsSilentWhereTheScaleMatchesOrIsNotKnown) {
  EXPECT_EQ(warning(trained("resize_and_crop", 64), {256, 256}, {64, 64}), "");
  EXPECT_EQ(warning(trained("resize_and_crop", 64), {90, 90}, {90, 90}), "");
  EXPECT_EQ(warning(trained("none", 64), {256, 256}, {256, 256}), "");
  EXPECT_EQ(warning(trained("crop", 64), {256, 256}, {256, 256}), "");
  EXPECT_EQ(warning({}, {256, 256}, {256, 256}), "");
}

TEST(ScaleCheck, CountsTheImagesAndNamesTheFirst) {
  ScaleCheck check(trained("resize_and_crop", 64));
  check.add("small.png", {64, 64}, {64, 64});
  for (const char* name : {"first.png", "second.png"}) check.add(name, {128, 128}, {128, 128});
  EXPECT_THAT(check.warning(), AllOf(HasSubstr("2 of 3 images"), HasSubstr("the first: first.png: 128x128")));
}

}  // namespace
}  // namespace torsor
