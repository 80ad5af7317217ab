// Learning-rate policies against numbers worked out by hand, and the options of a run as flags, files and
// presets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/text.h"
#include "train/config.h"
#include "train/train_test_support.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Schedule schedule(const std::string& policy, std::int64_t epochs, std::int64_t decay,
                  std::int64_t every = 50) {
  ScheduleOptions options;
  options.lr_policy = policy;
  options.epochs = epochs;
  options.epochs_decay = decay;
  options.lr_decay_epochs = every;
  return Schedule(options);
}

/// The factor in the epoch that people call `epoch`, from 1.
double in_epoch(const Schedule& s, std::int64_t epoch) { return s.factor_at(epoch - 1); }

// The tables of reference.md, section 3, column M.
TEST(Schedule, LinearIsTheReferencesCurrentFormula) {
  const Schedule s = schedule("linear", 100, 100);
  EXPECT_DOUBLE_EQ(in_epoch(s, 1), 1);
  EXPECT_DOUBLE_EQ(in_epoch(s, 100), 1);
  EXPECT_DOUBLE_EQ(in_epoch(s, 101), 100.0 / 101);
  EXPECT_DOUBLE_EQ(in_epoch(s, 150), 51.0 / 101);
  EXPECT_NEAR(in_epoch(s, 200), 0.0099, 5e-6);
  EXPECT_EQ(in_epoch(s, 500), 0);  // never negative

  const Schedule shortest = schedule("linear", 1, 1);  // 2e-4, then 1e-4
  EXPECT_DOUBLE_EQ(in_epoch(shortest, 1), 1);
  EXPECT_DOUBLE_EQ(in_epoch(shortest, 2), 0.5);

  EXPECT_DOUBLE_EQ(in_epoch(schedule("linear", 3, 0), 3), 1);
  const Schedule only_decay = schedule("linear", 0, 4);
  EXPECT_DOUBLE_EQ(in_epoch(only_decay, 1), 0.8);
  EXPECT_DOUBLE_EQ(in_epoch(only_decay, 4), 0.2);
}

TEST(Schedule, LinearFromStartFallsFromTheFirstEpochOn) {
  const Schedule s = schedule("linear_from_start", 3, 1);
  EXPECT_DOUBLE_EQ(in_epoch(s, 1), 0.8);
  EXPECT_DOUBLE_EQ(in_epoch(s, 2), 0.6);
  EXPECT_DOUBLE_EQ(in_epoch(s, 4), 0.2);
}

TEST(Schedule, StepDropsToATenthEverySoManyEpochs) {
  const Schedule s = schedule("step", 100, 100, 50);
  EXPECT_DOUBLE_EQ(in_epoch(s, 50), 1);
  EXPECT_DOUBLE_EQ(in_epoch(s, 51), 0.1);
  EXPECT_DOUBLE_EQ(in_epoch(s, 100), 0.1);
  EXPECT_NEAR(in_epoch(s, 101), 0.01, 1e-15);
  EXPECT_NEAR(in_epoch(s, 151), 0.001, 1e-15);
  EXPECT_DOUBLE_EQ(in_epoch(schedule("step", 9, 0, 3), 4), 0.1);
}

TEST(Schedule, CosineGoesDownOnceOverTheWholeRun) {
  const Schedule s = schedule("cosine", 100, 100);
  EXPECT_DOUBLE_EQ(in_epoch(s, 1), 1);
  EXPECT_NEAR(in_epoch(s, 51), 0.853553, 1e-6);  // (1 + cos 45 degrees) / 2
  EXPECT_NEAR(in_epoch(s, 101), 0.5, 1e-12);
  EXPECT_NEAR(in_epoch(s, 200), 6.16838e-5, 1e-9);
  for (int epoch = 1; epoch < 200; ++epoch) EXPECT_GT(in_epoch(s, epoch), in_epoch(s, epoch + 1)) << epoch;
}

