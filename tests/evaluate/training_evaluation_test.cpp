// Metrics during training: they change nothing, and what follows from them survives an interruption.
#include "evaluate/training_evaluation.h"

#include "core/files.h"
#include "core/json.h"
#include "evaluate/best_model.h"
#include "image/codec.h"
#include "io/archive.h"
#include "train/fake_run.h"
#include "train/train_test_support.h"

namespace torsor::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

// Eight steps; evaluations on six images of each domain after every second one.
TrainConfig evaluated_config(const fs::path& out) {
  TrainConfig config = tiny_config(out);
  config.evaluation.eval_every = 2;
  config.evaluation.eval_features = "pixels";
  config.evaluation.eval_images = 6;
  return config;
}

void train_evaluated(const TrainConfig& config) {
  use_threads(config.run.threads);
  const auto log = std::make_shared<NullLog>();
  TrainSession session(config, log);
  session.run(StopFlag(), evaluation_observers(session, log));
}

// Every tensor of a model file, the averages too.
std::map<std::string, at::Tensor> tensors_of(const fs::path& file) {
  const WeightSet set = read_weights(file);
  std::map<std::string, at::Tensor> out;
  for (const auto* networks : {&set.weights, &set.averaged})
    for (const auto& [network, tensors] : *networks)
      for (const auto& [key, tensor] : tensors)
        out[(networks == &set.averaged ? "ema/" : "") + network + "/" + key] = tensor;
  return out;
}

void expect_equal_weights(const fs::path& first, const fs::path& second) {
  const auto one = tensors_of(first), two = tensors_of(second);
  ASSERT_GT(one.size(), 10u);
  ASSERT_EQ(one.size(), two.size());
  for (const auto& [key, tensor] : one) EXPECT_TRUE(tensor.equal(two.at(key))) << key;
}

std::map<std::int64_t, double> values_of(const fs::path& run, const std::string& scalar) {
  std::map<std::int64_t, double> out;
  for (const Json& line : read_lines(run / "log.jsonl"))
    if (line.contains(scalar)) out[line.at("step")] = line.at(scalar).get<double>();
  return out;
}

void resume_evaluated(const fs::path& run) {
  NullLog heard;
  ResumePoint point = open_resume_point(run, heard);
  ResumedConfig config = resumed_config(point, Json::object());
  const auto log = std::make_shared<NullLog>();
  TrainSession session(std::move(config), std::move(point), log);
  session.run(StopFlag(), evaluation_observers(session, log));
}

class TrainingEvaluations : public ::testing::Test {
 protected:
  std::string refusal(const TrainConfig& config) {
    return error_of<UsageError>([&] { train_evaluated(config); });
  }
  // Two folders to train on and nothing else.
  TrainConfig config_of_folders() const {
    TrainConfig out = evaluated_config(folder_ / "run");
    out.data.data.clear();
    for (const auto& [domain, name] : {std::pair{&out.data.a, "a"}, std::pair{&out.data.b, "b"}}) {
      *domain = (folder_ / name).string();
      fs::create_directories(*domain);
      for (const char* image : {"0.png", "1.png"})
        write_image(fs::path(*domain) / image, Image::blank(40, 40, 3));
    }
    return out;
  }
  TestFolder folder_;
};

TEST_F(TrainingEvaluations, LeaveTheWeightsAsTheyAre) {
  TrainConfig with = evaluated_config(folder_ / "with"), without = tiny_config(folder_ / "without");
  with.optimizer.ema = without.optimizer.ema = 0.9;
  train_evaluated(with);
  train(without);
  expect_equal_weights(folder_ / "with/model.safetensors", folder_ / "without/model.safetensors");
  const auto kid = values_of(folder_ / "with", "kid_a_to_b");
  EXPECT_EQ(kid.size(), 4u);
  EXPECT_TRUE(kid.contains(2) && kid.contains(8));
  EXPECT_EQ(values_of(folder_ / "with", "kid_b_to_a").size(), 4u);
}

