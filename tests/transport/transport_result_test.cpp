#include "transport/transport_result.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <limits>

#include "core/files.h"
#include "planted_points.h"
#include "test_support.h"
#include "transport/pair_costs.h"

namespace torsor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

SampleUnits each_alone(std::int64_t count) {
  std::vector<std::int64_t> groups;
  for (std::int64_t i = 0; i < count; ++i) groups.push_back(i);
  return SampleUnits(groups);
}

// A map that moves all points by one.
DirectionTransport planted_direction(const at::Tensor& shift) {
  Rng rng(1);
  const CostOptions squared{"squared"};
  const at::Tensor x = testing::normal_points(12, 2, 0, rng), y = testing::normal_points(10, 2, 1, rng);
  DirectionTransport out;
  out.name = "a_to_b";
  out.images = 12;
  out.targets = 10;
  out.map = map_transport({pair_costs(x, x + shift, squared), pair_costs(x, y, squared),
                           pair_costs(x, x, squared), pair_costs(y, y, squared)},
                          each_alone(12), each_alone(10), {.subsamples = 12});
  out.blocks.why_not = "it has none";
  return out;
}

TransportResult planted_result(double shift) {
  return {{{"run", "planted"}}, {{"cost", "squares"}}, "squares", {planted_direction(at::full({2}, shift))}};
}

TEST(TransportResult, HoldsEachFigureWithItsInterval) {
  const Json json = transport_json(planted_result(1));
  const Json& direction = json.at("directions").at("a_to_b");
  for (const char* key : {"own", "cost", "optimal", "random", "gap"}) {
    EXPECT_TRUE(direction.at(key).at("value").is_number()) << key;
    EXPECT_EQ(direction.at(key).at("interval").size(), 2u) << key;
  }
  EXPECT_NEAR(direction.at("own").at("value").get<double>(), 1, 1e-9);
  EXPECT_NEAR(direction.at("cost").at("value").get<double>(), 1, 1e-9);
  EXPECT_EQ(direction.at("own").at("sizes").size(), 3u);
  EXPECT_EQ(direction.at("own").at("sizes")[2].at("images"), 12);
  EXPECT_EQ(direction.at("optimal").at("corrected").at("images"), 5);
  EXPECT_EQ(direction.at("violated").at("pairs").at("value"), 0);
  EXPECT_EQ(direction.at("blocks").at("not_measured"), "it has none");
  EXPECT_LT(direction.at("own").at("bound").get<double>(), 1e-9);
}

// Of the identity the planted bad map is infinitely dear, for which JSON has no number.
TEST(TransportResult, OfTheIdentityCanBeWritten) {
  const testing::TestFolder folder;
  write_transport(planted_result(0), "torsor transport planted", folder.path / "out");
  const Json json = read_json(folder.path / "out" / "transport.json");
  const Json& own = json.at("directions").at("a_to_b").at("own");
  EXPECT_EQ(own.at("value"), 1);
  EXPECT_EQ(own.at("shuffled"), "inf");
  const std::string page = read_file(folder.path / "out" / "index.html");
  EXPECT_THAT(page, HasSubstr("cost infinite times the cheapest"));
  EXPECT_THAT(page, HasSubstr("torsor transport planted"));
}

TEST(TransportResult, PageSaysWhatTheFiguresDoNot) {
  TransportResult result = planted_result(1);
  Rng rng(2);
  const at::Tensor step = testing::normal_points(12, 6, 0, rng);
  result.directions[0].blocks = {block_measures(block_energy({step, step, -step}), each_alone(12))};
  result.directions[0].plane = plane_map(step, step + 1, step);
  const std::string page = transport_page(result, "torsor transport planted").html();
  EXPECT_THAT(page, HasSubstr("right one need not be the cheapest"));
  EXPECT_THAT(page, HasSubstr("Block energy is not a cost in pixels"));
  EXPECT_THAT(page, HasSubstr("straightness 0.3333"));
  EXPECT_THAT(page, HasSubstr("first two principal components"));
  EXPECT_THAT(page, HasSubstr("No re-matching of the 12 images"));
  EXPECT_THAT(page, Not(HasSubstr("Not measured")));
  EXPECT_THAT(transport_page(planted_result(1), "").html(), HasSubstr("Not measured: it has none."));
}

// What an instance norm at the end of a block does.
TEST(TransportResult, SaysWhereNormsFixTheEnergy) {
  Rng rng(3);
  const at::Tensor step = testing::normal_points(12, 600, 0, rng);
  const auto normed = [](const at::Tensor& r) { return r / r.square().mean(1, true).sqrt(); };
  EXPECT_FALSE(block_measures(block_energy({step, step}), each_alone(12)).normalised);
  TransportResult result = planted_result(1);
  result.directions[0].blocks = {block_measures(block_energy({normed(step), normed(step)}), each_alone(12))};
  EXPECT_TRUE(result.directions[0].blocks.measures->normalised);
  EXPECT_NEAR(*result.directions[0].blocks.measures->energy.value, 4, 1e-9);
  EXPECT_THAT(transport_page(result, "").html(), HasSubstr("whatever the training did"));
}

TEST(TransportResult, TextsNameWhatIsMissing) {
  EXPECT_EQ(transport_text({std::nullopt, "too few", {}}), "none: too few");
  EXPECT_EQ(transport_text({2.5, "", {std::nullopt, std::nullopt, "", "none asked"}}), "2.5");
  EXPECT_EQ(transport_text({2.5, "", {Interval{2, 3}, std::nullopt, "", ""}}), "2.5 (2 to 3)");
  EXPECT_EQ(transport_text({std::numeric_limits<double>::infinity(), "", {}}), "infinite");
}

}  // namespace
}  // namespace torsor
