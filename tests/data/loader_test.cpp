// The loader on several ranks: their batches together are those of one rank.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include <mutex>
#include <vector>

#include "core/error.h"
#include "data/loader.h"
#include "dist/thread_ranks.h"

namespace torsor {
namespace {

using ::testing::HasSubstr;

/// Item i is the number i and what is drawn for it.
class Numbers : public Dataset {
 public:
  explicit Numbers(std::int64_t size) : size_(size) {}
  std::int64_t size() const override { return size_; }
  Batch get(std::int64_t index, Rng& rng) const override {
    Batch sample;
    sample.tensors["x"] = at::tensor({static_cast<double>(index), rng.uniform()}, at::kDouble);
    return sample;
  }

 private:
  std::int64_t size_;
};

constexpr std::uint64_t kSeed = 5;

std::shared_ptr<const Dataset> numbers(std::int64_t size) { return std::make_shared<Numbers>(size); }

/// Step by step the batches [N,2] of all ranks as one, in their order.
std::vector<at::Tensor> dealt(std::int64_t ranks, LoaderOptions options, std::int64_t items, int steps,
                              LoaderPosition start = {}) {
  std::vector<std::vector<at::Tensor>> parts(static_cast<std::size_t>(steps),
                                             std::vector<at::Tensor>(static_cast<std::size_t>(ranks)));
  run_thread_ranks(ranks, [&](Context& context) {
    Loader loader(numbers(items), options, start, context);
    for (auto& step : parts) step[static_cast<std::size_t>(context.rank())] = loader.next().at("x");
  });
  std::vector<at::Tensor> out;
  for (const auto& step : parts) out.push_back(at::cat(step));
  return out;
}

void expect_equal(const std::vector<at::Tensor>& got, const std::vector<at::Tensor>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(got[i].equal(expected[i])) << "step " << i;
}

TEST(LoaderOfRanks, TheirBatchesTogetherAreThoseOfOneRank) {
  // 12 items: two epochs of 3 steps of 4.
  const LoaderOptions whole{4, 0, true, kSeed, 0};
  const std::vector<at::Tensor> expected = dealt(1, whole, 12, 6);
  EXPECT_FALSE(expected[0].equal(expected[3]));  // another order, or other draws
  expect_equal(dealt(2, {2, 0, true, kSeed, 0}, 12, 6), expected);
  expect_equal(dealt(4, {1, 2, true, kSeed, 0}, 12, 6), expected);
}

TEST(LoaderOfRanks, DealsEveryImageOnceAnEpoch) {
  const at::Tensor epoch = at::cat(dealt(3, {2, 1, true, kSeed, 0}, 18, 3)).select(1, 0);
  EXPECT_TRUE(std::get<0>(epoch.sort()).equal(at::arange(18, at::kDouble)));
}

TEST(LoaderOfRanks, PassesOverWhatDoesNotGiveEachAWholeBatch) {
  run_thread_ranks(2, [&](Context& context) {
    Loader loader(numbers(11), {2, 0, false, kSeed, 0}, {}, context);
    EXPECT_EQ(loader.batches_per_epoch(), 2);
    loader.next();
    loader.next();
    EXPECT_EQ(loader.position().epoch, 1);
    EXPECT_EQ(loader.next().at("x")[0][0].item<double>(), 2.0 * static_cast<double>(context.rank()));
  });
}

TEST(LoaderOfRanks, GoesOnWhereItStood) {
  const LoaderOptions options{1, 0, true, kSeed, 0};
  const std::vector<at::Tensor> all = dealt(2, options, 8, 6);
  expect_equal(dealt(2, options, 8, 3, {0, 3}), {all[3], all[4], all[5]});
}

TEST(LoaderOfRanks, RefusesAnEpochThatDoesNotDo) {
  try {
    run_thread_ranks(3, [&](Context& context) { Loader(numbers(5), {2, 0, true, kSeed, 0}, {}, context); });
    FAIL() << "nothing was thrown";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("5 images does not give each of 3 ranks a batch of 2"));
  }
}

TEST(LoaderOfRanks, OneRankHasItsShortLastBatch) {
  Loader loader(numbers(5), {2, 0, false, kSeed, 0});
  EXPECT_EQ(loader.batches_per_epoch(), 3);
  loader.next();
  loader.next();
  EXPECT_EQ(loader.next().at("x").size(0), 1);
}

}  // namespace
}  // namespace torsor
