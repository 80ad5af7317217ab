// The null task: the cut, the settings, the images, a training, and planted results for every verdict.
#include "audit/null_task.h"

#include <set>

#include "audit/training_part_support.h"
#include "core/files.h"
#include "data/folder_source.h"
#include "data/unpaired.h"
#include "model/cyclegan_settings.h"

namespace torsor {
namespace {

using ::testing::Contains;
using testing::copying_run;
using testing::error_of;
using ::testing::HasSubstr;
using testing::planted;
using testing::square_images;
using testing::TestFolder;
using testing::tiny_training;

TEST(GroupCuts, NeverSplitAGroupAndAreNearlyEven) {
  std::vector<std::int64_t> groups;
  for (std::int64_t i = 0; i < 60; ++i) groups.push_back(i * i % 17);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Rng rng(seed);
    const GroupCut cut = cut_by_groups(groups, rng);
    std::set<std::int64_t> first, all(cut.first.begin(), cut.first.end());
    for (const std::int64_t i : cut.first) first.insert(groups[static_cast<std::size_t>(i)]);
    for (const std::int64_t i : cut.second) EXPECT_FALSE(first.contains(groups[static_cast<std::size_t>(i)]));
    all.insert(cut.second.begin(), cut.second.end());
    EXPECT_EQ(all.size(), groups.size());
    EXPECT_LE(std::abs(std::ssize(cut.first) - std::ssize(cut.second)), 8) << "the largest group has 8";
  }
}

NullRequest request(std::int64_t audited, const fs::path& folder = "null") {
  NullRequest out;
  out.domain = "a";
  out.audited_side = audited;
  out.half_size = 40;
  out.seed = 3;
  out.placement.device = "cpu";
  out.folder = folder;
  return out;
}

TEST(NullSettings, KeepTheRunsOwnAtReducedSize) {
  AuditedRun run = copying_run(tiny_training(
      {{"load_size", 144}, {"crop_size", 128}, {"ngf", 70}, {"preset", "laptop"}, {"eval_every", 100}}));
  run.info.domains.at("a").range = {4095, -1, 0, PixelType::u16};
  const NullSettings made = null_settings(run, request(128));
  const TrainConfig& c = made.config;
  const auto& cyclegan = dynamic_cast<const CycleGanSettings&>(*c.model);
  EXPECT_EQ(cyclegan.cyclegan.lambda_cycle_a, 7);
  EXPECT_EQ(cyclegan.gan.gan_mode, "vanilla");
  EXPECT_EQ(cyclegan.nets.generator.net_g, "resnet_1blocks");
  EXPECT_EQ(cyclegan.nets.generator.ngf, 64);
  EXPECT_EQ(c.optimizer.lr, 0.001);
  EXPECT_EQ(c.data.batch_size, 4);
  EXPECT_EQ(made.side, 64);
  EXPECT_EQ(c.data.transform.crop_size, 64);
  EXPECT_EQ(c.data.transform.load_size, 72);
  EXPECT_EQ(made.stored_side, 72);
  EXPECT_TRUE(c.data.transform.flip);
  EXPECT_EQ(c.run.steps, 1000) << "a quarter of the run's";
  EXPECT_EQ(c.schedule.epochs, 75) << "10 batches an epoch, three of four epochs at the full rate as before";
  EXPECT_EQ(c.schedule.epochs_decay, 25);
  EXPECT_EQ(c.data.white_a, 4095);
  EXPECT_EQ(c.data.white_b, 4095);
  EXPECT_EQ(c.run.seed, 3);
  EXPECT_EQ(c.run.preset, "");
  EXPECT_FALSE(c.evaluation.is_on() || c.alarms.is_on() || c.run.tensorboard || c.run.report);
  EXPECT_THAT(made.changes, Contains(HasSubstr("64 x 64 pixels instead of 128 x 128")));
  EXPECT_THAT(made.changes, Contains("ngf 64 instead of 70"));
  EXPECT_TRUE(made.asks_for_identity);
}

TEST(NullSettings, TheIdentityLossOfUnlikeChannelsStaysOff) {
  const NullSettings made = null_settings(copying_run(tiny_training({{"channels_b", 3}})), request(16));
  EXPECT_FALSE(made.asks_for_identity);
  EXPECT_EQ(dynamic_cast<const CycleGanSettings&>(*made.config.model).cyclegan.lambda_identity, 0.0);
  EXPECT_EQ(made.config.data.channels_b, 1) << "both sides are images of A";
}

TEST(NullSettings, RefuseARunWithoutOptionsAndSizesThatDoNotFit) {
  EXPECT_THAT(error_of([] { null_settings(copying_run(Json::object()), request(16)); }),
              HasSubstr("does not say with which options"));
  TrainConfig config = config_from_json(tiny_training({{"net_g", "unet_128"}}), "test");
  EXPECT_EQ(null_side(config, 256, 0), 128) << "no smaller one fits a unet_128";
  EXPECT_THAT(error_of<UsageError>([&] { null_side(config, 256, 64); }), HasSubstr("--null-size"));
  EXPECT_THAT(error_of<UsageError>([&] { null_side(config, 128, 256); }), HasSubstr("larger"));
  EXPECT_EQ(null_side(config_from_json(tiny_training(), "test"), 50, 0), 48) << "a multiple of 4";
  EXPECT_EQ(null_steps(40000, 0), 4000);
  EXPECT_EQ(null_steps(300, 0), 300);
  EXPECT_EQ(null_steps(300, 900), 900);
}

// What a training reads of the files is what the part measures on.
void expect_same_as_read(const AuditImages& images, const ModelInfo& info, std::int64_t side) {
  const TestFolder folder;
  const GroupCut halves{{0, 2}, {1}};
  write_null_halves(images, halves, info, side, folder.path);
  TransformOptions transform;
  transform.load_size = transform.crop_size = side;
  transform.flip = false;
  const DomainInfo& domain = info.domain(images.domain);
  const DomainReader reader(std::make_shared<FolderSource>(folder.path / "half-1", 0), transform,
                            domain.channels, std::make_shared<NullLog>(), domain.range);
  ASSERT_EQ(reader.size(), 2);
  Rng rng(0);
  const at::Tensor expected = null_images(images, info, side).values;
  EXPECT_TRUE(at::allclose(reader.read(1, rng), expected[2], 0, 1e-6));
}

TEST(NullImages, AreWrittenAsTheyAreMeasured) {
  const AuditImages grey = square_images("a", 3, 16, 5);
  ModelInfo info;
  info.domains.at("a").channels = 1;
  expect_same_as_read(grey, info, 16);
  expect_same_as_read(grey, info, 8);
  AuditImages floats = grey;
  floats.values = at::cat({grey.values, -grey.values}, 1) * 0.37;
  info.domains.at("a") = {"", 2, {1200, -1, -400, PixelType::f32}, {}};
  expect_same_as_read(floats, info, 8);
}

TEST(NullImages, OfAnotherNullTaskAreNotMixedWithThese) {
  const TestFolder folder;
  ModelInfo info;
  info.domains.at("a").channels = 1;
  const AuditImages images = square_images("a", 4, 16, 5);
  write_null_halves(images, {{0, 1}, {2, 3}}, info, 16, folder.path);
  write_null_halves(images, {{0, 1}, {2, 3}}, info, 16, folder.path);
  EXPECT_THAT(error_of([&] {
                write_null_halves(images, {{0, 2}, {1, 3}}, info, 16, folder.path);
              }),
              HasSubstr("another null task"));
}

AuditLabels two_labels() {
  AuditLabels out;
  out.classes = {"left", "right"};
  out.classify = [](const at::Tensor& values, const std::string&) {
    return (values.narrow(3, 0, 4).mean({1, 2, 3}) < values.mean({1, 2, 3})).to(at::kLong);
  };
  return out;
}

TEST(NullTask, TrainsOnceAndSaysThatAnUntrainedOneSaysNothing) {
  const testing::OneThread one;
  const TestFolder folder;
  AuditInputs inputs = testing::tiny_inputs(tiny_training(), 16);
  inputs.labels = two_labels();
  AuditOptions options;
  options.resamples = 100;
  options.null_task = true;
  options.null_steps = 3;
  const StopFlag stop;
  AuditMaterial material(inputs, options, folder.path, std::make_shared<NullLog>(), stop);
  const AuditPart part = null_task_part();
  ASSERT_EQ(part.why_not(material), "");
  const Json measured = part.measure(material);
  const Json& a = measured.at("domains").at(0);
  EXPECT_EQ(a.at("images"), Json::parse("[16, 16]"));
  EXPECT_EQ(a.at("directions").size(), 2u);
  EXPECT_TRUE(fs::exists(folder.path / a.at("directions").at(0).at("figure").get<std::string>()));
  EXPECT_TRUE(a.at("directions").at(1).at("classes").contains("counts"));
  const auto findings = part.judge({{"null-task", measured}}, options.thresholds);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].role, FindingRole::note);
  EXPECT_THAT(findings[0].needed, HasSubstr("--null-steps 12"));

  const fs::path model = folder.path / "null/a/run/model.safetensors";
  const auto written = fs::last_write_time(model);
  EXPECT_EQ(part.measure(material), measured);
  EXPECT_EQ(fs::last_write_time(model), written) << "finished: not trained again";
}

