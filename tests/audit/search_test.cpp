// The search for an automorphism: its training, resumed and kept, and planted results for every finding.
#include "audit/search.h"

#include "audit/training_part_support.h"
#include "core/files.h"

namespace torsor {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::OneThread;
using testing::planted;
using testing::square_images;
using testing::TestFolder;

constexpr std::int64_t kSteps = 24;

SearchPlan tiny_plan(const AuditImages& images, std::int64_t steps = kSteps) {
  SearchPlan plan = search_plan(images, "resnet_1blocks", steps, 7);
  plan.options.net.ngf = 4;
  plan.options.critic.ndf = 4;
  return plan;
}

Automorphism trained(const SearchPlan& plan, const AuditImages& images, const fs::path& folder, LogSink& log,
                     const StopFlag& stop) {
  return train_search(plan, images, folder, Placement(), log, stop);
}

/// Asks for a stop when so many steps are done.
class StoppingLog : public LogSink {
 public:
  StoppingLog(StopFlag& stop, std::int64_t at) : stop_(stop), at_(at) {}
  void notice(const std::string&) override {}
  void warning(const std::string& line) override { ADD_FAILURE() << line; }
  void progress(const std::string&, std::int64_t done, std::int64_t) override {
    if (done == at_) stop_.request();
  }

 private:
  StopFlag& stop_;
  std::int64_t at_;
};

TEST(Search, RewardsDisplacementUpToItsTarget) {
  const OneThread one;
  const AuditImages images = square_images("a", 20, 8, 1);
  const auto move_loss = [&](double target) {
    SearchPlan plan = tiny_plan(images);
    plan.options.target = target;
    AutomorphismSearch model(plan.options, Placement(), 1);
    struct Images : BatchSource {
      explicit Images(const at::Tensor& all) : values(all) {}
      Batch next() override {
        Batch out;
        out.tensors["real_a"] = values.narrow(0, 4 * pulled++, 4);
        return out;
      }
      at::Tensor values;
      std::int64_t pulled = 0;
    } batches(images.values);
    RngStreams rng(1);
    GradientSync sync;
    StepContext context{batches, rng, sync};
    const StepReport report = model.step(context);
    EXPECT_EQ(report.batches, model.batches_per_step());
    return report.loss("move");
  };
  EXPECT_EQ(move_loss(1e-6), 0) << "the start is not quite the identity";
  EXPECT_GT(move_loss(10), 4 * 5);
}

TEST(Search, GetsAwayFromTheIdentity) {
  const OneThread one;
  const TestFolder folder;
  const AuditImages images = square_images("a", 40, 8, 1);
  SearchPlan plan = tiny_plan(images, 60);
  plan.options.lambda_return = 0;  // then nothing holds it back
  NullLog log;
  const StopFlag stop;
  const Automorphism phi = trained(plan, images, folder.path, log, stop);
  const at::Tensor moved = phi.map(images.values);
  EXPECT_GT(coarse(moved - images.values).abs().mean().item<double>() / plan.options.unrelated, 0.3);
  EXPECT_GE(moved.min().item<double>(), plan.options.low);
  EXPECT_LE(moved.max().item<double>(), plan.options.high);
}

TEST(Search, GoesOnWhereItStoppedAndIsKept) {
  const OneThread one;
  const TestFolder folder;
  const AuditImages images = square_images("a", 20, 8, 1);
  const SearchPlan plan = tiny_plan(images);
  NullLog log;
  const StopFlag go_on;
  const Automorphism whole = trained(plan, images, folder.path / "whole", log, go_on);

  StopFlag stop;
  StoppingLog stopping(stop, kSteps / 2);
  EXPECT_THROW(trained(plan, images, folder.path / "parts", stopping, stop), StoppedError);
  EXPECT_FALSE(fs::exists(search_file(folder.path / "parts")));
  const Automorphism parts = trained(plan, images, folder.path / "parts", log, go_on);
  EXPECT_TRUE(at::equal(whole.map(images.values), parts.map(images.values)));
  EXPECT_TRUE(at::equal(whole.inverse(images.values), parts.inverse(images.values)));

  StopFlag stopped;
  stopped.request();
  const Automorphism kept = trained(plan, images, folder.path / "parts", log, stopped);
  EXPECT_TRUE(at::equal(whole.map(images.values), kept.map(images.values))) << "read, not trained";
  EXPECT_THAT(
      error_of([&] { trained(tiny_plan(images, kSteps + 1), images, folder.path / "parts", log, go_on); }),
      HasSubstr("other images or settings"));
  EXPECT_THAT(
      error_of([&] { trained(plan, square_images("a", 20, 8, 2), folder.path / "parts", log, go_on); }),
      HasSubstr("other images or settings"));
}

TEST(Search, CountsNoNoiseAsDisplacement) {
  at::Tensor checks = at::ones({1, 1, 8, 8});
  checks.slice(3, 0, 8, 2).fill_(-1);
  EXPECT_EQ(coarse(checks).abs().max().item<double>(), 0);
  EXPECT_EQ(coarse(at::full({1, 1, 8, 8}, 0.5)).min().item<double>(), 0.5);
}

TEST(Search, FitsItsNetworksToTheImages) {
  const AuditImages images = square_images("a", 12, 8, 1);
  EXPECT_EQ(search_plan(images, "resnet_1blocks", 5, 1).options.critic.n_layers_d, 1);
  EXPECT_EQ(search_plan(square_images("a", 12, 32, 1), "resnet_1blocks", 5, 1).options.critic.n_layers_d, 3);
  EXPECT_EQ(search_net_unfit("resnet_1blocks", images.values), "");
  EXPECT_THAT(search_net_unfit("unet_128", images.values), HasSubstr("multiples of 128"));
}

TEST(Search, MeasuresWhatItFound) {
  const OneThread one;
  const TestFolder folder;
  AuditInputs inputs = testing::tiny_inputs(testing::tiny_training(), 8);
  CycleGanOptions options;
  std::string notice;
  AuditedRun& run = inputs.runs.front();
  run.maps.d_a = run.maps.d_b = [](const at::Tensor& x) { return x.mean({1, 2, 3}); };
  run.terms = generator_terms(options, gan_loss("lsgan"), resolve_identity(options, 1, 1, notice));
  AuditOptions asked;
  asked.resamples = 100;
  asked.search = true;
  asked.search_steps = 4;
  const StopFlag stop;
  AuditMaterial material(inputs, asked, folder.path, std::make_shared<NullLog>(), stop);
  const AuditPart part = search_part();
  ASSERT_EQ(part.why_not(material), "");
  const Json measured = part.measure(material);
  EXPECT_EQ(measured.at("domain"), "a");
  EXPECT_EQ(measured.at("losses").size(), 6u);
  EXPECT_EQ(measured.at("losses").at(2).at("before"), 0.0) << "a run that copies brings everything back";
  const double cycle = measured.at("losses").at(2).at("after"), back = measured.at("return").at("value");
  EXPECT_NEAR(cycle, 10 * back * material.unrelated("a").whole, 1e-3 * cycle)
      << "the cycle of the composed pair is the way back of the transformation";
  EXPECT_NEAR(measured.at("output").at("value").get<double>() * material.unrelated("b").whole,
              measured.at("displacement").at("value").get<double>() * material.unrelated("a").whole, 1e-9)
      << "as the run copies";
  EXPECT_TRUE(fs::exists(folder.path / measured.at("figure").get<std::string>()));
  EXPECT_TRUE(fs::exists(folder.path / measured.at("file").get<std::string>()));
  EXPECT_EQ(part.judge({{"search", measured}}, asked.thresholds).size(), 1u);
}

// A measured search whose numbers a test changes.
struct PlantedSearch {
  Json displacement = planted(0.5, 0.4, 0.6), output = planted(0.5, 0.4, 0.6),
       back = planted(0.1, 0.08, 0.12), c2st = planted(0.9, 0.85, 0.95), kid = planted(0.001, 0, 0.002);

