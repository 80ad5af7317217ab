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

// What makes A a T1 and B a FLAIR picture.
TEST(Phantom, ShowsTheTissuesAsItsContrastDoes) {
  PhantomTruth truth;
  truth.folds = 0;
  truth.ventricles = {{-0.3, 0, 0.15, 0.15, 0}};
  truth.lesions = {{0.3, 0, 0.15, 0.15, 0}};
  const auto samples = [&](Domain domain) {
    const Image image = render_phantom(domain, truth, 100);
    const auto at = [&](double x, double y) {  // in the brain's own coordinates
      const auto column = static_cast<std::int64_t>(100 * (0.5 + x * truth.half_width)),
                 row = static_cast<std::int64_t>(100 * (0.5 + y * truth.half_height));
      return static_cast<int>(image.u8()[row * 100 + column]);
    };
    struct {
      int white, grey, fluid, lesion, outside;
    } out{at(0, 0.4), at(0, 0.9), at(-0.3, 0), at(0.3, 0), at(0, 1.15)};
    return out;
  };
  const auto t1 = samples(Domain::a), flair = samples(Domain::b);
  EXPECT_GT(t1.white, t1.grey);
  EXPECT_GT(t1.grey, t1.lesion);
  EXPECT_GT(t1.lesion, t1.fluid);
  EXPECT_GT(flair.lesion, flair.grey);
  EXPECT_GT(flair.grey, flair.white);
  EXPECT_GT(flair.white, flair.fluid);
  EXPECT_GT(t1.fluid, 0);
  EXPECT_GT(flair.fluid, 0);
  EXPECT_EQ(t1.outside, 0);
  EXPECT_EQ(flair.outside, 0);
}

TEST(Phantom, ASourceDrawsItsOwnDomainAndSplit) {
  for (const Domain domain : {Domain::a, Domain::b})
    for (const Split split : {Split::train, Split::test}) {
      const auto source = make_phantom_source(domain, split, 5, 4, 40);
      EXPECT_EQ(source->size(), 4);
      EXPECT_EQ(source->read(3).bytes, render_phantom(domain, phantom_truth(domain, split, 5, 3), 40).bytes);
    }
  const auto a = make_phantom_source(Domain::a, Split::test, 5, 4, 40),
             b = make_phantom_source(Domain::b, Split::test, 5, 4, 40);
  EXPECT_NE(a->read(0).bytes, b->read(0).bytes);
  EXPECT_NE(a->read(0).bytes, a->read(1).bytes);
  EXPECT_THROW(make_phantom_source(Domain::a, Split::test, 5, 4, 8), UsageError);
  EXPECT_THROW(make_phantom_source(Domain::a, Split::test, 5, 0, 40), UsageError);
}

}  // namespace
}  // namespace torsor
