// A training with what narrows its solutions: what it opens, refuses, stores and takes up again.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "core/files.h"
#include "dist/thread_ranks.h"
#include "image/codec.h"
#include "io/checksum.h"
#include "model/classifier.h"
#include "nn/state_dict.h"
#include "train/estimate.h"
#include "train/resume_test_support.h"

namespace torsor::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAreArray;

/// Five images in a and in b, three pairs in pairs_a and pairs_b, tables of their labels, a classifier.
class CuredTraining : public ::testing::Test {
 protected:
  CuredTraining() {
    for (int i = 0; i < 5; ++i) {
      put("a", i, 10 + i);
      put("b", i, 110 + i);
    }
    for (int i = 0; i < 3; ++i) {
      put("pairs_a", i, 50 + 10 * i);
      put("pairs_b", i, 150 + 10 * i);
    }
    write("labels_a.csv", "name,label\n0.png,disc\n1.png,ring\n2.png,disc\n3,ring\n4,ring\n");
    write("labels_b.csv", "0,disc\n1,disc\n2,disc\n3,ring\n4,ring\n");
    write_classifier(3);
  }

  /// Stripes from `value` up.
  void put(const std::string& folder, int i, int value, std::int64_t side = 20) const {
    Image image = Image::blank(side, side, 1);
    for (std::int64_t p = 0; p < side * side; ++p)
      image.u8()[p] = static_cast<std::uint8_t>(value + p / side % 4);
    fs::create_directories(folder_ / folder);
    write_image(folder_ / folder / (std::to_string(i) + ".png"), image);
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::trunc) << text;
  }
  void write_classifier(std::uint64_t seed) const {
    ClassifierOptions options;
    options.side = 8;
    options.width = 2;
    Classifier model(options, {}, {}, seed);
    Archive archive;
    model.save(archive);
    archive.write(folder_ / "classifier.safetensors", {{"options", options_to_json(options).dump()}});
  }
  std::string at(const std::string& name) const { return (folder_ / name).string(); }

  TrainConfig config(const std::string& name = "run") const {
    TrainConfig out = tiny(folder_ / name);
    out.data.data.clear();
    out.data.a = at("a");
    out.data.b = at("b");
    out.data.channels_a = out.data.channels_b = 1;
    return out;
  }
  void anchor(TrainConfig& config) const {
    cyclegan(config).cyclegan.cures.anchors_a = at("pairs_a");
    cyclegan(config).cyclegan.cures.anchors_b = at("pairs_b");
  }
  void see_classes(TrainConfig& config) const {
    cyclegan(config).cyclegan.cures.labels_a = at("labels_a.csv");
    cyclegan(config).cyclegan.cures.labels_b = at("labels_b.csv");
  }
  TrainConfig with_all() const {
    TrainConfig out = config();
    anchor(out);
    see_classes(out);
    CureOptions& cures = cyclegan(out).cyclegan.cures;
    cures.content_encoder = at("classifier.safetensors");
    cures.lambda_jacobian = 1;
    return out;
  }
  TrainData open(TrainConfig config) const {
    config.read_files();
    return open_data(config, log_);
  }
  std::string refusal(const TrainConfig& config) const {
    return error_of([&] { open(config); });
  }
  std::vector<std::string> keys(const std::vector<std::string>& files) const {
    std::vector<std::string> out;
    for (const std::string& file : files) out.push_back(content_key(read_file(folder_ / file)));
    return out;
  }

  const TestFolder folder_;
  const std::shared_ptr<Lines> log_ = std::make_shared<Lines>();
  const std::vector<std::string> anchor_files_ = {"pairs_a/0.png", "pairs_a/1.png", "pairs_a/2.png",
                                                  "pairs_b/0.png", "pairs_b/1.png", "pairs_b/2.png"};
};

int grey(const at::Tensor& values) {
  return static_cast<int>(std::lround((values.mean().item<double>() * 0.5 + 0.5) * 255));
}

