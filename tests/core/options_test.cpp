// Options: one declaration serves flags, files and the stored configuration.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/options.h"
#include "core/text.h"
#include "test_support.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

void refuse_spaces(const std::string& value, const std::string& where) {
  if (value.find(' ') != std::string::npos) fail_usage("{}: '{}' has a space", where, value);
}

struct Sample {
  bool flip = true;
  std::int64_t pool_size = 50;
  double learning_rate = 2e-4;
  double probability = 0.5;
  std::string gan_mode = "lsgan";
  std::string name = "run";
  std::optional<double> clip;
  std::optional<std::int64_t> threads;

  void describe(OptionSet& o) {
    o.group("data");
    o.add("flip", flip, "mirror");
    o.add("pool_size", pool_size, "images kept").at_least(0);
    o.group("training");
    o.add("learning_rate", learning_rate, "step").above(0);
    o.add("probability", probability, "chance").range(0, 1);
    o.add("gan_mode", gan_mode, "loss").choices({"lsgan", "hinge", "wgangp"});
    o.add("name", name, "label").check(refuse_spaces);
    o.add("clip", clip, "norm").above(0);
    o.add("threads", threads, "loaders").at_least(1).hidden();
  }
  void validate() const {
    if (pool_size == 13) fail_usage("pool_size: 13 is unlucky");
  }
};

class Options : public ::testing::Test {
 protected:
  Options() { sample_.describe(set_); }
  std::string refusal(const char* json) {
    return testing::error_of<UsageError>([&] { set_.from_json(Json::parse(json), "run.json"); });
  }
  std::string flag_refusal(const char* name, const std::string& text) {
    return testing::error_of<UsageError>([&] { set_.find(name)->set_text(text, set_.find(name)->flag()); });
  }
  Sample sample_;
  OptionSet set_;
};

TEST_F(Options, DeclarationTellsNamesGroupsTypesAndLimits) {
  EXPECT_THAT(set_.names(), ElementsAre("flip", "pool_size", "learning_rate", "probability", "gan_mode",
                                        "name", "clip", "threads"));
  EXPECT_EQ(set_.find("learning_rate")->flag(), "--learning-rate");
  EXPECT_EQ(set_.find("pool_size")->group(), "data");
  EXPECT_EQ(set_.find("learning_rate")->group(), "training");
  EXPECT_EQ(set_.find("learning_rate")->help(), "step");
  EXPECT_EQ(set_.find("pool_size")->constraint(), ">= 0");
  EXPECT_EQ(set_.find("learning_rate")->constraint(), "> 0");
  EXPECT_EQ(set_.find("probability")->constraint(), "0 to 1");
  EXPECT_EQ(set_.find("gan_mode")->constraint(), "one of lsgan, hinge, wgangp");
  EXPECT_EQ(set_.find("name")->constraint(), "");
  EXPECT_EQ(set_.find("threads")->type_name(), "integer");
  EXPECT_EQ(set_.find("clip")->type_name(), "number");
  EXPECT_TRUE(set_.find("flip")->is_bool());
  EXPECT_TRUE(set_.find("threads")->is_hidden());
  EXPECT_FALSE(set_.find("clip")->is_hidden());
  EXPECT_EQ(set_.find("nothing"), nullptr);
}

TEST_F(Options, DefaultsStandUntilSomethingIsGiven) {
  EXPECT_EQ(set_.to_json().dump(),
            R"({"flip":true,"pool_size":50,"learning_rate":0.0002,"probability":0.5,"gan_mode":"lsgan",)"
            R"("name":"run","clip":null,"threads":null})");
  set_.from_json(Json::object(), "run.json");
  EXPECT_EQ(sample_.pool_size, 50);
  EXPECT_FALSE(set_.find("pool_size")->given());
  set_.from_json(Json::parse(R"({"pool_size": 7})"), "run.json");
  EXPECT_EQ(sample_.pool_size, 7);
  EXPECT_TRUE(set_.find("pool_size")->given());
  EXPECT_FALSE(set_.find("flip")->given());
  EXPECT_EQ(set_.find("pool_size")->default_value(), Json(50));
}