TEST(Schedule, ConstantStays) {
  const Schedule s = schedule("constant", 2, 2);
  for (int epoch = 1; epoch <= 4; ++epoch) EXPECT_EQ(in_epoch(s, epoch), 1);
}

/// The factor in force in each epoch of one step, when the watched loss is loss(epoch), from 1.
std::vector<double> plateau(Schedule& s, int epochs, const std::function<double(int)>& loss, int first = 1) {
  FakeModel model;
  TrainState state(0);
  state.epoch = first - 1;
  std::vector<double> factors;
  for (int epoch = first; epoch < first + epochs; ++epoch) {
    s.apply(state, model.optimizers());
    EXPECT_EQ(state.lr, model.optimizers().front()->lr());
    factors.push_back(state.lr / model.optimizers().front()->base_lr());
    StepReport report;
    report.losses = {{"first", loss(epoch)}, {"second", -static_cast<double>(epoch)}};
    state.advance({epoch, 0});
    state.take(StepScalars(report));
  }
  return factors;
}

Schedule plateau_schedule() {
  ScheduleOptions options;
  options.lr_policy = "plateau";
  options.plateau_loss = "first";
  return Schedule(options);
}

TEST(Plateau, OfAConstantLossDropsWhereTheReferenceDoes) {
  Schedule s = plateau_schedule();
  const auto factors = plateau(s, 21, [](int) { return 1.0; });
  for (int epoch = 1; epoch <= 21; ++epoch) {
    const double expected = epoch < 8 ? 1 : epoch < 14 ? 0.2 : epoch < 20 ? 0.04 : 0.008;
    EXPECT_NEAR(factors[static_cast<std::size_t>(epoch - 1)], expected, 1e-12) << "epoch " << epoch;
  }
}

TEST(Plateau, AsksForAFallOfOnePercentOfTheBestSoFar) {
  Schedule falling = plateau_schedule(), stalling = plateau_schedule(), saved_in_time = plateau_schedule();
  EXPECT_EQ(plateau(falling, 30, [](int e) { return std::pow(0.98, e); }).back(), 1);
  EXPECT_NEAR(plateau(stalling, 8, [](int e) { return 1 - 0.001 * e; }).back(), 0.2, 1e-12);
  // A fall in the sixth bad epoch starts the count again.
  EXPECT_EQ(plateau(saved_in_time, 13, [](int e) { return e < 7 ? 1.0 : 0.5; }).back(), 1);
}

TEST(Plateau, OfARisingScalarAsksForARiseOfOnePercent) {
  const auto last_factor = [](const std::function<double(int)>& value) {
    Schedule s = plateau_schedule();
    s.set_rising({"first"});
    return plateau(s, 30, value).back();
  };
  EXPECT_EQ(last_factor([](int e) { return std::pow(1.02, e); }), 1);
  EXPECT_LT(last_factor([](int e) { return std::pow(0.98, e); }), 0.1);
  EXPECT_LT(last_factor([](int e) { return 1 + 0.001 * e; }), 0.1);
  EXPECT_EQ(last_factor([](int e) { return -std::pow(0.98, e); }), 1) << "below 0 upwards is towards it";
}

TEST(Plateau, WatchesNumbersBelowZeroToo) {
  Schedule falling = plateau_schedule(), rising = plateau_schedule();
  EXPECT_EQ(plateau(falling, 30, [](int e) { return -std::pow(1.02, e); }).back(), 1);
  EXPECT_LT(plateau(rising, 30, [](int e) { return -std::pow(0.98, e); }).back(), 0.1);
}