TEST_F(CuredTraining, BatchesHavePairsAndClassesBesideTheImages) {
  TrainConfig config = this->config();
  const TrainData plain = open(config);
  anchor(config);
  see_classes(config);
  const TrainData data = open(config);
  EXPECT_EQ(data.train->size(), plain.train->size());
  EXPECT_EQ(data.anchor_pairs, 3);
  EXPECT_THAT(data.anchors, UnorderedElementsAreArray(keys(anchor_files_)));
  EXPECT_THAT(plain.anchors, IsEmpty());
  for (std::int64_t i = 0; i < 5; ++i) {
    Rng one(9), two(9);
    const Batch item = data.train->get(i, one), without = plain.train->get(i, two);
    for (const char* name : {"real_a", "real_b"}) EXPECT_TRUE(at::equal(item.at(name), without.at(name)));
    EXPECT_EQ(item.at("anchor_a").sizes(), item.at("real_a").sizes());
    EXPECT_NEAR(grey(item.at("anchor_b")) - grey(item.at("anchor_a")), 100, 2) << "partners";
    // Places among disc, ring.
    const std::int64_t b = std::stoi(item.names.at("real_b").front());
    EXPECT_EQ(item.at("label_a").item<std::int64_t>(), i == 0 || i == 2 ? 0 : 1);
    EXPECT_EQ(item.at("label_b").item<std::int64_t>(), b < 3 ? 0 : 1);
  }
  EXPECT_FALSE(data.fixed.tensors.contains("anchor_a"));
  EXPECT_EQ(data.files.at("a"), plain.files.at("a"));
  EXPECT_EQ(data.files.at("anchors_a").at("count"), 3);
  EXPECT_FALSE(plain.files.contains("anchors_a"));
}

TEST_F(CuredTraining, APairHasOneCropAndOneFlip) {
  TrainConfig config = this->config();
  anchor(config);
  Image a = Image::blank(32, 32, 1), b = Image::blank(32, 32, 1);
  for (int p = 0; p < 32 * 32; ++p) {
    a.u8()[p] = static_cast<std::uint8_t>(p % 32 * 3 + p / 32);
    b.u8()[p] = static_cast<std::uint8_t>(a.u8()[p] + 100);
  }
  for (int i = 0; i < 3; ++i) {
    write_image(folder_ / "pairs_a" / (std::to_string(i) + ".png"), a);
    write_image(folder_ / "pairs_b" / (std::to_string(i) + ".png"), b);
  }
  config.data.transform.load_size = 32;
  const TrainData data = open(config);
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    Rng rng(seed);
    const Batch item = data.train->get(0, rng);
    EXPECT_TRUE(at::allclose(item.at("anchor_b") - item.at("anchor_a"),
                             at::full_like(item.at("anchor_a"), 200.0 / 255), 0, 1e-6));
  }
}

TEST_F(CuredTraining, RefusesAnchorsThatAreNone) {
  TrainConfig config = this->config();
  anchor(config);
  CureOptions& cures = cyclegan(config).cyclegan.cures;
  cures.anchors_a = at("gone");
  EXPECT_THAT(refusal(config), AllOf(HasSubstr("gone"), HasSubstr("no such folder")));
  fs::create_directories(folder_ / "gone");
  EXPECT_THAT(refusal(config), AllOf(HasSubstr("gone"), HasSubstr("holds no image")));
  put("gone", 7, 1);
  EXPECT_THAT(refusal(config), AllOf(HasSubstr("no image in"), HasSubstr("has a partner")));
  put("gone", 1, 1);
  EXPECT_THAT(refusal(config), AllOf(HasSubstr("no partner"), HasSubstr("7.png"), HasSubstr("--skip-bad")));
  config.data.skip_bad = true;
  EXPECT_EQ(open(config).anchor_pairs, 1);
  for (int i = 0; i < 51; ++i) {
    put("many_a", i, 10);
    put("many_b", i, 20);
  }
  cures.anchors_a = at("many_a");
  cures.anchors_b = at("many_b");
  EXPECT_THAT(refusal(config), AllOf(HasSubstr("51 pairs"), HasSubstr("at most 50"), HasSubstr("many_a")));
  fs::remove(folder_ / "many_a" / "50.png");
  fs::remove(folder_ / "many_b" / "50.png");
  EXPECT_EQ(open(config).anchor_pairs, 50);
}

