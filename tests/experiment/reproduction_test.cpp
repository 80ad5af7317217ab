#include "experiment/reproduction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "experiment/experiments.h"
#include "test_support.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using testing::TestFolder;

// Measures how often it ran.
class CountingExperiment : public Experiment {
 public:
  explicit CountingExperiment(Verdict verdict, std::string seeds = "0-2") : verdict_(verdict) {
    info_ = {.id = "X-1",
             .title = "counts",
             .plain = "This page counts.",
             .claim = "one <two>",
             .rule = "agrees: yes. disagrees: no. cannot tell: perhaps.",
             .data = "digits",
             .takes = {"1 s", "2 s", "3 s"},
             .seeds = {seeds, seeds, seeds}};
  }
  const ExperimentInfo& info() const override { return info_; }
  std::vector<Setting> setup(Scale scale) const override {
    return {{"said", "one"}, {"open", scale_name(scale), "nobody says"}};
  }
  Json measure(const Request& request) const override {
    check_stop(request.stop);
    return {{"seeds", request.seeds}, {"data", request.data.string()}};
  }
  Finding judge(const Json& results) const override {
    return {verdict_, fmt::format("{} seeds", results.at("seeds").size())};
  }
  void present(const Json& results, ReproductionPage& page) const override {
    page.html().paragraph("measured " + results.at("seeds").dump());
    page.drawing("line", draw(LineChart{"line", {}, {}, {{"", {0, 1}, {0, 1}}}}), "a line");
  }
  ExperimentInfo& mutable_info() { return info_; }

 private:
  Verdict verdict_;
  ExperimentInfo info_;
};

class ReproduceTest : public ::testing::Test {
 protected:
  Reproduction run(const Experiment& experiment) { return reproduce(experiment, options_, log_, stop_); }

  TestFolder folder_;
  std::shared_ptr<LogSink> log_ = std::make_shared<NullLog>();
  StopFlag stop_;
  ReproduceOptions options_{.scale = "quick", .out = (folder_ / "out").string()};
};

TEST_F(ReproduceTest, WritesThePageTheNumbersAndTheFigures) {
  const Reproduction done = run(CountingExperiment(Verdict::disagrees));
  EXPECT_EQ(done.verdict, "disagrees");
  EXPECT_EQ(done.because, "3 seeds");
  const std::string page = read_file(done.page);
  EXPECT_THAT(page,
              AllOf(HasSubstr("one &lt;two&gt;"), HasSubstr("This run disagrees with the claim"),
                    HasSubstr("3 seeds."), HasSubstr("<li>disagrees: no. </li>"),
                    HasSubstr("open in the paper, our choice: nobody says"), HasSubstr("measured [0,1,2]"),
                    HasSubstr("torsor reproduce X-1 --scale quick --seeds 0,1,2")));
  const Json record = read_json(folder_ / "out/results.json");
  EXPECT_EQ(record.at("results").at("seeds"), Json({0, 1, 2}));
  EXPECT_EQ(record.at("verdict"), "disagrees");
  EXPECT_EQ(record.at("setup").size(), 2u);
  EXPECT_TRUE(fs::exists(folder_ / "out/figures/line.svg"));
  EXPECT_TRUE(fs::exists(folder_ / "out/figures/line.png"));
}

TEST_F(ReproduceTest, BeginsItsPageWithOneSentenceAndTheVerdict) {
  const std::string page = read_file(run(CountingExperiment(Verdict::agrees)).page);
  const std::size_t sentence = page.find("<p class=\"lead\">This page counts.</p>"),
                    verdict = page.find("This run agrees"), claim = page.find("one &lt;two&gt;");
  EXPECT_TRUE(page.find("<h1>") < sentence && sentence < verdict && verdict < claim);
}

TEST_F(ReproduceTest, ASmokeRunIsTooShortToTellWhateverItsNumbers) {
  options_.scale = "smoke";
  for (const Verdict verdict : {Verdict::agrees, Verdict::disagrees, Verdict::cannot_tell}) {
    options_.overwrite = true;
    const Reproduction done = run(CountingExperiment(verdict));
    EXPECT_EQ(done.verdict, "cannot tell");
    EXPECT_EQ(done.because,
              "a smoke run is too short to tell; by the rule alone its few numbers would say \"" +
                  verdict_name(verdict) + "\": 3 seeds");
    EXPECT_EQ(read_json(folder_ / "out/results.json").at("verdict"), "cannot tell");
    const std::string page = read_file(done.page);
    EXPECT_THAT(page, AllOf(HasSubstr("This run is too short to tell"),
                            HasSubstr("its few numbers would say &quot;" + verdict_name(verdict) +
                                      "&quot;: 3 seeds."),
                            HasSubstr("To judge the claim: torsor reproduce X-1 (2 s).")));
    EXPECT_LT(page.find("too short to tell"), page.find("one &lt;two&gt;")) << "before all else";
  }
}