TEST_F(TrainingEvaluations, OfPairsScorePairs) {
  TrainConfig config = evaluated_config(folder_ / "run");
  config.data.pairing = "aligned";
  config.evaluation.eval_metrics = "psnr,mae";
  config.schedule.lr_policy = "plateau";
  config.schedule.plateau_loss = "psnr_a_to_b";
  train_evaluated(config);
  for (const auto& [step, psnr] : values_of(folder_ / "run", "psnr_a_to_b")) {
    EXPECT_GT(psnr, 1);
    EXPECT_LT(psnr, 60);
  }
  EXPECT_EQ(values_of(folder_ / "run", "mae_b_to_a").size(), 4u);
}

TEST_F(TrainingEvaluations, KeepTheBestModelThroughAnInterruption) {
  TrainConfig config = evaluated_config(folder_ / "whole");
  config.evaluation.keep_best = "kid_a_to_b";
  config.optimizer.lr = 0.01;  // so that a step changes something
  train_evaluated(config);
  const auto kid = values_of(folder_ / "whole", "kid_a_to_b");
  const auto best = std::min_element(kid.begin(), kid.end(),
                                     [](const auto& p, const auto& q) { return p.second < q.second; });
  EXPECT_EQ(read_weights(folder_ / "whole/best.safetensors").info.step, best->first);

  config.run.out = folder_ / "halves";
  config.run.steps = 5;
  train_evaluated(config);
  fs::remove(folder_ / "halves/checkpoints/step_00000005.safetensors");  // killed after step 3's
  fs::remove(folder_ / "halves/model.safetensors");
  Json stored = read_json(folder_ / "halves/config.json");
  stored["steps"] = 0;
  write_file_atomically(folder_ / "halves/config.json", stored.dump());
  resume_evaluated(folder_ / "halves");
  EXPECT_EQ(values_of(folder_ / "halves", "kid_a_to_b"), kid);
  expect_equal_weights(folder_ / "whole/best.safetensors", folder_ / "halves/best.safetensors");
}

TEST_F(TrainingEvaluations, AreRefusedWhereTheyCannotBe) {
  TrainConfig config = evaluated_config(folder_ / "run");
  config.evaluation.eval_metrics = "psnr";
  EXPECT_THAT(refusal(config), AllOf(HasSubstr("--eval-metrics"), HasSubstr("aligned")));
  config.evaluation.eval_metrics = "precision";
  config.evaluation.eval_images = 4;
  EXPECT_THAT(refusal(config), HasSubstr("needs 6 held-out images"));
  config = evaluated_config(folder_ / "run");
  config.evaluation.keep_best = "psnr";
  EXPECT_THAT(refusal(config), AllOf(HasSubstr("--keep-best"), HasSubstr("kid_a_to_b, kid_b_to_a")));
  config.evaluation.eval_every = 0;
  EXPECT_THAT(refusal(config), HasSubstr("--eval-every"));
  config = config_of_folders();
  EXPECT_THAT(refusal(config), AllOf(HasSubstr("--eval-every 2"), HasSubstr("--val-a and --val-b")));
  config.run.preset = "laptop";
  EXPECT_THAT(refusal(config), HasSubstr("--eval-every 2")) << "the user's number, not the preset's";
  EXPECT_FALSE(fs::exists(folder_ / "run"));
  for (const char* text : {"kid", "kid:", ":3", "kid:0", "kid:x", "kid:3x"})
    EXPECT_THAT(error_of<UsageError>([&] { EarlyStopRule::parse(text, "--early-stop"); }),
                HasSubstr("METRIC:PATIENCE"))
        << text;
  EXPECT_EQ(EarlyStopRule::parse("kid:12", "x").patience, 12);
}

