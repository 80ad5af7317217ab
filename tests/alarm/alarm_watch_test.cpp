// The watch: when it speaks, that it changes nothing, and that it survives an interruption.
#include "alarm/alarm_watch.h"

#include "alarm/evidence_gatherer.h"
#include "alarm/planted_evidence.h"
#include "io/safetensors.h"
#include "train/train_test_support.h"

namespace torsor::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

DirectedEvidence look(char kind) {
  static const Evidence well = healthy();
  DirectedEvidence out{kAToB, well};
  if (kind == '!') out.evidence.round_trip = RoundTrip{0.02, 0.02, 0.08};
  return out;
}

/// A watch over looks of which a test says how they come out, one a step.
struct Watched {
  explicit Watched(std::string looks, AlarmOptions options = {1, ""})
      : looks(std::move(looks)),
        watch(
            options,
            [this] {
              ++looked;
              return std::vector<DirectedEvidence>{
                  look(this->looks[static_cast<std::size_t>(state.step - 1)])};
            },
            log, [this] { ++stops; }) {}
  void step() {
    ++state.step;
    watch.after_step(state, {});
  }
  std::vector<std::string> run() {
    while (state.step < static_cast<std::int64_t>(looks.size())) step();
    return log->lines;
  }

  std::string looks;  // '!' finds hidden information, '.' nothing
  std::shared_ptr<Lines> log = std::make_shared<Lines>();
  TrainState state{0};
  std::int64_t looked = 0, stops = 0;
  AlarmWatch watch;
};

TEST(AlarmWatches, WarnOnceUntilItIsOver) {
  EXPECT_THAT(Watched("!.!.!").run(), IsEmpty()) << "never twice in a row";
  EXPECT_THAT(Watched("!!!!").run(),
              ElementsAre(AllOf(HasSubstr("warning: alarm hidden (a_to_b) at step 2: "), HasSubstr("0.080"),
                                HasSubstr("cycle weights"), HasSubstr("docs/training.md"))));
  EXPECT_THAT(Watched("!!..!!").run(),
              ElementsAre(HasSubstr("at step 2"), HasSubstr("alarm hidden (a_to_b) is over at step 3"),
                          HasSubstr("at step 6")));
}

TEST(AlarmWatches, LookAsOftenAsTheyAreAsked) {
  Watched watched("!!!!!!!!", {4, ""});
  EXPECT_THAT(watched.run(), ElementsAre(HasSubstr("at step 8")));
  EXPECT_EQ(watched.looked, 2);
}

TEST(AlarmWatches, StopOnWhatIsNamed) {
  Watched named("!!!.!!", {1, "no_op, hidden"}), other("!!!", {1, "blank"});
  EXPECT_THAT(named.run(), ::testing::Contains(HasSubstr("--stop-on hidden: the run ends after step 2")));
  EXPECT_EQ(named.stops, 2) << "each time that it is given";
  other.run();
  EXPECT_EQ(other.stops, 0);
  EXPECT_THAT(error_of<UsageError>([] {
                Watched("", {1, "blank,hiden"});
              }),
              AllOf(HasSubstr("--stop-on"), HasSubstr("did you mean 'hidden'")));
  EXPECT_THAT(error_of<UsageError>([] { AlarmOptions{0, "blank"}.validate(); }), HasSubstr("--alarm-every"));
}

TEST(AlarmWatches, GoOnAfterAnInterruption) {
  const std::string looks = "!!!.!!.!";
  const std::vector<std::string> whole = Watched(looks).run();
  ASSERT_EQ(whole.size(), 4u);
  for (const std::int64_t after : {1, 2, 3, 5}) {
    Watched first(looks), second(looks);
    while (first.state.step < after) first.step();
    Archive archive;
    ArchiveWriter out(archive, "alarms");
    first.watch.save(out);
    second.watch.load({archive, "alarms"});
    second.state.step = first.state.step;
    std::vector<std::string> lines = first.log->lines;
    for (const std::string& line : second.run()) lines.push_back(line);
    EXPECT_EQ(lines, whole) << after;
  }
}

EndReason train_watched(const TrainConfig& config, const std::shared_ptr<LogSink>& log) {
  use_threads(config.run.threads);
  TrainSession session(config, log);
  StopFlag stop;
  std::vector<std::unique_ptr<Observer>> extra;
  if (auto watch = alarm_observer(session, log, [&] { stop.request(); })) extra.push_back(std::move(watch));
  return session.run(stop, std::move(extra));
}

class WatchedTrainings : public ::testing::Test {
 protected:
  TestFolder folder_;
  std::shared_ptr<Lines> log_ = std::make_shared<Lines>();
};