TEST(Plateau, GoesOnWhereItWasSaved) {
  Schedule whole = plateau_schedule(), begun = plateau_schedule(), resumed = plateau_schedule();
  const auto loss = [](int e) { return e == 1 ? 0.5 : 1.0; };
  const auto expected = plateau(whole, 12, loss);
  plateau(begun, 5, loss);
  // The last of these five epochs has not been judged yet when the sixth begins.
  FakeModel model;
  TrainState state(0);
  StepReport report;
  report.losses = {{"first", loss(5)}};
  state.epoch = 4;
  state.advance({5, 0});
  state.take(StepScalars(report));
  begun.apply(state, model.optimizers());
  resumed.load(Json::parse(begun.save().dump()));
  EXPECT_EQ(plateau(resumed, 7, loss, 6), std::vector<double>(expected.begin() + 5, expected.end()));
}

TEST(Plateau, WatchesWhatAnObserverPublishesNowAndThen) {
  ScheduleOptions options;
  options.lr_policy = "plateau";
  options.plateau_loss = "error";
  Schedule s(options);
  FakeModel model;
  TrainState state(0);
  std::vector<double> factors;
  // Two steps an epoch; every other epoch publishes twice, and only its mean stalls.
  for (std::int64_t epoch = 0; epoch < 18; ++epoch) {
    s.apply(state, model.optimizers());
    factors.push_back(state.lr / model.optimizers().front()->base_lr());
    for (const std::int64_t batch : {0, 1}) {
      StepScalars scalars(StepReport{{{"first", 1}}, 0, 0, {}});
      const double size = 1.0 / static_cast<double>(epoch + 1);
      if (epoch % 2 == 0) scalars.publish("error", batch == 0 ? 1 + size : 1 - size);
      state.advance({epoch + batch, 1 - batch});
      state.take(scalars);
    }
  }
  // The first of the nine that are judged is the best; the sixth bad one behind it is that of epoch 12.
  for (std::size_t epoch = 0; epoch < factors.size(); ++epoch)
    EXPECT_NEAR(factors[epoch], epoch <= 12 ? 1 : 0.2, 1e-12) << "epoch " << epoch;
}

TEST(Plateau, OfAnUnknownLossIsAnErrorThatNamesThoseThereAre) {
  ScheduleOptions options;
  options.lr_policy = "plateau";
  options.plateau_loss = "cicle_a";
  EXPECT_THAT(error_of<UsageError>([&] {
                Schedule(options).check_losses({"d_a", "cycle_a"});
              }),
              AllOf(HasSubstr("--plateau-loss"), HasSubstr("cicle_a"), HasSubstr("did you mean 'cycle_a'")));
  EXPECT_NO_THROW(plateau_schedule().check_losses({"first"}));
  options.lr_policy = "linear";  // which watches none
  EXPECT_NO_THROW(Schedule(options).check_losses({"d_a"}));
}

TEST(Schedule, OfNoEpochsIsAnError) {
  ScheduleOptions options;
  options.epochs = options.epochs_decay = 0;
  EXPECT_THAT(error_of<UsageError>([&] { options.validate(); }), HasSubstr("--epochs"));
}

/// A configuration with its options, as the program has it.
struct Configured {
  Configured() { config.describe(options); }
  explicit Configured(const Json& json) : Configured() { options.from_json(json, "run.json"); }
  TrainConfig config;
  OptionSet options;
};

Json usable() { return {{"data", "generated:circles-squares"}, {"out", "run"}}; }

TEST(Config, DefaultsAreTheReferences) {
  const Json json = Configured().options.to_json();
  const Json expected = {{"net_g", "resnet_9blocks"},
                         {"ngf", 64},
                         {"ndf", 64},
                         {"net_d", "basic"},
                         {"norm", "instance"},
                         {"dropout", false},
                         {"init_type", "auto"},   // normal, but of flows, which it has not
                         {"init_gain", nullptr},  // 0.02, but of flows
                         {"gan_mode", "lsgan"},
                         {"pool_size", 50},
                         {"lr", 0.0002},
                         {"beta1", 0.5},
                         {"beta2", 0.999},
                         {"lambda_cycle_a", 10},
                         {"lambda_cycle_b", 10},
                         {"load_size", 286},
                         {"crop_size", 256},
                         {"batch_size", 1},
                         {"epochs", 100},
                         {"epochs_decay", 100},
                         {"lr_policy", "linear"},
                         {"lr_decay_epochs", 50},
                         {"preprocess", "resize_and_crop"}};
  for (const auto& [key, value] : expected.items()) EXPECT_EQ(json.at(key), value) << key;
}

