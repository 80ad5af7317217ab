// Tables of labels, and datasets that put labels and anchors beside images.
#include "data/label_table.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "data/anchored.h"
#include "data/conditioned.h"
#include "data/loader.h"
#include "test_support.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;

class Tables : public ::testing::Test {
 protected:
  LabelTable read(const std::string& text) const {
    std::ofstream(file_, std::ios::binary | std::ios::trunc) << text;
    return LabelTable(file_);
  }
  std::string refusal(const std::string& text) const {
    const std::string message = error_of([&] { read(text); });
    EXPECT_THAT(message, HasSubstr(file_.string()));
    return message;
  }

  const testing::TestFolder folder_;
  const std::filesystem::path file_ = folder_ / "labels.csv";
};

TEST_F(Tables, GiveLabelsByNameWithOrWithoutExtension) {
  const LabelTable table =
      read("Name,Label\r\na.png,disc\r\n\r\nsub/b,ring\r\n\"c,d.png\",\"a \"\"ring\"\"\"");
  EXPECT_EQ(table.find("a.png")->label, "disc");
  EXPECT_EQ(table.find("sub/b.jpg")->label, "ring");
  EXPECT_EQ(table.find("sub/b")->line, 4);
  EXPECT_EQ(table.find("c,d.png")->label, "a \"ring\"");
  EXPECT_EQ(table.find("a"), nullptr) << "the table names a file";
  EXPECT_EQ(table.find("b.png"), nullptr) << "another folder";
  EXPECT_EQ(table.rows().size(), 3U);
  EXPECT_THAT(table.classes(), ElementsAre("a \"ring\"", "disc", "ring"));
}

TEST_F(Tables, HaveAHeaderOnlyWhereItIsOne) {
  EXPECT_EQ(read("\xEF\xBB\xBFname,label\nx,1\n").rows().size(), 1U);
  EXPECT_EQ(read("x,1\nname,label\n").rows().size(), 2U);
}

TEST_F(Tables, ThatAreNoneSayWhere) {
  EXPECT_THAT(refusal(""), HasSubstr("holds no label"));
  EXPECT_THAT(refusal("name,label\n"), HasSubstr("holds no label"));
  EXPECT_THAT(refusal("a,1\nb\n"), AllOf(HasSubstr(":2: "), HasSubstr("1 fields")));
  EXPECT_THAT(refusal("a,1\nb,2,3\n"), HasSubstr(":2: has 3 fields"));
  EXPECT_THAT(refusal("a,1\nb,\n"), AllOf(HasSubstr(":2: "), HasSubstr("label is empty")));
  EXPECT_THAT(refusal(",1\n"), HasSubstr("name is empty"));
  EXPECT_THAT(refusal("a,1\n\nb,1\na,2\n"), AllOf(HasSubstr(":4: "), HasSubstr("line 1")));
  EXPECT_THAT(refusal("a,1\nb,\"x\n\n"), AllOf(HasSubstr(":2: "), HasSubstr("does not end")));
  EXPECT_THAT(refusal("a,\"1\"2\n"), HasSubstr(":1: "));
  EXPECT_THAT(refusal("a,\xFF\n"), HasSubstr("not UTF-8"));
  EXPECT_THAT(error_of([&] { LabelTable(folder_ / "none.csv"); }), HasSubstr("none.csv"));
}

/// Item i of A is i, of B a number that is drawn.
class DrawnNumbers : public Dataset {
 public:
  std::int64_t size() const override { return 5; }
  Batch get(std::int64_t index, Rng& rng) const override {
    Batch out;
    out.tensors["real_a"] = at::full({1, 2, 2}, static_cast<double>(index));
    out.tensors["real_b"] = at::full({1, 2, 2}, static_cast<double>(rng.index(1000)));
    out.names["real_a"] = {"a" + std::to_string(index)};
    out.names["real_b"] = {"b"};
    return out;
  }
};

TEST(Anchored, PutsADrawnPairBesideAndLeavesTheImagesWhatTheyWere) {
  const auto images = std::make_shared<DrawnNumbers>();
  const AnchoredDataset anchored(images, images);
  EXPECT_EQ(anchored.size(), 5);
  std::set<double> drawn;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Rng one(seed), two(seed);
    const Batch plain = images->get(2, one), with = anchored.get(2, two);
    for (const char* name : {"real_a", "real_b"}) EXPECT_TRUE(at::equal(with.at(name), plain.at(name)));
    const double anchor = with.at("anchor_a").flatten()[0].item<double>();
    EXPECT_EQ(with.names.at("anchor_a").front(), "a" + std::to_string(static_cast<int>(anchor)));
    drawn.insert(anchor);
  }
  EXPECT_EQ(drawn.size(), 5U) << "every pair has its turn";
}

TEST(Anchored, IsTheSameForAnyNumberOfThreads) {
  const auto images = std::make_shared<DrawnNumbers>();
  const auto anchored = std::make_shared<AnchoredDataset>(images, images);
  Loader alone(anchored, {2, 0, true, 1, 0}), helped(anchored, {2, 3, true, 1, 0});
  for (int i = 0; i < 6; ++i) {
    const Batch x = alone.next(), y = helped.next();
    for (const char* name : {"real_a", "anchor_a", "anchor_b"})
      EXPECT_TRUE(at::equal(x.at(name), y.at(name))) << i << name;
  }
}

TEST(Conditioned, PutsTheClassOfEachImageBesideIt) {
  const ConditionedDataset set(std::make_shared<DrawnNumbers>(), {{"a0", 1}, {"a1", 0}}, {{"b", 2}});
  Rng rng(1);
  const Batch item = set.get(0, rng);
  EXPECT_EQ(item.at("label_a").item<std::int64_t>(), 1);
  EXPECT_EQ(item.at("label_b").item<std::int64_t>(), 2);
  EXPECT_EQ(collate({item, set.get(1, rng)}).at("label_a").sizes(), at::IntArrayRef({2}));
  EXPECT_THROW(set.get(3, rng), std::logic_error);
}

}  // namespace
}  // namespace torsor
