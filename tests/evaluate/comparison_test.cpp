// Two evaluations against each other.
#include "evaluate/comparison.h"

#include <cmath>

#include "test_support.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Json result(double value, double low, double high) {
  return {{"value", value}, {"interval", {low, high}}, {"protocol", {{"images", 10}}}};
}

Json evaluation(const Json& kid, const Json& psnr) {
  return {{"torsor", "1"},
          {"protocol", {{"torsor", "1"}, {"seed", 0}, {"extractor", {{"hash", "x"}, {"weights", "here"}}}}},
          {"metrics", {{"kid", kid}, {"psnr", psnr}}}};
}

Comparison compare(const Json& before, const Json& after) {
  return compare_evaluations(before, "old.json", after, "new.json");
}

TEST(Comparisons, SayWhetherADifferenceIsLargerThanItsInterval) {
  const Json before = evaluation(result(0.5, 0.4, 0.7), result(20, 19, 21));
  const Comparison done = compare(before, evaluation(result(0.2, 0.1, 0.3), result(20.5, 20, 21)));
  ASSERT_EQ(done.changes.size(), 2u);
  const MetricChange& kid = done.changes[0];
  EXPECT_EQ(kid.change, Change::better) << "of KID the lower one is better";
  EXPECT_NEAR(kid.difference->low, -0.3 - std::hypot(0.1, 0.2), 1e-12);
  EXPECT_NEAR(kid.difference->high, -0.3 + std::hypot(0.1, 0.1), 1e-12);
  EXPECT_EQ(done.changes[1].change, Change::within_interval);
  EXPECT_THAT(change_text(kid), AllOf(HasSubstr("kid: 0.5 -> 0.2"), HasSubstr("better")));
  const Comparison back = compare(before, evaluation(result(0.5, 0.4, 0.7), result(15, 14, 16)));
  EXPECT_EQ(back.changes[1].change, Change::worse) << "of PSNR the higher one is";
  EXPECT_EQ(back.changes[0].change, Change::within_interval);
}

TEST(Comparisons, SayNothingWithoutAnInterval) {
  Json none = result(0, 0, 0);
  none["value"] = "inf";
  none["interval"] = nullptr;
  const Comparison done =
      compare(evaluation(result(1, 0, 2), none), evaluation(result(1, 0, 2), result(3, 2, 4)));
  EXPECT_EQ(done.changes[1].change, Change::no_interval);
  EXPECT_THAT(change_text(done.changes[1]), HasSubstr("inf -> 3"));
  EXPECT_EQ(comparison_json(done).at("changes").at(1).at("before"), "inf");
}

TEST(Comparisons, RefuseUnlikeProtocols) {
  const Json before = evaluation(result(1, 0, 2), result(1, 0, 2));
  Json after = before;
  after["protocol"]["extractor"]["hash"] = "y";
  after["protocol"]["seed"] = 3;
  after["metrics"]["kid"]["protocol"]["images"] = 12;
  EXPECT_THAT(error_of([&] { compare(before, after); }),
              AllOf(HasSubstr("old.json and new.json"), HasSubstr("3 entries"),
                    HasSubstr("extractor.hash is \"x\" and \"y\""), HasSubstr("kid.images is 10 and 12"),
                    HasSubstr("seed is 0 and 3")));
}

TEST(Comparisons, PassOverWhereWeightsLieAndTheVersion) {
  const Json before = evaluation(result(1, 0, 2), result(1, 0, 2));
  Json after = before;
  after["protocol"]["extractor"]["weights"] = "there";
  after["protocol"]["torsor"] = after["torsor"] = "2";
  after["metrics"].erase("psnr");
  const Comparison done = compare(before, after);
  EXPECT_THAT(done.notes, ::testing::ElementsAre("psnr is in the older evaluation alone",
                                                 "the evaluations are of torsor 1 and 2"));
}

TEST(Comparisons, GoDirectionByDirection) {
  const auto of_model = [](double kid) -> Json {
    const Json part = {{"protocol", {{"real", 5}}}, {"metrics", {{"kid", result(kid, kid - 1, kid + 1)}}}};
    return {{"protocol", {{"seed", 0}}}, {"directions", {{"a_to_b", part}, {"b_to_a", part}}}};
  };
  const Comparison done = compare(of_model(1), of_model(9));
  EXPECT_EQ(done.changes[1].direction, "b_to_a");
  Json other = of_model(1);
  other["directions"]["b_to_a"]["protocol"]["real"] = 6;
  EXPECT_THAT(error_of([&] { compare(of_model(1), other); }), HasSubstr("b_to_a.real is 5 and 6"));
}

TEST(Comparisons, AreOfEvaluations) {
  EXPECT_THAT(error_of([] {
                compare(Json{{"a", 1}}, Json::object());
              }),
              HasSubstr("old.json: is no evaluation"));
  Json damaged = evaluation(result(1, 0, 2), result(1, 0, 2));
  damaged["metrics"]["kid"].erase("value");
  EXPECT_THAT(error_of([&] { compare(damaged, damaged); }), HasSubstr("damaged"));
}

}  // namespace
}  // namespace torsor::testing
