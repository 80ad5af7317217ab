#include "metric/groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metric/resampling_strata.h"
#include "test_support.h"

namespace torsor {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;

TEST(Groups, AreWhatThePatternCaptures) {
  const SampleGroups groups = group_by_name({"p2/slice1.png", "p2/slice2.png", "p10/slice1.png"},
                                            {"p10/x.png", "p3/y.png"}, "(p[0-9]+)/");
  EXPECT_THAT(groups.real, ElementsAre(0, 0, 1));
  EXPECT_THAT(groups.fake, ElementsAre(1, 2));
  EXPECT_EQ(groups.count, 3);
  // Without a parenthesis the whole match.
  EXPECT_THAT(group_by_name({"clip1_a.png", "clip1_b.png", "clip2_a.png"}, {}, "clip[0-9]+").real,
              ElementsAre(0, 0, 1));
}

TEST(Groups, WithoutAPatternAnImageAndItsTranslationAreOne) {
  const SampleGroups groups = group_by_name({"a.jpg", "d/b.png", "b.png"}, {"b.tiff", "a.png"}, "");
  EXPECT_THAT(groups.real, ElementsAre(0, 1, 2));
  EXPECT_THAT(groups.fake, ElementsAre(2, 0));
  EXPECT_EQ(groups.count, 3);
}

TEST(Groups, RefuseWhatHasNone) {
  EXPECT_THAT(error_of([] {
                group_by_name({"p1_a.png", "stray.png"}, {}, "(p[0-9]+)_");
              }),
              HasSubstr("stray.png: its name does not match the pattern of --groups, '(p[0-9]+)_'"));
  EXPECT_THAT(error_of([] { group_by_name({"_a.png"}, {}, "(p?)_"); }), HasSubstr("_a.png"));
  EXPECT_THAT(error_of<UsageError>([] { check_group_pattern("(p", "--groups"); }),
              HasSubstr("--groups: '(p'"));
}

TEST(Groups, OfBothSetsAreNotIndependent) {
  EXPECT_THAT(independent_strata({{0, 0, 1}, {2, 3}, 4}), ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3)));
  EXPECT_THAT(independent_strata({{0, 0, 1}, {1, 2}, 3}), ElementsAre(ElementsAre(0, 1, 2)));
  EXPECT_THAT(independent_strata({{0, 1}, {}, 2}), ElementsAre(ElementsAre(0, 1)));
}

}  // namespace
}  // namespace torsor