TEST(NullTask, SaysWhyItIsNotMeasured) {
  const StopFlag stop;
  const auto why_not = [&](const Json& training, bool asked, std::int64_t images) {
    AuditInputs inputs = testing::tiny_inputs(training, 16);
    inputs.more_a = inputs.more_a->first(images);
    AuditOptions options;
    options.null_task = asked;
    return null_task_part().why_not(AuditMaterial(inputs, options, "out", std::make_shared<NullLog>(), stop));
  };
  EXPECT_THAT(why_not(tiny_training(), false, 32), HasSubstr("--null-task"));
  EXPECT_THAT(why_not(Json::object(), true, 32), HasSubstr("imported weights"));
  EXPECT_THAT(why_not({{"model", "pix2pix"}}, true, 32), HasSubstr("pairs"));
  EXPECT_THAT(why_not(tiny_training(), true, 9), HasSubstr("9 groups"));
}

// A measured null task whose numbers a test changes.
struct PlantedNull {
  Json displacement = planted(0.05, 0.04, 0.06), worst = planted(0.2, 0.15, 0.25),
       cycle = planted(0.05, 0.04, 0.06), kid = planted(0.001, 0, 0.002);

  AuditFinding judged() const {
    const Json direction = {{"direction", "a_to_b"},
                            {"displacement", displacement},
                            {"worst", worst},
                            {"cycle", cycle},
                            {"kid", kid},
                            {"figure", "f.png"},
                            {"blurred", planted(0.01, 0.008, 0.012)}};
    const Json domain = {{"domain", "a"},
                         {"trained", true},
                         {"steps", 500},
                         {"asks_for_identity", false},
                         {"directions", Json::array({direction})}};
    const auto all = null_task_part().judge({{"null-task", {{"domains", Json::array({domain})}}}}, {});
    EXPECT_EQ(all.size(), 1u);
    return all.at(0);
  }
};