TEST_F(WatchedTrainings, AreTheSameToTheBit) {
  TrainConfig with = tiny_config(folder_ / "with"), without = tiny_config(folder_ / "without");
  for (TrainConfig* config : {&with, &without}) {
    config->optimizer.ema = 0.9;
    cyclegan(*config).nets.generator.norm = "batch";
    cyclegan(*config).nets.generator.dropout = true;
  }
  with.alarms.alarm_every = 1;
  without.alarms.alarm_every = 0;
  train_watched(with, log_);
  train_watched(without, log_);
  for (const char* file : {"model.safetensors", "checkpoints/step_00000008.safetensors"}) {
    const TensorMap one = read_safetensors(folder_ / "with" / file).tensors,
                    two = read_safetensors(folder_ / "without" / file).tensors;
    ASSERT_GT(one.size(), 10u);
    ASSERT_EQ(one.size(), two.size());
    for (std::size_t i = 0; i < one.size(); ++i)
      EXPECT_TRUE(one[i].second.equal(two[i].second)) << file << " " << one[i].first;
  }
}

// A generator that starts as a constant and learns nothing.
TEST_F(WatchedTrainings, EndWhereTheyAreToldTo) {
  TrainConfig config = tiny_config(folder_ / "run");
  cyclegan(config).nets.init.init_gain = 1e-6;
  config.optimizer.lr = 1e-12;
  config.alarms = {1, "blank"};
  EXPECT_EQ(train_watched(config, log_), EndReason::stopped);
  EXPECT_THAT(log_->lines, ::testing::Contains(HasSubstr("warning: alarm blank (a_to_b) at step 2")));
  EXPECT_THAT(log_->lines, ::testing::Contains(HasSubstr("--stop-on blank: the run ends after step 2")));
  EXPECT_THAT(checkpoint_steps(RunDirectory(folder_ / "run")), ::testing::Contains(2));
  EXPECT_TRUE(fs::exists(folder_ / "run/model.safetensors"));
}

TEST_F(WatchedTrainings, GiveEvidenceOfEachDirection) {
  TrainConfig config = tiny_config(folder_ / "run");
  use_threads(1);
  TrainSession session(config, log_);
  EvidenceGatherer gatherer(session);
  const auto one = gatherer.gather(), two = gatherer.gather();
  ASSERT_EQ(one.size(), 2u);
  EXPECT_EQ(one[0].direction, kAToB);
  EXPECT_EQ(one[1].direction, kBToA);
  const Evidence &there = one[0].evidence, &back = one[1].evidence;
  ASSERT_EQ(there.inputs.size(), 4u) << "all that there are";
  ASSERT_EQ(there.outputs.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(there.inputs[i].sizes(), (at::IntArrayRef{3, 16, 16}));
    EXPECT_GE(there.outputs[i].min().item<double>(), 0);
    EXPECT_LE(there.outputs[i].max().item<double>(), 1);
    EXPECT_TRUE(there.inputs[i].equal(back.targets[i])) << "one set of images for both directions";
    EXPECT_TRUE(there.outputs[i].equal(two[0].evidence.outputs[i])) << "the same at each look";
    EXPECT_FALSE(there.inputs[i].requires_grad() || there.outputs[i].requires_grad());
  }
  ASSERT_TRUE(there.round_trip && there.discriminator);
  EXPECT_GT(there.round_trip->plain, 0);
  EXPECT_NE(there.round_trip->noisy, there.round_trip->plain);
  EXPECT_NE(there.round_trip->rounded, there.round_trip->plain);
  EXPECT_GT(*there.discriminator, 0.02);
}

TEST_F(WatchedTrainings, OfOneDirectionHaveNoRoundTrip) {
  for (const char* model : {"pix2pix", "cut"}) {
    TrainConfig config{ModelChoice(model)};
    const TrainConfig tiny = tiny_config(folder_ / model);
    config.data = tiny.data;
    config.run = tiny.run;
    for (const auto& [name, value] : std::map<std::string, Json>{{"net_g", "resnet_1blocks"},
                                                                 {"ngf", 4},
                                                                 {"ndf", 4},
                                                                 {"net_d", "n_layers"},
                                                                 {"n_layers_d", 1},
                                                                 {"nce_layers", "0,4"},
                                                                 {"antialias", false},
                                                                 {"antialias_up", false}})
      set_option(config, name, value);
    use_threads(1);
    TrainSession session(config, log_);
    const auto evidence = EvidenceGatherer(session).gather();
    ASSERT_EQ(evidence.size(), 1u) << model;
    EXPECT_EQ(evidence[0].direction, kAToB);
    EXPECT_FALSE(evidence[0].evidence.round_trip);
    EXPECT_TRUE(evidence[0].evidence.discriminator) << model;
    EXPECT_EQ(evidence[0].evidence.pairing == Pairing::aligned, std::string(model) == "pix2pix");
  }
}

}  // namespace
}  // namespace torsor::testing
