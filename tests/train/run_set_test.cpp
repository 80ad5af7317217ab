// Several trainings that belong together.
#include "train/run_set.h"

#include "train/train_test_support.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ParseSeeds, TakesListsAndRanges) {
  EXPECT_THAT(parse_seeds("0-4", "--seeds"), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(parse_seeds("7,2-3", "--seeds"), ElementsAre(7, 2, 3));
  EXPECT_THAT(parse_seeds("18446744073709551615", "--seeds"), ElementsAre(18446744073709551615u));
}

TEST(ParseSeeds, RefusesEverythingElse) {
  for (const char* text : {"", "a", "1,", ",1", "1-", "-1", "1.5", "1 2", "1--2", "99999999999999999999"})
    EXPECT_THAT(error_of<UsageError>([&] { parse_seeds(text, "--seeds"); }),
                AllOf(HasSubstr("--seeds"), HasSubstr("0-4")))
        << text;
  EXPECT_THAT(error_of<UsageError>([] { parse_seeds("4-1", "--seeds"); }), HasSubstr("1-4"));
  EXPECT_THAT(error_of<UsageError>([] { parse_seeds("1,0-3", "--seeds"); }), HasSubstr("twice"));
  EXPECT_THAT(error_of<UsageError>([] { parse_seeds("0-1000", "--seeds"); }), HasSubstr("more than 1000"));
  EXPECT_THAT(error_of<UsageError>([] { parse_seeds("0-18446744073709551615", "--seeds"); }),
              HasSubstr("more than"));
}

}  // namespace
}  // namespace torsor::testing
