#include "model/model_types.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "model/cures_test_support.h"
#include "model/cyclegan_settings.h"
#include "test_support.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using testing::error_of;
using ::testing::HasSubstr;

class EachType : public ::testing::TestWithParam<std::string> {
 protected:
  ModelChoice model_{GetParam()};
};

// Networks that are quick to make, of whatever model.
void make_small(ModelChoice& model) {
  OptionSet options;
  model->describe_networks(options);
  for (const auto& [name, value] : {std::pair{"ngf", 2}, {"ndf", 2}}) options.find(name)->set(value, name);
}

// What a model cannot do without and has no default for: a classifier.
void give_files(ModelChoice& model, const testing::TestFolder& folder) {
  OptionSet options;
  model->describe_losses(options);
  if (Option* encoder = options.find("self_encoder"))
    encoder->set(testing::write_classifier(folder, 3).string(), "self_encoder");
  model->read_files();
}

TEST_P(EachType, MakesTheNetworksThatItLists) {
  const testing::TestFolder folder;
  make_small(model_);
  give_files(model_, folder);
  const DomainChannels channels{3, 3};
  const auto listed = model_->networks(channels);
  const auto model = model_->make(channels, {}, Placement(), 1);
  const auto made = model->networks();
  ASSERT_EQ(made.size(), listed.size());
  std::int64_t parameters = 0;
  for (std::size_t i = 0; i < made.size(); ++i) {
    EXPECT_EQ(made[i].name, listed[i].name);
    EXPECT_EQ(parameter_count(*made[i].network), parameter_count(*make_network(listed[i], "")));
    EXPECT_EQ(made[i].network->size_rule().multiple, listed[i].sides.multiple);
    parameters += parameter_count(*made[i].network);
  }
  EXPECT_EQ(parameter_count(listed), parameters);
  EXPECT_FALSE(model->loss_names().empty());
}

TEST_P(EachType, CopiesAreApartAndAssignmentKeepsOptionsBound) {
  OptionSet options;
  model_->describe_networks(options);
  ModelChoice copy = model_;
  options.find("ngf")->set(5, "ngf");
  const auto width_of = [](ModelChoice& choice) {
    OptionSet bound;
    choice->describe_networks(bound);
    return bound.find("ngf")->value();
  };
  EXPECT_EQ(width_of(model_), 5);
  EXPECT_NE(width_of(copy), 5);
  model_ = copy;
  EXPECT_EQ(options.find("ngf")->value(), width_of(copy));  // still the field of model_
  options.find("ngf")->set(7, "ngf");
  EXPECT_EQ(width_of(model_), 7);
}

TEST_P(EachType, HasHelpSizesAndUsableDefaults) {
  EXPECT_FALSE(model_types().at(GetParam()).help.empty());
  const testing::TestFolder folder;
  give_files(model_, folder);
  EXPECT_NO_THROW(model_->validate({3, 3}));
  const auto sizes = model_->sizes();
  ASSERT_FALSE(sizes.empty());
  for (std::size_t i = 1; i < sizes.size(); ++i) EXPECT_LE(sizes[i].crop, sizes[i - 1].crop);
  EXPECT_EQ(model_->without_history()->images_kept(), 0);
}

INSTANTIATE_TEST_SUITE_P(Models, EachType, ::testing::ValuesIn(model_types().names()),
                         [](const auto& each) { return each.param; });

TEST(ModelChoices, AnUnknownNameIsRefusedWithTheNearest) {
  EXPECT_THAT(error_of<UsageError>([] { ModelChoice("cylcegan"); }),
              AllOf(HasSubstr("cylcegan"), HasSubstr("did you mean 'cyclegan'")));
}

TEST(ModelChoices, TheNameInAFileDecidesAndItsAbsenceMeansCycleGan) {
  EXPECT_EQ(model_in(Json{{"model", "cyclegan"}}, "c.json"), "cyclegan");
  EXPECT_EQ(model_in(Json{{"seed", 1}}, "c.json"), "cyclegan");
  EXPECT_THAT(error_of<UsageError>([] {
                model_in(Json{{"model", 3}}, "c.json");
              }),
              AllOf(HasSubstr("c.json"), HasSubstr("3")));
  EXPECT_THAT(error_of<UsageError>([] {
                model_in(Json{{"model", "cyclegn"}}, "c.json");
              }),
              AllOf(HasSubstr("c.json"), HasSubstr("did you mean 'cyclegan'")));
}

TEST(ModelChoices, OptionsOfTwoTypesAreNotMixed) {
  struct Other : ModelOptionsOf<Other> {
    void describe_networks(OptionSet&) override {}
    void describe_losses(OptionSet&) override {}
    void validate(const DomainChannels&) const override {}
    std::vector<NetworkInfo> networks(const DomainChannels&) const override { return {}; }
    std::unique_ptr<Model> make(const DomainChannels&, const OptimizerOptions&, const Placement&,
                                std::uint64_t) const override {
      return nullptr;
    }
    std::vector<ModelSize> sizes() const override { return {}; }
  };
  CycleGanSettings settings;
  EXPECT_THROW(settings.assign(Other()), std::logic_error);
}

TEST(NetworkInfos, SidesThatFitAllNetworks) {
  const SizeRule rule =
      common_sides({{"a", "generator", {}, {4, 8, false}}, {"b", "generator", {}, {6, 20, false}}});
  EXPECT_EQ(rule.multiple, 12);
  EXPECT_EQ(rule.minimum, 20);
}

TEST(NetworkInfos, AnUnknownKindIsRefusedByName) {
  EXPECT_THAT(error_of<Error>([] {
                make_network({"x", "oracle", {}, {}}, "m.safetensors");
              }),
              AllOf(HasSubstr("m.safetensors"), HasSubstr("oracle"), HasSubstr("generator")));
}

}  // namespace
}  // namespace torsor