TEST_F(CuredTraining, RefusesLabelsThatLeaveImagesOut) {
  TrainConfig config = this->config();
  see_classes(config);
  write("labels_a.csv", "0,disc\n4,ring\n");
  EXPECT_THAT(refusal(config), AllOf(HasSubstr("labels_a.csv"), HasSubstr("3 of 5 training images"),
                                     HasSubstr("1.png, 2.png, 3.png")));
  write("labels_a.csv", "0,disc\n");
  EXPECT_THAT(refusal(config), AllOf(HasSubstr("labels_b.csv:4"), HasSubstr("'ring'")));
  write("labels_a.csv", "file,kind\n0,disc\n1,ring\n2,disc\n3,disc\n4,disc\n");
  write("labels_b.csv", "file,kind\n0,disc\n1,ring\n2,disc\n3,disc\n4,disc\n");
  EXPECT_THAT(refusal(config),
              AllOf(HasSubstr("labels_a.csv:1"), HasSubstr("'kind'"), HasSubstr("name,label")));
  write("labels_a.csv", "0,disc\n1,ring\n2,disc\n3,disc\n4,disc\n5,disc\n");
  write("labels_b.csv", "0,disc\n1,ring\n2,disc\n3,disc\n4,disc\n");
  open(config);
  EXPECT_THAT(log_->lines, Contains(HasSubstr("1 of its 6 labels are of no training image")));
}

TEST_F(CuredTraining, ResumesToTheByte) {
  TrainConfig config = with_all();
  ASSERT_EQ(train(config), EndReason::finished);
  const RunDirectory whole(folder_ / "whole"), resumed(folder_ / "run");
  fs::rename(resumed.root(), whole.root());
  config.run.steps = 5;
  train(config);
  EXPECT_THAT(go_on(resumed.root(), {{"steps", 10}}), Not(Contains(HasSubstr("warning"))));
  EXPECT_TRUE(read_file(resumed.checkpoint(10)) == read_file(whole.checkpoint(10)));
  EXPECT_TRUE(read_file(resumed.model()) == read_file(whole.model()));
}

TEST_F(CuredTraining, LeavesItsNamesInTheLogAndItsAnchorsInTheModel) {
  train(with_all());
  const RunDirectory run(folder_ / "run");
  const Json line = read_lines(run.log()).back();
  for (const char* name :
       {"anchor_a_to_b", "anchor_b_to_a", "content_a", "content_b", "jacobian_a", "jacobian_b"})
    EXPECT_GT(line.at(name).get<double>(), 0) << name;
  const ModelInfo info = read_weights(run.model()).info;
  EXPECT_THAT(info.anchors, UnorderedElementsAreArray(keys(anchor_files_)));
  EXPECT_EQ(find_discriminator(info, {"a"}), nullptr);
  EXPECT_EQ(info.networks.at(3).options.at("in_channels"), 3);
  EXPECT_THAT(info.networks.at(3).labels, ElementsAre("disc", "ring"));
  const Json stored = read_json(run.config());
  EXPECT_EQ(stored.at("anchors_a"), at("pairs_a"));
  EXPECT_EQ(stored.at("content_hash").get<std::string>().size(), 32U);
}

TEST_F(CuredTraining, TakesUpMovedFilesAndNoOtherOnes) {
  train(with_all());
  fs::rename(folder_ / "pairs_a", folder_ / "moved");
  const auto point = [&] { return open_resume_point(folder_ / "run", *log_); };
  EXPECT_THAT(error_of<UsageError>([&] { resumed_config(point(), Json::object()); }),
              AllOf(HasSubstr("--anchors-a"), HasSubstr("--anchors-a DIR")));
  go_on(folder_ / "run", {{"anchors_a", at("moved")}, {"steps", 12}});
  EXPECT_THAT(read_weights(RunDirectory(folder_ / "run").model()).info.anchors,
              UnorderedElementsAreArray(keys({"moved/0.png", "moved/1.png", "moved/2.png", "pairs_b/0.png",
                                              "pairs_b/1.png", "pairs_b/2.png"})));
  fs::rename(folder_ / "labels_a.csv", folder_ / "other.csv");
  EXPECT_THAT(error_of<UsageError>([&] { resumed_config(point(), Json::object()); }),
              AllOf(HasSubstr("--labels-a"), HasSubstr("--labels-a FILE")));
  fs::rename(folder_ / "other.csv", folder_ / "labels_a.csv");
  write_classifier(4);
  EXPECT_THAT(error_of<UsageError>([&] {
                go_on(folder_ / "run", {{"steps", 12}});
              }),
              AllOf(HasSubstr("--content-encoder"), HasSubstr("other weights")));
  write_classifier(3);
  write("labels_b.csv", "0,disc\n1,disc\n2,disc\n3,cross\n4,ring\n");
  EXPECT_THAT(error_of([&] { go_on(folder_ / "run", {{"steps", 12}}); }), HasSubstr("labels_b.csv"));
}

