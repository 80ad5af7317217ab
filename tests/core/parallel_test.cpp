#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <set>
#include <stdexcept>
#include <vector>

#include "core/parallel.h"

namespace torsor {
namespace {

TEST(InParallel, CallsEveryJobOnce) {
  const StopFlag stop;
  for (const std::size_t at_a_time : {0, 1, 3, 100}) {
    std::array<std::atomic<int>, 50> calls{};
    in_parallel(
        calls.size(), stop, [&](std::size_t i) { ++calls[i]; }, at_a_time);
    for (const auto& count : calls) EXPECT_EQ(count.load(), 1) << at_a_time;
  }
}

TEST(InParallel, HasNoMoreAtATimeThanAsked) {
  const StopFlag stop;
  std::atomic<int> now = 0, most = 0;
  in_parallel(
      200, stop,
      [&](std::size_t) {
        const int here = ++now;
        for (int seen = most; here > seen && !most.compare_exchange_weak(seen, here);) {
        }
        --now;
      },
      2);
  EXPECT_GE(most.load(), 1);
  EXPECT_LE(most.load(), 2);
}

TEST(InParallel, OneAtATimeGoesInOrder) {
  const StopFlag stop;
  std::vector<std::size_t> order;
  in_parallel(
      4, stop, [&](std::size_t i) { order.push_back(i); }, 1);
  EXPECT_THAT(order, ::testing::ElementsAre(0, 1, 2, 3));
}

TEST(InParallel, BeginsNoMoreAfterAStopOrAFailure) {
  StopFlag stop;
  std::vector<std::size_t> begun;
  in_parallel(
      9, stop,
      [&](std::size_t i) {
        begun.push_back(i);
        if (i == 2) stop.request();
      },
      1);
  EXPECT_EQ(begun.size(), 3U);
  EXPECT_THROW(check_stop(stop), StoppedError);

  const StopFlag going;
  begun.clear();
  EXPECT_THROW(in_parallel(
                   9, going,
                   [&](std::size_t i) {
                     begun.push_back(i);
                     if (i == 4) throw std::runtime_error("no room");
                   },
                   1),
               std::runtime_error);
  EXPECT_EQ(begun.size(), 5U);
  check_stop(going);
}

}  // namespace
}  // namespace torsor