TEST(Config, SurvivesBeingStoredAndReadAgain) {
  Configured one(usable());
  for (const auto& [flag, text] : std::map<std::string, std::string>{{"alpha_id", "0.125"},
                                                                     {"lr", "3e-5"},
                                                                     {"serial_batches", "true"},
                                                                     {"critic_steps", "3"},
                                                                     {"seed", "18014398509481985"},
                                                                     {"name_a", "W\"inter\u00e9"}})
    one.options.find(flag)->set_text(text, "--" + kebab_case(flag));
  EXPECT_EQ(one.options.find("alpha_id")->flag(), "--alpha-id");
  EXPECT_EQ(cyclegan(one.config).cyclegan.alpha_id, 0.125);
  const std::string stored = one.options.to_json().dump(2);
  const TrainConfig read = config_from_json(Json::parse(stored), "config.json");
  EXPECT_EQ(options_to_json(read), one.options.to_json());
  EXPECT_EQ(read.optimizer.lr, 3e-5);
  EXPECT_EQ(read.run.seed, 18014398509481985);
  EXPECT_EQ(cyclegan(read).cyclegan.critic_steps, 3);
  EXPECT_FALSE(cyclegan(read).cyclegan.lambda_identity.has_value());
}

TEST(Config, RefusesUnknownKeysWrongTypesAndValuesOutOfRange) {
  const auto refuse = [](Json json) { return error_of<UsageError>([&] { Configured configured(json); }); };
  EXPECT_THAT(refuse({{"lamda_gan", 1}}),
              AllOf(HasSubstr("run.json"), HasSubstr("'lamda_gan'"), HasSubstr("did you mean 'lambda_gan'")));
  EXPECT_THAT(refuse({{"lr", "fast"}}), AllOf(HasSubstr("run.json: lr"), HasSubstr("expected a number")));
  EXPECT_THAT(refuse({{"ngf", 1.5}}), AllOf(HasSubstr("run.json: ngf"), HasSubstr("whole number")));
  EXPECT_THAT(refuse({{"flip", 1}}), AllOf(HasSubstr("run.json: flip"), HasSubstr("true or false")));
  EXPECT_THAT(refuse({{"lr", 0}}), AllOf(HasSubstr("run.json: lr"), HasSubstr("> 0")));
  EXPECT_THAT(refuse({{"gan_mode", "lsgn"}}),
              AllOf(HasSubstr("gan_mode"), HasSubstr("did you mean 'lsgan'")));
  EXPECT_THAT(refuse({{"lr_policy", "exp"}}), AllOf(HasSubstr("lr_policy"), HasSubstr("cosine")));
  EXPECT_THAT(refuse({{"preset", "lapdog"}}), HasSubstr("laptop"));
  EXPECT_THAT(refuse({{"time_budget", "soon"}}), HasSubstr("time_budget"));
  EXPECT_THAT(refuse(Json::array()), HasSubstr("run.json"));
}

TEST(Presets, AreUsableConfigurations) {
  EXPECT_THAT(train_presets(), ::testing::IsSupersetOf({"laptop", "paper"}));
  for (const std::string& name : train_presets()) {
    Configured configured(usable());
    const Json preset = train_preset(name, *ModelChoice());
    configured.options.from_json(preset, name);
    EXPECT_NO_THROW(configured.config.validate()) << name;
    for (const auto& [key, value] : preset.items())
      EXPECT_EQ(configured.options.find(key)->value(), value) << name << " " << key;
  }
  EXPECT_THAT(error_of<UsageError>([] { train_preset("laptob", *ModelChoice()); }),
              AllOf(HasSubstr("laptob"), HasSubstr("did you mean 'laptop'")));
}

