#include "runs/run_pictures.h"

#include "run_folder.h"

namespace torsor::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(RunPictures, ArePairsCutFromTheLastGrid) {
  RunFolder run;
  run.write_layout();
  run.write_grid(run.directory.sample(20), 1);
  run.write_grid(run.directory.sample(40), 3);
  const RunPairs found = run_pairs(run.read(), 2);
  EXPECT_EQ(found.missing, "");
  EXPECT_THAT(found.source, HasSubstr("step 40"));
  ASSERT_EQ(found.directions.size(), 1u);
  EXPECT_EQ(found.directions[0].direction, "A → B");
  ASSERT_EQ(found.directions[0].pairs.size(), 2u);
  const Comparison& pair = found.directions[0].pairs[1];
  EXPECT_EQ(pair.before.uri, embed(flat(0, 0, 0)).uri);
  EXPECT_EQ(pair.after.uri, embed(flat(100, 110, 120)).uri);
  EXPECT_EQ(pair.difference.uri, embed(flat(100, 110, 120)).uri);
  EXPECT_EQ(grid_words(run.read()),
            "A row is one image, A → B; from left to right: input, translation, translated back.");
}

TEST(RunPictures, OfHeldOutImagesComeFirst) {
  RunFolder run;
  run.write_layout();
  run.write_grid(run.directory.sample(20));
  run.write_grid(run.directory.held_out_samples(), 5);
  const RunPairs found = run_pairs(run.read(), 8);
  EXPECT_THAT(found.source, HasSubstr("held out"));
  EXPECT_EQ(found.directions.at(0).pairs.size(), 5u);
}

TEST(RunPictures, ThatCannotBeCutSayWhy) {
  RunFolder run;
  EXPECT_THAT(run_pairs(run.read(), 8).missing, HasSubstr("no sample images"));
  run.write_grid(run.directory.sample(20));
  EXPECT_THAT(run_pairs(run.read(), 8).missing, HasSubstr("older versions"));
  run.write(run.directory.sample_layout(),
            R"({"columns": [["real_a", "fake_b"]], "cell": [128, 128], "margin": 4})");
  EXPECT_THAT(run_pairs(run.read(), 8).missing, HasSubstr("laid out otherwise"));
}

TEST(RunPictures, DifferByTheDistanceOfEachSample) {
  EXPECT_EQ(difference_image(flat(10, 200, 7), flat(30, 190, 7)).bytes, flat(20, 10, 0).bytes);
  EXPECT_THAT(error_of([] { difference_image(flat(0, 0, 0, 2), flat(0, 0, 0, 3)); }), HasSubstr("3x3"));
}

TEST(SampleSlides, OfManyGridsAreThinnedAndKeepTheEnds) {
  RunFolder run;
  run.write_grid(run.directory.sample(1), 1);
  for (int step = 2; step <= 50; ++step)
    std::filesystem::copy_file(run.directory.sample(1), run.directory.sample(step));
  run.write(run.directory.samples() / "step_x.png", "no grid");
  const SampleSlides all = sample_slides(run.read(), 1 << 20);
  EXPECT_EQ(all.there_are, 50u);
  EXPECT_EQ(all.slides.size(), 30u);
  EXPECT_EQ(all.slides.front().label, "step 1");
  EXPECT_EQ(all.slides.back().label, "step 50");
  const SampleSlides few = sample_slides(run.read(), 5 * all.slides.back().picture.bytes());
  EXPECT_EQ(few.slides.size(), 5u);
  EXPECT_EQ(few.slides.back().label, "step 50");
}

TEST(SampleSlides, LeaveOutWhatCannotBeReadAndSaySo) {
  RunFolder run;
  EXPECT_TRUE(sample_slides(run.read(), 1000).slides.empty());
  run.write_grid(run.directory.sample(1), 1);
  run.write(run.directory.sample(2), "no picture");
  const SampleSlides found = sample_slides(run.read(), 1 << 20);
  EXPECT_EQ(found.slides.size(), 1u);
  ASSERT_EQ(found.unreadable.size(), 1u);
  EXPECT_THAT(found.unreadable[0], HasSubstr("step_00000002.png"));
}

}  // namespace
}  // namespace torsor::testing