TEST_F(CuredTraining, CannotGainClassesOrAnEncoderLater) {
  train(config());
  for (const Json& flags : {Json{{"labels_a", at("labels_a.csv")}, {"labels_b", at("labels_b.csv")}},
                            Json{{"content_encoder", at("classifier.safetensors")}}})
    EXPECT_THAT(error_of<UsageError>([&] { go_on(folder_ / "run", flags); }), HasSubstr("--init-from"));
}

// What a model has learnt from is no evidence for it, whatever it was trained with afterwards.
TEST_F(CuredTraining, AnchorsOfTheBeginningStay) {
  TrainConfig config = this->config();
  anchor(config);
  train(config);
  go_on(folder_ / "run", {{"anchors_a", ""}, {"anchors_b", ""}, {"steps", 12}});
  EXPECT_THAT(read_weights(RunDirectory(folder_ / "run").model()).info.anchors,
              UnorderedElementsAreArray(keys(anchor_files_)));
  TrainConfig after = this->config("after");
  after.run.init_from = at("run");
  train(after);
  EXPECT_THAT(read_weights(RunDirectory(folder_ / "after").model()).info.anchors,
              UnorderedElementsAreArray(keys(anchor_files_)));
}

TEST_F(CuredTraining, IsTriedBeforehandWithAllThatItHas) {
  TrainConfig config = with_all();
  config.read_files();
  const TrainData data = open(config);
  const MemoryRoom room{1e12, ""};
  const RunEstimate with(config, data, room, Timing::none);
  const RunEstimate without(this->config(), open(this->config()), room, Timing::none);
  EXPECT_GT(with.memory().images, without.memory().images);
  EXPECT_GT(with.memory().weights, 0);
}

// Anchors and classes follow from the item, whichever rank it comes to.
TEST_F(CuredTraining, TwoRanksMakeTheUpdatesOfOneWithTwiceTheBatch) {
  const auto exact = [&](const char* name, std::int64_t batch_size) {
    TrainConfig out = with_all();
    CycleGanOptions& o = cyclegan(out).cyclegan;
    o.cures.lambda_jacobian = 0;  // which every rank draws for itself
    o.pool_size = 0;
    out.data.batch_size = batch_size;
    out.data.epoch_size = 4;
    out.optimizer.optimizer = "sgd";
    out.run.placement.precision = "fp64";
    out.run.steps = 4;
    out.run.out = at(name);
    return out;
  };
  const auto weights = [](Model& model) {
    TensorMap out;
    for (const auto& [name, network] : model.networks())
      for (const auto& [key, tensor] : state_dict(*network))
        out.emplace_back(name + " " + key, tensor.detach().clone());
    return out;
  };
  TensorMap two;
  run_thread_ranks(2, [&](Context& context) {
    TrainSession session(exact("two", 1), std::make_shared<NullLog>(), Occupied::refuse, {}, context);
    session.run(StopFlag(), {});
    if (context.is_first()) two = weights(session.model());
  });
  TrainSession one(exact("one", 2), std::make_shared<NullLog>());
  const TensorMap begin = weights(one.model());
  one.run(StopFlag(), {});
  const TensorMap whole = weights(one.model());
  double moved = 0;
  // Of nearly flat images an instance norm enlarges the rounding.
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_LT((two.at(i).second - whole[i].second).abs().max().item<double>(), 1e-9) << whole[i].first;
    moved = std::max(moved, (begin.at(i).second - whole[i].second).abs().max().item<double>());
  }
  EXPECT_GT(moved, 1e-4);
}

TEST_F(CuredTraining, OfPairsSeesClassesToo) {
  TrainConfig config = with_all();
  config.data.pairing = "aligned";
  EXPECT_EQ(train(config), EndReason::finished);
}

}  // namespace
}  // namespace torsor::testing