TEST_F(Options, EveryTypeIsReadFromJson) {
  set_.from_json(Json::parse(R"({"flip": false, "pool_size": 2e3, "learning_rate": 1, "probability": 0.25,
                                 "gan_mode": "hinge", "name": "x", "clip": 2, "threads": 3})"),
                 "run.json");
  EXPECT_FALSE(sample_.flip);
  EXPECT_EQ(sample_.pool_size, 2000);
  EXPECT_EQ(sample_.learning_rate, 1);
  EXPECT_EQ(sample_.probability, 0.25);
  EXPECT_EQ(sample_.gan_mode, "hinge");
  EXPECT_EQ(sample_.name, "x");
  EXPECT_EQ(sample_.clip, 2.0);
  EXPECT_EQ(sample_.threads, 3);
  set_.from_json(Json::parse(R"({"clip": null, "threads": null})"), "run.json");
  EXPECT_EQ(sample_.clip, std::nullopt);
  EXPECT_EQ(sample_.threads, std::nullopt);
}

TEST_F(Options, StoredOptionsComeBackTheSame) {
  set_.from_json(Json::parse(R"({"learning_rate": 0.1, "probability": 0.3333333333333333, "clip": 1e-7})"),
                 "x");
  const Json stored = Json::parse(set_.to_json().dump());
  const auto copy = options_from_json<Sample>(stored, "model");
  EXPECT_EQ(copy.learning_rate, sample_.learning_rate);
  EXPECT_EQ(copy.probability, sample_.probability);
  EXPECT_EQ(copy.clip, sample_.clip);
  EXPECT_EQ(options_to_json(copy), stored);
}

TEST_F(Options, AWrongTypeNamesFileKeyAndWhatWasFound) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"flip": 1})", "run.json: flip: expected true or false, found 1"},
      {R"({"pool_size": "many"})", "run.json: pool_size: expected a whole number, found \"many\""},
      {R"({"pool_size": 2.5})", "run.json: pool_size: expected a whole number, found 2.5"},
      {R"({"pool_size": true})", "run.json: pool_size: expected a whole number, found true"},
      {R"({"pool_size": null})", "run.json: pool_size: expected a whole number, found null"},
      {R"({"learning_rate": "1e-4"})", "run.json: learning_rate: expected a number, found \"1e-4\""},
      {R"({"gan_mode": 3})", "run.json: gan_mode: expected text in quotes, found 3"},
      {R"({"clip": []})", "run.json: clip: expected a number, found []"},
      {R"({"threads": 1.5})", "run.json: threads: expected a whole number, found 1.5"},
  };
  const Json before = set_.to_json();
  for (const auto& [json, message] : cases) EXPECT_EQ(refusal(json), message);
  EXPECT_EQ(set_.to_json(), before);
}

TEST_F(Options, AWholeNumberBeyond64BitsIsNotWrappedAround) {
  EXPECT_THAT(refusal(R"({"threads": 18446744073709551615})"), HasSubstr("18446744073709551615"));
  EXPECT_THAT(refusal(R"({"pool_size": 1e19})"), StartsWith("run.json: pool_size: expected a whole number"));
  set_.from_json(Json::parse(R"({"pool_size": 9223372036854775807})"), "run.json");
  EXPECT_EQ(sample_.pool_size, std::numeric_limits<std::int64_t>::max());
}

