// H: what a planted translator's map costs, beside the least.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/parts.h"
#include "planted_material.h"
#include "planted_translators.h"
#include "random_generators.h"

namespace torsor {
namespace {

using ::testing::HasSubstr;
using testing::planted_inputs;
using testing::planted_run;

Json transport_of(const TensorMapping& map) {
  testing::PlantedAudit audit;
  audit.inputs = planted_inputs({planted_run("planted", map, map)});
  return transport_part().measure(audit.material()).at("directions");
}

TEST(TransportPart, ACopyCostsNothingAndATurnOfTheColoursNoMoreThanAnyRematching) {
  const Json copy = transport_of([](const at::Tensor& x) { return x.clone(); }).at("a_to_b");
  EXPECT_EQ(copy.at("cost").at("value"), 0.0);
  EXPECT_EQ(copy.at("own").at("value"), 1.0);
  const Json darker = transport_of([](const at::Tensor& x) { return x - 0.5; }).at("b_to_a");
  EXPECT_NEAR(darker.at("cost").at("value"), 0.25, 1e-6);
  EXPECT_NEAR(darker.at("own").at("value"), 1, 1e-6) << "a shift is optimal for its own images";
}

TEST(TransportPart, AMapThatExchangesImagesCostsMoreThanItHasTo) {
  const Json exchanged = transport_of([](const at::Tensor& x) { return x.flip({0}); }).at("a_to_b");
  EXPECT_EQ(exchanged.at("own").at("value"), "inf") << "the best re-matching of the same images is free";
  EXPECT_GT(exchanged.at("cost").at("value").get<double>(), 0.1);
}

TEST(TransportPart, ItsFindingsAreNotesThatSayThatCheapIsNotRight) {
  testing::PlantedAudit audit;
  const auto flipped = [](const at::Tensor& x) { return x.flip({0}); };
  audit.inputs = planted_inputs({planted_run("planted", testing::true_b, flipped)});
  const Json parts = {{"transport", transport_part().measure(audit.material())}};
  const std::vector<AuditFinding> findings = transport_part().judge(parts, {});
  ASSERT_EQ(findings.size(), 2U);
  for (const AuditFinding& finding : findings) {
    EXPECT_EQ(finding.role, FindingRole::note);
    EXPECT_THAT(finding.text, HasSubstr("no proof"));
  }
  EXPECT_TRUE(findings[0].estimate.has_value());
  EXPECT_FALSE(findings[1].estimate.has_value()) << "infinite";
}

TEST(TransportPart, ShowsWhereImagesGoAndWhatTheBlocksOfANetworkAdd) {
  const auto same = [](const at::Tensor& x) { return x.clone(); };
  const auto measured = [&](const AuditedRun& run) {
    testing::PlantedAudit audit;
    audit.inputs = planted_inputs({run});
    return transport_part().measure(audit.material());
  };
  AuditedRun run = planted_run("planted", same, same);
  const Json of_maps = measured(run);
  EXPECT_EQ(of_maps.at("figures").size(), 2U);
  EXPECT_THAT(of_maps.at("directions").at("a_to_b").at("blocks").at("not_measured"),
              HasSubstr("only its maps"));
  run.network = [set = testing::random_generators()](const Direction& direction) {
    return load_generator(set, direction.name());
  };
  const Json blocks = measured(run).at("directions").at("a_to_b").at("blocks");
  ASSERT_TRUE(blocks.contains("count")) << blocks;
  EXPECT_EQ(blocks.at("count"), 1);
  EXPECT_NEAR(blocks.at("energy").at("value").get<double>(), 1, 0.01) << "of an instance norm";
}

TEST(TransportPart, ImagesOfUnlikeSizesAreNotCompared) {
  testing::PlantedAudit audit;
  const auto same = [](const at::Tensor& x) { return x; };
  audit.inputs = planted_inputs({planted_run("planted", same, same)});
  audit.inputs.b.values = audit.inputs.b.values.narrow(2, 0, 16);
  EXPECT_THAT(transport_part().why_not(audit.material()), HasSubstr("differ in size"));
}

}  // namespace
}  // namespace torsor