  AuditFinding judged() const {
    const Json losses = Json::array({{{"name", "cycle_a"}, {"before", 1.0}, {"after", 1.25}}});
    const Json measured = {{"found", true},
                           {"domain", "a"},
                           {"displacement", displacement},
                           {"output", output},
                           {"return", back},
                           {"c2st", c2st},
                           {"kid", kid},
                           {"losses", losses},
                           {"figure", "f.png"},
                           {"blurred", planted(0.01, 0.008, 0.012)}};
    return search_part().judge({{"search", measured}}, {}).at(0);
  }
};

TEST(SearchFinding, ATransformationThatKeepsAllAndMattersIsAmber) {
  const AuditFinding by_kid = PlantedSearch().judged();
  EXPECT_EQ(by_kid.id, "search");
  EXPECT_EQ(by_kid.verdict, AuditVerdict::amber);
  EXPECT_EQ(by_kid.role, FindingRole::lowers);
  EXPECT_THAT(by_kid.text, HasSubstr("Loss-ambiguous"));
  EXPECT_THAT(by_kid.text, HasSubstr("1.25"));
  EXPECT_THAT(by_kid.files, ::testing::ElementsAre("f.png"));
  const PlantedSearch by_classifier{.c2st = planted(0.5, 0.48, 0.53), .kid = planted(0.05, 0.04, 0.06)};
  EXPECT_EQ(by_classifier.judged().role, FindingRole::lowers);
}

TEST(SearchFinding, WhatFallsShortIsNoFinding) {
  const Json small = planted(0.12, 0.05, 0.2);
  for (const auto& [searched, why] :
       {std::pair{PlantedSearch{.displacement = small}, "moves"},
        std::pair{PlantedSearch{.output = small}, "moves"},
        std::pair{PlantedSearch{.back = planted(0.4, 0.3, 0.5)}, "cannot be undone"},
        std::pair{PlantedSearch{.kid = planted(0.05, 0.04, 0.06)}, "can be told"}}) {
    const AuditFinding finding = searched.judged();
    EXPECT_EQ(finding.role, FindingRole::note);
    EXPECT_THAT(finding.text, HasSubstr(why));
    EXPECT_THAT(finding.text, HasSubstr("proves nothing"));
  }
  const Json broken = {{"found", false}, {"domain", "a"}, {"why", "step 3"}};
  EXPECT_THAT(search_part().judge({{"search", broken}}, {}).at(0).text, HasSubstr("broke down"));
}

}  // namespace
}  // namespace torsor