TEST_F(TrainingEvaluations, OfAPresetDoWithoutImages) {
  TrainConfig config = config_of_folders();
  config.run.preset = "laptop";
  config.evaluation.eval_every = train_preset("laptop", *config.model).at("eval_every");
  const auto log = std::make_shared<Lines>();
  TrainSession session(config, log);
  EXPECT_TRUE(evaluation_observers(session, log).empty());
  EXPECT_THAT(log->lines,
              Contains(HasSubstr("nothing is evaluated during training: no images are held out")));
  config.evaluation.keep_best = "kid";
  EXPECT_THAT(refusal(config), HasSubstr("--eval-every 2000")) << "something acts on the numbers";
}

// Publishes the values that a test gives, one for each step.
class Said : public Observer {
 public:
  explicit Said(std::vector<double> values) : values_(std::move(values)) {}
  std::string name() const override { return "said"; }
  std::vector<std::string> scalar_names() const override { return {"psnr_a_to_b", "psnr_b_to_a"}; }
  std::vector<std::string> rising_scalars() const override { return scalar_names(); }
  void publish(const TrainState& state, StepScalars& scalars) override {
    for (const std::string& scalar : scalar_names())
      scalars.publish(scalar, values_[static_cast<std::size_t>(state.step - 1)]);
  }

 private:
  std::vector<double> values_;
};

// How long a run of ten steps is when its metric takes these values.
std::int64_t steps_until_stopped(const std::vector<double>& values, std::int64_t patience) {
  const Said source(values);
  Said said(values);
  EarlyStop stop(WatchedMetric("psnr", source, "--early-stop"), patience, std::make_shared<NullLog>());
  TrainState state(0);
  state.total_steps = static_cast<std::int64_t>(values.size());
  while (!state.finished()) {
    ++state.step;
    StepScalars scalars;
    said.publish(state, scalars);
    stop.after_step(state, scalars);
    if (state.step == 2) {  // a resumed run goes on counting
      Archive archive;
      ArchiveWriter out(archive, "stop");
      stop.save(out);
      stop.load({archive, "stop"});
    }
  }
  return state.step;
}

TEST(EarlyStops, ComeWhenNothingImprovedForLong) {
  EXPECT_EQ(steps_until_stopped({1, 2, 3, 4, 5, 6, 7, 8}, 2), 8);
  EXPECT_EQ(steps_until_stopped({5, 4, 4, 4, 5, 6, 7, 8}, 3), 4);
  EXPECT_EQ(steps_until_stopped({5, 4, 6, 5, 5, 5, 7, 8}, 3), 6);
  EXPECT_EQ(steps_until_stopped({5, NAN, NAN, NAN, NAN, 6, 6, 6}, 2), 8)
      << "what is no number counts for nothing";
  EXPECT_EQ(steps_until_stopped({INFINITY, 4, 4, 4}, 3), 4);
}

TEST(BestModels, AreThoseOfTheBestValueSoFar) {
  const Said source({});
  std::vector<std::int64_t> written;
  TrainState state(0);
  BestModel best(
      WatchedMetric("psnr_b_to_a", source, "--keep-best"), "best.safetensors",
      [&](const fs::path&) { written.push_back(state.step); }, std::make_shared<NullLog>());
  Said said({3, 2, NAN, 3, 4, 1});
  for (state.step = 1; state.step <= 6; ++state.step) {
    StepScalars scalars;
    said.publish(state, scalars);
    best.after_step(state, scalars);
  }
  EXPECT_THAT(written, ::testing::ElementsAre(1, 5));
}

TEST(BestModels, ForgetTheBestOfAnotherMetric) {
  const Said source({});
  const WatchedMetric one("psnr", source, "x"), two("psnr_a_to_b", source, "x");
  Archive archive;
  ArchiveWriter out(archive, "best");
  BestValue{7.0, 3}.save(one, out);
  BestValue same, other;
  same.load(one, {archive, "best"});
  other.load(two, {archive, "best"});
  EXPECT_EQ(same.value, 7.0);
  EXPECT_EQ(same.step, 3);
  EXPECT_FALSE(other.value);
}

}  // namespace
}  // namespace torsor::testing
