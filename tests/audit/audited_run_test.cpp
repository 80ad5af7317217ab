// What of a training's objective an audit measures.
#include "audit/audited_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/model_types.h"
#include "random_generators.h"
#include "test_support.h"

namespace torsor::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

AuditedRun run_trained_with(const Json& training) {
  WeightSet set = random_generators();
  set.info.type = kDefaultModel;
  set.info.training = training;
  return audited_run_of(set, "run", Placement{});
}

std::vector<std::string> term_names(const AuditedRun& run) {
  std::vector<std::string> out;
  for (const LossTerm& term : run.terms) out.push_back(term.name);
  return out;
}

TEST(AuditedTerms, HaveTheTransportCostOfPixels) {
  const AuditedRun run = run_trained_with({{"lambda_transport", 0.5}});
  EXPECT_THAT(term_names(run), Contains("transport_a"));
  EXPECT_THAT(run.unmeasured, IsEmpty());
}

TEST(AuditedTerms, NameTheTransportCostsThatNeedMoreThanImages) {
  const AuditedRun run = run_trained_with(
      {{"lambda_transport", 0.5}, {"transport_cost", "blocks"}, {"norm", "instance_affine"}});
  EXPECT_THAT(term_names(run), Not(Contains("transport_a")));
  EXPECT_THAT(run.unmeasured, ElementsAre("transport_a", "transport_b"));
}

TEST(AuditedTerms, NameNothingOfATrainingWithout) {
  const AuditedRun run = run_trained_with(Json{{"transport_cost", "blocks"}});
  EXPECT_EQ(run.terms.size(), 6U);
  EXPECT_THAT(run.unmeasured, IsEmpty());
}

}  // namespace
}  // namespace torsor::testing
