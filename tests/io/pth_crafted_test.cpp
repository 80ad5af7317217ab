// .pth files built byte by byte: what Python would not write.
#include "io/pth.h"
#include "io_test_support.h"

namespace torsor {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::PickleText;
using testing::pth_error;
using testing::same;
using testing::TemporaryFolder;

std::string floats(std::size_t count) {
  std::string bytes(count * sizeof(float), '\0');
  for (std::size_t i = 0; i < count; ++i) {
    const float value = static_cast<float>(i);
    bytes.replace(i * sizeof value, sizeof value, reinterpret_cast<const char*>(&value), sizeof value);
  }
  return bytes;
}

class CraftedPth : public ::testing::Test {
 protected:
  std::filesystem::path save(const std::string& pickle, std::size_t elements = 6) const {
    return folder_.write_zip("x.pth", {{"x/data.pkl", pickle}, {"x/data/0", floats(elements)}});
  }
  TemporaryFolder folder_;
};

TEST_F(CraftedPth, TheBuilderMakesReadableFiles) {
  const PickleText pickle = PickleText().op("}").text("w").tensor("0", 6, 1, {2, 2}, {2, 1}).op("s");
  const TensorMap read = read_pth(save(pickle.stop()));
  ASSERT_EQ(read.size(), 1u);
  EXPECT_TRUE(same(read[0].second, at::arange(1, 5, at::kFloat).reshape({2, 2})));
}

TEST_F(CraftedPth, ARepeatedNameKeepsItsLastValue) {
  PickleText pickle = PickleText().op("}").text("w").tensor("0", 6, 0, {1}, {1}).op("s");
  pickle.text("v").tensor("0", 6, 1, {1}, {1}).op("s").text("w").tensor("0", 6, 5, {1}, {1}).op("s");
  const TensorMap read = read_pth(save(pickle.stop()));
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].first, "w");
  EXPECT_EQ(read[0].second.item<float>(), 5);
}

// {"a": {"x.w", "x.b"}, "loss": a tensor, "rng": {"state": a tensor}, "all": [{"y.w"}]}
TEST_F(CraftedPth, EveryStateDictIsFoundAndStrayTensorsAreNone) {
  PickleText pickle = PickleText().op("}").text("a").op("}");
  pickle.text("x.w").tensor("0", 6, 0, {1}, {1}).op("s").text("x.b").tensor("0", 6, 1, {1}, {1}).op("ss");
  pickle.text("loss").tensor("0", 6, 0, {}, {}).op("s");
  pickle.text("rng").op("}").text("state").tensor("0", 6, 0, {1}, {1}).op("ss");
  pickle.text("all").op("]}").text("y.w").tensor("0", 6, 2, {1}, {1}).op("sas");
  const std::vector<StateDict> found = read_state_dicts(save(pickle.stop()));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].name, "a");
  EXPECT_EQ(found[0].tensors.size(), 2u);
  EXPECT_EQ(found[1].name, "all.0");
  EXPECT_EQ(found[1].tensors[0].second.item<float>(), 2);
}

TEST_F(CraftedPth, OneStateDictInSeveralPlacesIsFoundInEach) {
  PickleText pickle = PickleText().op("}").text("model").op("}q\x01");
  pickle.text("x.w").tensor("0", 6, 0, {1}, {1}).op("ss").text("best").op("h\x01s");
  const std::vector<StateDict> found = read_state_dicts(save(pickle.stop()));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[1].name, "best");
  EXPECT_EQ(found[1].tensors.size(), 1u);
  PickleText many =
      PickleText().op("}").text("model").op("}q\x01").text("x.w").tensor("0", 6, 0, {1}, {1}).op("ss");
  for (int i = 0; i < 1000; ++i) many.text(std::to_string(i)).op("h\x01s");
  EXPECT_EQ(read_state_dicts(save(many.stop())).size(), 33u);
}

TEST_F(CraftedPth, WhatIsWrongWithOneStateDictLeavesTheOthers) {
  PickleText pickle =
      PickleText().op("}").text("bad").op("}").text("x.w").tensor("0", 6, 6, {1}, {1}).op("ss");
  pickle.text("good").op("}").text("x.w").tensor("0", 6, 0, {1}, {1}).op("ss");
  const std::vector<StateDict> found = read_state_dicts(save(pickle.stop()));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_THAT(found[0].problem, HasSubstr("reaches beyond its storage"));
  EXPECT_TRUE(found[0].tensors.empty());
  EXPECT_EQ(found[1].problem, "");
}

TEST_F(CraftedPth, TensorsInsideOpaqueObjectsAreNotLookedFor) {
  PickleText hidden = PickleText().op("}").text("net").global("models", "Net\x1b[2J").op(")\x81}");
  hidden.text("x.w").tensor("0", 6, 0, {1}, {1}).op("sbs");
  EXPECT_THAT(
      pth_error(save(hidden.stop())),
      HasSubstr("pickled objects: net (models.Net?[2J); nothing was executed; save the weights alone"));
}

