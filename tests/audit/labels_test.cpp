#include "audit/labels.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/label_regression.h"
#include "audit/label_table.h"
#include "content_samples.h"
#include "core/files.h"
#include "model/classifier.h"

namespace torsor {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using testing::TestFolder;
using testing::content::images_of;
using testing::content::normal_values;
using testing::content::uniform_values;

// What the log was told.
struct HeardLog : LogSink {
  void notice(const std::string&) override {}
  void warning(const std::string& line) override { warnings.push_back(line); }
  std::vector<std::string> warnings;
};

NamedLabels read_table(const TestFolder& folder, const std::string& text,
                       const std::vector<std::string>& names) {
  write_file_atomically(folder / "t.csv", text);
  return read_label_table(folder / "t.csv", names);
}

TEST(LabelTable, FindsImagesByName) {
  const TestFolder folder;
  const std::vector<std::string> names = {"p1/a.png", "p1/b.png", "c.png", "c.jpg"};
  const NamedLabels found =
      read_table(folder, "file,class\np1/a.png,x\np1/b,y\nc.jpg,x\nelsewhere,y\n", names);
  EXPECT_THAT(found.labels, ElementsAre("x", "y", "", "x"));
  EXPECT_EQ(found.without_label, 1);
  EXPECT_EQ(found.without_image, 1) << "the header is none";
  EXPECT_EQ(found.first_without_image, 5);
  const auto message = [&](const std::string& text) {
    return error_of([&] { read_table(folder, text, names); });
  };
  EXPECT_THAT(message("c,x\n"), HasSubstr("t.csv:1: 2 images are called 'c'"));
  EXPECT_THAT(message("p1/a.png,x\np1/a,y\n"),
              HasSubstr("t.csv:2: the image 'p1/a' has a label already, in line 1"));
  EXPECT_THAT(message("a.png,x\nb.png,y\n"), HasSubstr("t.csv:1: none of its 2 rows names an image"));
}

// Classes differ in brightness; `n` images of each.
at::Tensor dark_and_bright(std::int64_t n, std::uint64_t seed) {
  at::Tensor values = 0.1 * normal_values({2 * n, 1, 16, 16}, seed);
  values.narrow(0, 0, n).sub_(0.5);
  values.narrow(0, n, n).add_(0.5);
  return values.clamp(-1, 1);
}

std::string table_of(std::int64_t dark, std::int64_t bright, std::int64_t of_each) {
  std::string out = "name,label\n";
  for (std::int64_t i = 0; i < dark; ++i) out += fmt::format("{:03},dark\n", i);
  for (std::int64_t i = 0; i < bright; ++i) out += fmt::format("{:03}.png,bright\n", of_each + i);
  return out;
}

class LabelsByTables : public ::testing::Test {
 protected:
  AuditLabels read(const std::string& table_a, const std::string& table_b) {
    write_file_atomically(folder_ / "a.csv", table_a);
    write_file_atomically(folder_ / "b.csv", table_b);
    return labels_by_tables(folder_ / "a.csv", folder_ / "b.csv", images_of("a", dark_and_bright(10, 1)),
                            images_of("b", dark_and_bright(10, 2)),
                            make_extractor({"pixels", "auto", 0}, c10::kCPU), log_);
  }
  std::string error(const std::string& table_a, const std::string& table_b) {
    return error_of([&] { read(table_a, table_b); });
  }

