// What a run is estimated to take compared with what it takes, by what the allocators gave out: that does not
// depend on what else the machine does.
#include "train/estimate.h"

#include <algorithm>
#include <cmath>

#include "train/train_test_support.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TrainConfig sized(std::int64_t side, std::int64_t width, std::int64_t batch, const std::string& engine) {
  TrainConfig config = tiny_config("run");
  config.data.transform.crop_size = config.data.transform.load_size = side;
  cyclegan(config).nets.generator.ngf = cyclegan(config).nets.discriminator.ndf = width;
  config.data.batch_size = batch;
  config.run.placement.engine = engine;
  return config;
}

TEST(Estimate, OfSmallImagesHoldsForLargerOnes) {
  struct Case {
    std::int64_t side, width, batch;
    std::string engine;
  };
  for (const Case& c : {Case{64, 8, 4, "auto"},
                        {144, 16, 2, "fast"},
                        {144, 32, 1, "torch"},
                        {192, 16, 1, "torch"},
                        {256, 4, 1, "torch"}}) {
    SCOPED_TRACE(fmt::format("{} px, ngf {}, batch {}, {}", c.side, c.width, c.batch, c.engine));
    const TrainConfig config = sized(c.side, c.width, c.batch, c.engine);
    const double told = try_step(config, Trial::scaled, Timing::none).bytes;
    const double seen = TrialModel(config).run({c.batch, c.side, c.side}, Timing::none).step;
    // Buffers of fixed size do not shrink with narrow networks; next to the program itself they are little.
    EXPECT_NEAR(told, seen, std::max(0.15 * seen, 20e6));
  }
}

/// An estimate of `config` on a machine with so much memory.
RunEstimate estimate(const TrainConfig& config, double room) {
  return RunEstimate(config, open_data(config, std::make_shared<NullLog>()), {room, "this test has"},
                     Timing::none);
}

TEST(Estimate, RefusesWhatDoesNotFitAndNamesWhatWould) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the memory is the sanitizer's, which a narrower network does not make less";
#endif
  TrainConfig config = sized(64, 8, 64, "torch");
  config.data.max_dataset_size = 64;
  const double needs = estimate(config, HUGE_VAL).memory().passing;
  EXPECT_NO_THROW(estimate(config, HUGE_VAL).require_room());
  const std::string told = error_of<UsageError>([&] { estimate(config, needs / 2).require_room(); });
  EXPECT_THAT(told,
              AllOf(HasSubstr("would take about"), HasSubstr("this test has"), HasSubstr("--batch-size "),
                    HasSubstr("--crop-size "), HasSubstr("--ngf "), HasSubstr("--force")));
  const auto number_after = [&](const std::string& flag) {
    return std::stoll(told.substr(told.find(flag) + flag.size()));
  };
  TrainConfig smaller = config;
  smaller.data.batch_size = number_after("--batch-size ");
  EXPECT_GT(smaller.data.batch_size, 8);
  EXPECT_NO_THROW(estimate(smaller, needs / 2).require_room());
  EXPECT_LT(number_after("--crop-size "), 64);
}

TEST(Estimate, DoesNotMakeWeightsThatCannotFit) {
  TrainConfig config = sized(64, 4096, 1, "torch");
  cyclegan(config).nets.discriminator.ndf = 4;
  EXPECT_THAT(error_of<UsageError>([&] { estimate(config, 1e9).require_room(); }),
              AllOf(HasSubstr("more than"), HasSubstr("--ngf ")));
}

TEST(Estimate, ABatchIsNoLargerThanAnEpoch) {
  TrainConfig config = sized(16, 4, 65536, "torch");
  const double all = estimate(config, HUGE_VAL).memory().images;
  config.data.batch_size = 4;
  EXPECT_DOUBLE_EQ(estimate(config, HUGE_VAL).memory().images, all);
}

TEST(Estimate, CountsTheHistoryAndWhatIsReadAhead) {
  TrainConfig config = sized(32, 4, 1, "torch");
  const double image = 4.0 * 32 * 32 * 6;
  const double before = estimate(config, HUGE_VAL).memory().images;
  cyclegan(config).cyclegan.pool_size += 10;
  config.data.loader_threads += 1;
  EXPECT_DOUBLE_EQ(estimate(config, HUGE_VAL).memory().images, before + 10 * image + 4 * image);
}

TEST(Estimate, MeasuresAStep) {
  const TestFolder folder;
  TrainConfig config = tiny_config(folder.path / "run");
  const StepCost cost = measure_step(config, Trial::full);
  EXPECT_GT(cost.seconds, 0);
  EXPECT_GT(cost.bytes, 0);
  EXPECT_EQ(cost.batches, 1);
  cyclegan(config).gan.gan_mode = "wgangp";
  cyclegan(config).cyclegan.critic_steps = 3;
  EXPECT_EQ(measure_step(config, Trial::full).batches, 3);
}

// Two passes through generators are kept at a time instead of six.
TEST(Estimate, SeesWhatBackwardByGroupsSaves) {
  const TestFolder folder;
  TrainConfig config = tiny_config(folder.path / "run");
  config.data.transform.crop_size = config.data.transform.load_size = 64;
  cyclegan(config).cyclegan.backward = "joint";
  const double joint = try_step(config, Trial::full, Timing::none).bytes;
  cyclegan(config).cyclegan.backward = "grouped";
  const double grouped = try_step(config, Trial::full, Timing::none).bytes;
  EXPECT_LT(grouped, 0.6 * joint);
}

}  // namespace
}  // namespace torsor::testing
