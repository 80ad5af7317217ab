// What ranks say to each other.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <mutex>
#include <set>

#include "core/error.h"
#include "dist/thread_ranks.h"

namespace torsor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Context, OneRankIsAloneAndChangesNothing) {
  Context& alone = single_rank();
  const at::Tensor x = at::arange(3);
  alone.all_reduce(x);
  alone.broadcast(x, 0);
  EXPECT_TRUE(x.equal(at::arange(3)));
  EXPECT_TRUE(alone.is_first() && alone.is_alone());
  EXPECT_EQ(from_first(alone, {{"a", 1}}), Json({{"a", 1}}));
  EXPECT_TRUE(on_any_rank(alone, true));
  EXPECT_FALSE(on_any_rank(alone, false));
  EXPECT_EQ(rank_seed(7, alone), 7U);
}

TEST(Context, EveryRankHasTheSumToTheBit) {
  constexpr std::int64_t kRanks = 3;
  std::vector<at::Tensor> sums(kRanks);
  run_thread_ranks(kRanks, [&](Context& context) {
    for (std::int64_t round = 1; round <= 50; ++round) {
      const at::Tensor x =
          at::full({2, 2}, 0.1 * static_cast<double>((context.rank() + 1) * round), at::kDouble);
      context.all_reduce(x);
      sums[static_cast<std::size_t>(context.rank())] = x;
    }
  });
  EXPECT_NEAR(sums[0][1][1].item<double>(), 0.1 * 6 * 50, 1e-12);
  EXPECT_TRUE(sums[0].equal(sums[1]) && sums[0].equal(sums[2]));
}

TEST(Context, ABroadcastBringsTheRootsValue) {
  std::vector<std::int64_t> got(3);
  run_thread_ranks(3, [&](Context& context) {
    const at::Tensor x = at::full({1}, context.rank() + 10, at::kLong);
    context.broadcast(x, 2);
    got[static_cast<std::size_t>(context.rank())] = x.item<std::int64_t>();
  });
  EXPECT_THAT(got, ElementsAre(12, 12, 12));
}

TEST(Context, TheFirstRanksJsonArrivesWithNumbersThatAreNotFinite) {
  run_thread_ranks(2, [&](Context& context) {
    const Json said = context.is_first() ? Json({{"fid", std::nan("")}, {"psnr", 0.1}}) : Json();
    const Json heard = from_first(context, said);
    EXPECT_TRUE(std::isnan(heard.at("fid").get<double>()));
    EXPECT_EQ(heard.at("psnr").get<double>(), 0.1);
  });
}

TEST(Context, OneRanksWordIsHeardByAll) {
  std::atomic<int> heard = 0;
  run_thread_ranks(3, [&](Context& context) {
    heard += on_any_rank(context, context.rank() == 1) ? 1 : 0;
    heard += on_any_rank(context, false) ? 100 : 0;
  });
  EXPECT_EQ(heard, 3);
}

TEST(Context, NoRankPassesABarrierBeforeAllAreThere) {
  std::atomic<int> arrived = 0;
  run_thread_ranks(4, [&](Context& context) {
    for (int round = 1; round <= 20; ++round) {
      ++arrived;
      context.barrier();
      EXPECT_GE(arrived, 4 * round);
    }
  });
}

TEST(Context, RanksHaveSeedsOfTheirOwn) {
  std::set<std::uint64_t> seeds;
  std::mutex mutex;
  run_thread_ranks(4, [&](Context& context) {
    const std::lock_guard lock(mutex);
    seeds.insert(rank_seed(7, context));
  });
  EXPECT_EQ(seeds.size(), 4U);
  EXPECT_TRUE(seeds.contains(7));
}

TEST(Context, NoRankWaitsForOneThatFailed) {
  std::atomic<int> told = 0;
  try {
    run_thread_ranks(3, [&](Context& context) {
      if (context.rank() == 1) fail("the disk is full");
      try {
        context.barrier();
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("rank 1 has ended"));
        ++told;
        throw;
      }
    });
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "the disk is full");
  }
  EXPECT_EQ(told, 2);
  EXPECT_THROW(run_thread_ranks(0, [](Context&) {}), std::logic_error);
}

}  // namespace
}  // namespace torsor