  TestFolder folder_;
  HeardLog log_;
};

TEST_F(LabelsByTables, LearnTheClassesOfTheImages) {
  const AuditLabels labels = read(table_of(10, 10, 10), table_of(10, 7, 10) + "other,dark\n");
  EXPECT_THAT(labels.classes, ElementsAre("bright", "dark"));
  EXPECT_EQ(labels.accuracy_a, 1);
  EXPECT_EQ(labels.without_label_a, 0);
  EXPECT_EQ(labels.without_label_b, 3);
  EXPECT_EQ(labels.b[19].item<std::int64_t>(), -1);
  EXPECT_EQ(labels.held_out_b[19].item<std::int64_t>(), 0)
      << "the classifier's answer where there is no label";
  const at::Tensor said = labels.classify(dark_and_bright(4, 9), "b");
  EXPECT_TRUE(at::equal(said, at::tensor({1, 1, 1, 1, 0, 0, 0, 0}, at::kLong)));
  EXPECT_THAT(labels.source, HasSubstr("pixels"));
  ASSERT_EQ(log_.warnings.size(), 2U);
  EXPECT_THAT(log_.warnings[0], HasSubstr("b.csv: 3 of 20 images have no label"));
  EXPECT_THAT(log_.warnings[1], HasSubstr("b.csv: 1 rows name no image of the folder, first in line 19"));
}

TEST_F(LabelsByTables, ClassesNeedImagesInBothDomains) {
  const std::string good = table_of(10, 10, 10);
  EXPECT_THAT(error(good, table_of(10, 4, 10)),
              HasSubstr("b.csv:12: the class 'bright' has 4 images; a class needs at least 5"));
  EXPECT_THAT(error(good, table_of(10, 0, 10)),
              HasSubstr("b.csv:2: all labelled images are of the class 'dark'"));
  EXPECT_THAT(error(good + "\"x\",y\n", "000,only\n"), HasSubstr("b.csv:1"));
  std::string third = good;
  for (std::int64_t i = 0; i < 5; ++i) {  // another class of A
    const std::string line = fmt::format("{:03},dark\n", i);
    third.replace(third.find(line), line.size(), fmt::format("{:03},grey\n", i));
  }
  EXPECT_THAT(error(third, good), HasSubstr("a.csv:2: the class 'grey' has no image in"));
}

// Numbers without meaning and classes by chance: whoever has learnt an image knows its class, nobody else
// does.
TEST(LabelRegression, IsTestedOnGroupsThatItHasNotLearnt) {
  const at::Tensor once = normal_values({60, 400}, 3).to(at::kDouble);
  const at::Tensor rows = at::cat({once, once});  // each image twice, in one group
  const at::Tensor by_chance = (normal_values({60}, 4) > 0).to(at::kLong);
  const at::Tensor classes = at::cat({by_chance, by_chance});
  std::vector<std::int64_t> groups, split;
  for (std::int64_t i = 0; i < 120; ++i) {
    groups.push_back(i % 60);
    split.push_back(i);
  }
  const auto accuracy = [&](const at::Tensor& said) {
    return (said == classes).to(at::kDouble).mean().item<double>();
  };
  EXPECT_EQ(accuracy(LabelRegression(rows, classes, 2).predict(rows)), 1);
  EXPECT_LT(accuracy(held_out_classes(rows, classes, groups, 2)), 0.7);
  EXPECT_GT(accuracy(held_out_classes(rows, classes, split, 2)), 0.85) << "what groups protect against";
  EXPECT_THAT(error_of([&] { held_out_classes(rows, classes, std::vector<std::int64_t>(120, 7), 2); }),
              HasSubstr("one group"));
}

TEST(LabelRegression, NeverAnswersAClassThatItHasNotSeen) {
  const at::Tensor rows = at::tensor({-1.0, -2.0, 1.0, 2.0}).unsqueeze(1).to(at::kDouble);
  const LabelRegression fit(rows, at::tensor({0, 0, 2, 2}, at::kLong), 3);
  EXPECT_TRUE(at::equal(fit.predict(rows), at::tensor({0, 0, 2, 2}, at::kLong)));
  const LabelRegression one(rows, at::ones({4}, at::kLong), 3);
  EXPECT_TRUE(at::equal(one.predict(rows), at::ones({4}, at::kLong)));
}

std::filesystem::path classifier_in(const TestFolder& folder, Classifier& model) {
  Archive archive;
  model.save(archive);
  archive.write(folder / "classifier.safetensors", {{"options", options_to_json(model.options()).dump()}});
  return folder / "classifier.safetensors";
}

TEST(LabelsByClassifier, AreWhatTheModelSays) {
  const TestFolder folder;
  ClassifierOptions options;
  options.side = 16;
  options.width = 8;
  options.classes = 4;
  Classifier model(options, {}, {}, 3);
  // Values that 8 bits hold, so that nothing is lost on the way.
  const at::Tensor a = ((uniform_values({40, 1, 16, 16}, 6) + 1) * 127.5).round() / 127.5 - 1;
  const AuditLabels labels =
      labels_by_classifier(classifier_in(folder, model), images_of("a", a), images_of("b", -a), {});
  EXPECT_TRUE(at::equal(labels.a, model.predict(a)));
  EXPECT_TRUE(at::equal(labels.b, model.predict(-a)));
  EXPECT_GT(std::get<0>(at::_unique(labels.a)).numel(), 1) << "the untrained one tells something apart";
  EXPECT_THAT(labels.classes, ElementsAre("0", "1", "2", "3"));
  EXPECT_EQ(labels.classify(at::zeros({1, 3, 30, 30}), "a").numel(), 1) << "of any size and channels";
  EXPECT_FALSE(labels.held_out_a.defined());
}

TEST(LabelsByClassifier, AnotherFileIsAnError) {
  const TestFolder folder;
  const AuditImages images = images_of("a", uniform_values({2, 1, 16, 16}, 6));
  const auto message = [&](const std::filesystem::path& file) {
    return error_of([&] { labels_by_classifier(file, images, images, {}); });
  };
  Archive archive;
  archive.put("x", at::zeros({2}));
  archive.write(folder / "other.safetensors", {});
  EXPECT_THAT(message(folder / "other.safetensors"), HasSubstr("other.safetensors: is no classifier"));
  EXPECT_THAT(message(folder / "missing.safetensors"), HasSubstr("missing.safetensors"));
  ClassifierOptions options;
  options.side = 8;
  options.width = 1;
  options.classes = 17;
  Classifier many(options, {}, {}, 3);
  EXPECT_THAT(message(classifier_in(folder, many)), HasSubstr("17 classes"));
}

}  // namespace
}  // namespace torsor