TEST_F(CraftedPth, ViewsOutsideTheirStorageAreRefused) {
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  const struct {
    std::int64_t offset;
    std::vector<std::int64_t> shape, strides;
    const char* expected;
  } cases[] = {
      {0, {7}, {1}, "reaches beyond its storage"},
      {1, {6}, {1}, "reaches beyond its storage"},
      {0, {2, 3}, {4, 1}, "reaches beyond its storage"},
      {7, {0}, {1}, "offset 7 is outside"},
      {-1, {2}, {1}, "offset -1 is outside"},
      {0, {-2}, {1}, "not a number from 0 up"},
      {0, {2}, {-1}, "not a number from 0 up"},
      {0, {2}, {1, 1}, "differ in number"},
      {0, {2, 2}, {kHuge, kHuge}, "reaches beyond its storage"},
      {0, {3}, {kHuge}, "reaches beyond its storage"},
      {0, {kHuge, 4}, {0, 0}, "impossible"},
      {0, {0, kHuge, 4}, {1, 1, 1}, "impossible"},
      {0, {1 << 20, 1 << 20}, {0, 0}, "far more than the file holds"},
      {0, std::vector<std::int64_t>(65, 1), std::vector<std::int64_t>(65, 1), "at most 64"},
  };
  for (const auto& [offset, shape, strides, expected] : cases) {
    const PickleText pickle = PickleText().op("}").text("w").tensor("0", 6, offset, shape, strides).op("s");
    EXPECT_THAT(pth_error(save(pickle.stop())), HasSubstr(expected));
  }
}

TEST_F(CraftedPth, ManyViewsOfOneStorageCannotExhaustMemory) {
  PickleText pickle = PickleText().op("}(");
  for (int i = 0; i < 400; ++i) pickle.text(fmt::format("w{}", i)).tensor("0", 6, 0, {1 << 20}, {0});
  EXPECT_THAT(pth_error(save(pickle.op("u").stop())), HasSubstr("far more than the file holds"));
}

TEST_F(CraftedPth, StoragesThatDoNotFitAreRefused) {
  const auto message = [&](const std::string& key, std::int64_t count, const std::string& kind) {
    return pth_error(
        save(PickleText().op("}").text("w").tensor(key, count, 0, {1}, {1}, kind).op("s").stop()));
  };
  EXPECT_THAT(message("0", 7, "FloatStorage"), HasSubstr("has 24 bytes, expected 28"));
  EXPECT_THAT(message("0", 6, "DoubleStorage"), HasSubstr("has 24 bytes, expected 48"));
  EXPECT_THAT(message("1", 6, "FloatStorage"), HasSubstr("storage '1' is missing"));
  EXPECT_THAT(message("../data.pkl", 6, "FloatStorage"), HasSubstr("is missing"));
  EXPECT_THAT(message("0", -1, "FloatStorage"), HasSubstr("impossible"));
  EXPECT_THAT(message("0", INT64_MAX, "FloatStorage"), HasSubstr("impossible"));
  EXPECT_THAT(message("0", 6, "Size"), HasSubstr("not a kind of storage"));
  EXPECT_THAT(message("0", 6, "QInt8Storage"), HasSubstr("has the dtype QInt8"));
}

TEST_F(CraftedPth, OneStorageDescribedTwiceIsRefused) {
  PickleText pickle = PickleText().op("}").text("a").tensor("0", 6, 0, {1}, {1}).op("s");
  pickle.text("b").tensor("0", 6, 0, {1}, {1}, "IntStorage").op("s");
  EXPECT_THAT(pth_error(save(pickle.stop())), HasSubstr("described in two ways"));
}

TEST_F(CraftedPth, BoolsOtherThanZeroAndOneBecomeOne) {
  const PickleText pickle = PickleText().op("}").text("w").tensor("0", 3, 0, {3}, {1}, "BoolStorage").op("s");
  const auto path =
      folder_.write_zip("b.pth", {{"b/data.pkl", pickle.stop()}, {"b/data/0", std::string("\0\x02\xff", 3)}});
  const TensorMap read = read_pth(path);
  EXPECT_EQ(std::string(static_cast<const char*>(read[0].second.const_data_ptr()), 3),
            std::string("\0\1\1", 3));
}

TEST_F(CraftedPth, BigEndianFilesAreRefused) {
  const auto path =
      folder_.write_zip("e.pth", {{"e/data.pkl", PickleText().op("}").stop()}, {"e/byteorder", "big"}});
  EXPECT_THAT(pth_error(path), HasSubstr("big-endian"));
}