TEST(Presets, PaperIsTheDefault) {
  Configured paper;
  const Json before = paper.options.to_json();
  paper.options.from_json(train_preset("paper", *ModelChoice()), "paper");
  EXPECT_EQ(paper.options.to_json(), before);
}

TEST(Presets, LaptopIsSmaller) {
  Configured laptop(train_preset("laptop", *ModelChoice()));
  const TrainConfig plain;
  EXPECT_LT(laptop.config.data.transform.crop_size, plain.data.transform.crop_size);
  EXPECT_LT(cyclegan(laptop.config).nets.generator.ngf, cyclegan(plain).nets.generator.ngf);
  EXPECT_LT(laptop.config.schedule.total(), plain.schedule.total());
}

TEST(Config, ValidatesTheWayDataIsGiven) {
  const auto refuse = [](const Json& changes) {
    Json json = usable();
    json.update(changes);
    return error_of<UsageError>([&] { Configured(json).config.validate(); });
  };
  EXPECT_THAT(refuse({{"data", ""}}), HasSubstr("--data is missing"));
  EXPECT_THAT(refuse({{"a", "x"}, {"b", "y"}}), HasSubstr("exclude each other"));
  EXPECT_THAT(refuse({{"data", ""}, {"b", "y"}}), HasSubstr("--a is missing"));
  EXPECT_THAT(refuse({{"out", ""}}), HasSubstr("--out is missing"));
  EXPECT_THAT(refuse({{"alpha_id", 1}, {"lambda_identity", 1}}), HasSubstr("--alpha-id"));
  EXPECT_THAT(refuse({{"epochs", 0}, {"epochs_decay", 0}}), HasSubstr("--epochs"));
  EXPECT_THAT(refuse({{"crop_size", 300}}), HasSubstr("--load-size"));
}

TEST(Config, NamesSizesThatTheNetworksTake) {
  const auto refuse = [](const Json& changes) {
    Json json = usable();
    json.update(changes);
    return error_of<UsageError>([&] { Configured(json).config.validate(); });
  };
  EXPECT_THAT(refuse({{"crop_size", 130}}),
              AllOf(HasSubstr("--crop-size"), HasSubstr("130x130"), HasSubstr("128 or 132")));
  EXPECT_THAT(refuse({{"net_g", "unet_128"}, {"crop_size", 100}}),
              AllOf(HasSubstr("unet_128"), HasSubstr("use 128")));
  EXPECT_THAT(refuse({{"crop_size", 8}}), AllOf(HasSubstr("discriminator basic"), HasSubstr("8x8")));
  Json varying = usable();
  varying.update({{"preprocess", "none"}, {"crop_size", 130}});  // judged by the files, not here
  EXPECT_NO_THROW(Configured(varying).config.validate());
}

TEST(Config, FillsEachNetworksChannels) {
  const CycleGanSpec spec =
      spec_of(Configured({{"channels_a", 1}, {"channels_b", 4}, {"norm", "batch"}, {"ndf", 7}}).config);
  EXPECT_EQ(spec.g_a_to_b.in_channels, 1);
  EXPECT_EQ(spec.g_a_to_b.out_channels, 4);
  EXPECT_EQ(spec.g_b_to_a.in_channels, 4);
  EXPECT_EQ(spec.g_b_to_a.out_channels, 1);
  EXPECT_EQ(spec.d_a.in_channels, 1);
  EXPECT_EQ(spec.d_b.in_channels, 4);
  EXPECT_EQ(spec.d_a.norm, "batch");
  EXPECT_EQ(spec.d_b.ndf, 7);
}

}  // namespace
}  // namespace torsor::testing