TEST_F(ReproduceTest, KeepsAnEarlierResultUnlessToldOtherwise) {
  run(CountingExperiment(Verdict::agrees));
  const std::string before = read_file(folder_ / "out/results.json");
  EXPECT_THAT(error_of<UsageError>([&] { run(CountingExperiment(Verdict::disagrees)); }),
              AllOf(HasSubstr("--out"), HasSubstr("--overwrite")));
  EXPECT_EQ(read_file(folder_ / "out/results.json"), before);
  options_.overwrite = true;
  EXPECT_EQ(run(CountingExperiment(Verdict::disagrees)).verdict, "disagrees");
}

TEST_F(ReproduceTest, StoppedItLeavesWhatWasThere) {
  run(CountingExperiment(Verdict::agrees));
  const std::string before = read_file(folder_ / "out/results.json");
  options_.overwrite = true;
  stop_.request();
  EXPECT_THROW(run(CountingExperiment(Verdict::disagrees)), StoppedError);
  EXPECT_EQ(read_file(folder_ / "out/results.json"), before);
}

TEST_F(ReproduceTest, RefusesWhatTheExperimentDoesNotTake) {
  options_.data = folder_.path.string();
  CountingExperiment none(Verdict::agrees, "");
  none.mutable_info().data = "";
  EXPECT_THAT(error_of<UsageError>([&] { run(none); }), HasSubstr("--data"));
  options_.data = "";
  options_.seeds = "1";
  EXPECT_THAT(error_of<UsageError>([&] { run(none); }),
              AllOf(HasSubstr("--seeds"), HasSubstr("nothing at random")));
  options_ = {.scale = "smoke", .data = (folder_ / "absent").string(), .out = (folder_ / "out").string()};
  EXPECT_THAT(error_of<UsageError>([&] { run(CountingExperiment(Verdict::agrees)); }),
              AllOf(HasSubstr("absent"), HasSubstr("digits")));
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST(Experiments, SayWhatTheyClaimAndByWhichRuleTheyJudge) {
  std::set<std::string> ids;
  for (const auto& experiment : experiments()) {
    const ExperimentInfo& info = experiment->info();
    EXPECT_TRUE(ids.insert(info.id).second) << info.id;
    // Of the seeds, but for torsor's own.
    EXPECT_TRUE(info.id.starts_with("S") || info.id == "audit-battery") << info.id;
    EXPECT_FALSE(info.claim.empty());
    EXPECT_TRUE(info.plain.ends_with(".") && info.plain.find(". ") == std::string::npos) << info.id;
    EXPECT_LT(info.plain.size(), 280u) << info.id;
    for (const char* symbol : {"phi", "alpha", "L_", "E_", "Prop", "Aut", "=", "MNIST", "->"})
      EXPECT_EQ(info.plain.find(symbol), std::string::npos)
          << info.id << " says " << symbol << " to a stranger";
    const std::size_t agrees = info.rule.find("agrees:"), disagrees = info.rule.find("disagrees:"),
                      cannot = info.rule.find("cannot tell:");
    EXPECT_TRUE(agrees < disagrees && disagrees < cannot && cannot != std::string::npos) << info.id;
    for (int s = 0; s < 3; ++s) {
      EXPECT_FALSE(info.takes[static_cast<std::size_t>(s)].empty()) << info.id;
      EXPECT_FALSE(experiment->setup(static_cast<Scale>(s)).empty()) << info.id;
    }
  }
  EXPECT_THAT(experiment_list(), HasSubstr("\nS0-C4 "));
}

TEST(Experiments, AnUnknownIdIsNamedWithItsNeighbour) {
  EXPECT_THAT(error_of<UsageError>([] { experiment_named("S0-C12"); }),
              AllOf(HasSubstr("'S0-C12'"), HasSubstr("did you mean 'S0-C1'")));
}

}  // namespace
}  // namespace torsor