TEST_F(CraftedPth, DictsThatContainThemselvesAreNoTrap) {
  // A dict that is its own value, many times over.
  PickleText pickle = PickleText().op("}q").op(std::string_view("\0", 1));
  for (int i = 0; i < 200; ++i)
    pickle.text(fmt::format("k{}", i)).op("h").op(std::string_view("\0", 1)).op("s");
  EXPECT_THAT(pth_error(save(pickle.stop())), HasSubstr("no tensors are in it"));
}

// --- the stream container
// ----------------------------------------------------------------------------------------

std::string legacy_file(const std::string& state, const std::string& keys, const std::string& storages,
                        const std::string& system = PickleText().op("}").stop(),
                        std::int64_t version = 1001) {
  const std::string magic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.");
  return magic + PickleText().integer(version).stop() + system + state + keys + storages;
}

std::string counted(std::int64_t count, const std::string& data) {
  return std::string(reinterpret_cast<const char*>(&count), sizeof count) + data;
}

class CraftedLegacy : public ::testing::Test {
 protected:
  std::string message(const std::string& bytes) const { return pth_error(folder_.write("x.pth", bytes)); }
  TemporaryFolder folder_;
  std::string state_ = PickleText().op("}").text("w").tensor("9", 6, 0, {6}, {1}).op("s").stop();
  std::string keys_ = PickleText().op("]").text("9").op("a").stop();
};

TEST_F(CraftedLegacy, ReadsViewsOfStorages) {
  // Before torch 0.4 a storage could itself be a part of another: (key, offset, count) at the end.
  PickleText state = PickleText().op("}").text("w").global("torch._utils", "_rebuild_tensor").op("((");
  state.text("storage").global("torch", "FloatStorage").text("9").text("cpu").integer(6);
  state.op("(").text("9v").integer(2).integer(3).op("ttQ").integer(1).integers({2}).integers({1}).op("tRs");
  const auto path = folder_.write("v.pth", legacy_file(state.stop(), keys_, counted(6, floats(6))));
  EXPECT_TRUE(same(read_pth(path)[0].second, at::arange(3, 5, at::kFloat)));
}

TEST_F(CraftedLegacy, WrongPartsAreNamed) {
  const std::string good = legacy_file(state_, keys_, counted(6, floats(6)));
  EXPECT_EQ(read_pth(folder_.write("good.pth", good)).size(), 1u);
  EXPECT_THAT(message(legacy_file(state_, keys_, counted(5, floats(6)))),
              HasSubstr("has 5 elements, expected 6"));
  EXPECT_THAT(message(legacy_file(state_, keys_, counted(6, floats(5)))), HasSubstr("truncated"));
  EXPECT_THAT(message(legacy_file(state_, keys_, "")), HasSubstr("truncated"));
  const std::string no_keys = PickleText().op("]").stop();
  EXPECT_THAT(message(legacy_file(state_, no_keys, "")), HasSubstr("storage '9' is missing"));
  EXPECT_THAT(message(legacy_file(state_, PickleText().op("N").stop(), "")), HasSubstr("not a list"));
  const std::string other_key = PickleText().op("]").text("8").op("a").stop();
  EXPECT_THAT(message(legacy_file(state_, other_key, "")), HasSubstr("a storage that no tensor has"));
  const std::string twice = PickleText().op("]").text("9").op("a").text("9").op("a").stop();
  EXPECT_THAT(message(legacy_file(state_, twice, counted(6, floats(6)) + counted(6, floats(6)))),
              HasSubstr("twice"));
  const std::string big = PickleText().op("}").text("little_endian").op("\x89s").stop();
  EXPECT_THAT(message(legacy_file(state_, keys_, "", big)), HasSubstr("big-endian"));
  EXPECT_THAT(message(legacy_file(state_, keys_, "", PickleText().op("}").stop(), 1002)),
              HasSubstr("another version"));
}

TEST_F(CraftedLegacy, EveryPickleIsGuarded) {
  const std::string evil = PickleText().global("posix", "system").op("(").text("true").op("tR").stop();
  const std::string data = counted(6, floats(6));
  EXPECT_EQ(read_pth(folder_.write("x.pth", legacy_file(state_, keys_, data, evil))).size(), 1u);
  EXPECT_THAT(message(legacy_file(evil, PickleText().op("]").stop(), "")),
              HasSubstr("a pickled object of class posix.system; nothing was executed"));
  EXPECT_THAT(message(legacy_file(state_, evil, "")), HasSubstr("not a list"));
}

TEST_F(CraftedLegacy, SourcesOfModulesAreNoStorages) {
  PickleText state = PickleText().op("}").text("w").tensor("9", 6, 0, {6}, {1}).op("s").text("net").op("(");
  state.text("module").global("models", "Net").text("models.py").text("class Net: ...").op("tQs");
  const auto path = folder_.write("m.pth", legacy_file(state.stop(), keys_, counted(6, floats(6))));
  EXPECT_EQ(read_pth(path).size(), 1u);
}

}  // namespace
}  // namespace torsor