TEST(NullVerdict, AMovingSolutionIsRed) {
  const AuditFinding whole = PlantedNull{.displacement = planted(0.6, 0.5, 0.7)}.judged();
  EXPECT_EQ(whole.id, "null-task");
  EXPECT_EQ(whole.verdict, AuditVerdict::red);
  EXPECT_EQ(whole.role, FindingRole::lowers);
  EXPECT_THAT(whole.text, HasSubstr("0.6"));
  const AuditFinding local = PlantedNull{.worst = planted(0.6, 0.5, 0.7)}.judged();
  EXPECT_EQ(local.verdict, AuditVerdict::red);
  EXPECT_EQ(local.threshold, AuditThresholds().null_local_margin);
  EXPECT_NE(PlantedNull{.displacement = planted(0.3, 0.1, 0.5)}.judged().verdict, AuditVerdict::red)
      << "the lower limit decides";
}

TEST(NullVerdict, APassProvesLittle) {
  const AuditFinding passed = PlantedNull().judged();
  EXPECT_EQ(passed.role, FindingRole::note);
  EXPECT_THAT(passed.text, HasSubstr("proves little"));
  EXPECT_EQ(passed.needed, "");
}

TEST(NullVerdict, WhatIsNoSolutionFailsNothing) {
  const Json far = planted(0.6, 0.5, 0.7);
  for (const PlantedNull& unsolved : {PlantedNull{.displacement = far, .kid = planted(0.02, 0.01, 0.03)},
                                      PlantedNull{.displacement = far, .cycle = planted(0.5, 0.4, 0.6)}}) {
    const AuditFinding finding = unsolved.judged();
    EXPECT_EQ(finding.role, FindingRole::note);
    EXPECT_EQ(finding.verdict, AuditVerdict::cannot_tell);
    EXPECT_THAT(finding.needed, HasSubstr("--null-steps 2000"));
  }
  EXPECT_EQ(PlantedNull({.displacement = far, .cycle = nullptr}).judged().verdict, AuditVerdict::red)
      << "a run of one direction has no way back";
}

TEST(NullVerdict, ATrainingThatBrokeDownIsSaid) {
  const Json domain = {{"domain", "b"}, {"trained", false}, {"why", "its training broke down: step 3"}};
  const auto all = null_task_part().judge({{"null-task", {{"domains", Json::array({domain})}}}}, {});
  EXPECT_EQ(all.at(0).id, "null-task-b");
  EXPECT_THAT(all.at(0).text, HasSubstr("broke down"));
}

}  // namespace
}  // namespace torsor