TEST_F(Options, AValueOutOfRangeSaysWhatIsAllowed) {
  EXPECT_EQ(refusal(R"({"pool_size": -1})"), "run.json: pool_size: -1 is out of range; expected >= 0");
  EXPECT_EQ(refusal(R"({"learning_rate": 0})"), "run.json: learning_rate: 0 is out of range; expected > 0");
  EXPECT_EQ(refusal(R"({"probability": 1.5})"),
            "run.json: probability: 1.5 is out of range; expected 0 to 1");
  EXPECT_THAT(refusal(R"({"clip": 0})"), HasSubstr("expected > 0"));
  EXPECT_THAT(refusal(R"({"threads": 0})"), HasSubstr("expected >= 1"));
  EXPECT_THAT(flag_refusal("learning_rate", "nan"), HasSubstr("out of range"));
  EXPECT_THAT(flag_refusal("learning_rate", "inf"), HasSubstr("out of range"));
  set_.from_json(Json::parse(R"({"pool_size": 0, "probability": 1})"), "run.json");
  EXPECT_EQ(sample_.probability, 1);
}

TEST_F(Options, AnUnknownChoiceSuggestsTheNearest) {
  EXPECT_EQ(refusal(R"({"gan_mode": "hnige"})"),
            "run.json: gan_mode: unknown value 'hnige'; did you mean 'hinge'? (one of lsgan, hinge, wgangp)");
  EXPECT_EQ(flag_refusal("name", "two words"), "--name: 'two words' has a space");
  EXPECT_EQ(sample_.gan_mode, "lsgan");
  EXPECT_EQ(sample_.name, "run");
}

TEST_F(Options, AnUnknownKeySuggestsTheNearest) {
  EXPECT_EQ(refusal(R"({"pool_szie": 3})"),
            "run.json: unknown option 'pool_szie'; did you mean 'pool_size'?");
  EXPECT_EQ(refusal(R"({"something_else_entirely": 3})"),
            "run.json: unknown option 'something_else_entirely'");
  EXPECT_THAT(refusal("[1]"), AllOf(StartsWith("run.json: expected an object"), HasSubstr("[1]")));
}

TEST_F(Options, FlagsAreReadFromTheirText) {
  const auto set = [&](const char* name, const char* text) { set_.find(name)->set_text(text, name); };
  for (const char* text : {"no", "FALSE", "0", "off"}) {
    sample_.flip = true;
    set("flip", text);
    EXPECT_FALSE(sample_.flip) << text;
  }
  for (const char* text : {"yes", "True", "1", "on"}) {
    sample_.flip = false;
    set("flip", text);
    EXPECT_TRUE(sample_.flip) << text;
  }
  set("pool_size", "12");
  set("learning_rate", "1e-3");
  set("gan_mode", "wgangp");
  set("clip", "0.5");
  set("threads", "4");
  EXPECT_EQ(sample_.pool_size, 12);
  EXPECT_EQ(sample_.learning_rate, 1e-3);
  EXPECT_EQ(sample_.gan_mode, "wgangp");
  EXPECT_EQ(sample_.clip, 0.5);
  EXPECT_EQ(sample_.threads, 4);
}

TEST_F(Options, ATextThatDoesNotFitItsFlagIsRefused) {
  EXPECT_EQ(flag_refusal("flip", "maybe"), "--flip: 'maybe' is not true or false");
  for (const char* text : {"", "x", "5x", "5.5", " 5", "99999999999999999999"})
    EXPECT_EQ(flag_refusal("pool_size", text), fmt::format("--pool-size: '{}' is not a whole number", text));
  for (const char* text : {"", "fast", "0.1.2", "0,1", "1e-3s"})
    EXPECT_EQ(flag_refusal("learning_rate", text),
              fmt::format("--learning-rate: '{}' is not a number", text));
  EXPECT_EQ(sample_.pool_size, 50);
}

TEST_F(Options, StructuresAreValidatedAfterReading) {
  EXPECT_THROW(options_from_json<Sample>(Json::parse(R"({"pool_size": 13})"), "run.json"), UsageError);
  EXPECT_EQ(options_from_json<Sample>(Json::parse(R"({"pool_size": 14})"), "run.json").pool_size, 14);
}

TEST_F(Options, ANameIsDeclaredOnce) {
  EXPECT_THROW(set_.add("flip", sample_.flip, "again"), std::logic_error);
}

}  // namespace
}  // namespace torsor
