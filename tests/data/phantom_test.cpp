#include "data/phantom.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "image/convert.h"

namespace torsor {
namespace {

TEST(Phantom, ItsDistributionIsExactlyFlipInvariantAndNoSliceIs) {
  int flips = 0;
  for (std::int64_t i = 0; i < 400; ++i) {
    PhantomTruth truth = phantom_truth(Domain::a, Split::train, 1, i);
    flips += truth.flipped;
    if (i >= 20) continue;
    const Image one = render_phantom(Domain::b, truth, 48);
    truth.flipped = !truth.flipped;  // as likely
    EXPECT_EQ(render_phantom(Domain::b, truth, 48).bytes, flip_horizontal(one).bytes);
    EXPECT_NE(one.bytes, flip_horizontal(one).bytes);
  }
  EXPECT_NEAR(flips, 200, 40);
}

TEST(Phantom, TestSlicesArePairsAndTrainingSlicesAreNot) {
  const auto b = [](Domain d, Split s) {
    return render_phantom(Domain::b, phantom_truth(d, s, 5, 7), 48).bytes;
  };
  EXPECT_EQ(b(Domain::a, Split::test), b(Domain::b, Split::test));
  EXPECT_NE(b(Domain::a, Split::train), b(Domain::b, Split::train));
  EXPECT_NE(b(Domain::a, Split::train), b(Domain::a, Split::test));
  EXPECT_THROW(render_phantom(Domain::a, {}, 8), UsageError);
}

}  // namespace
}  // namespace torsor
