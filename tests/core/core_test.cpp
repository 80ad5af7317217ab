// Registry, random streams, files and the stop flag.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <set>
#include <thread>

#include "core/build_id.h"
#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "core/registry.h"
#include "core/rng.h"
#include "core/stop.h"
#include "core/text.h"
#include "test_support.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::TestFolder;

Registry<int> shapes() {
  Registry<int> registry("shape");
  registry.add("circle", 0);
  registry.add("triangle", 3);
  return registry;
}

TEST(LongNames, AFileIsWrittenThroughAShorterOne) {
  const testing::TestFolder folder;
  std::string umlauts = "x";  // so that a cut at an even byte halves one
  while (umlauts.size() < 249) umlauts += "\xC3\xA4";
  for (const std::string& long_name : {std::string(250, 'x'), umlauts}) {
    write_file_atomically(folder / long_name, [&](const ByteSink& sink) {
      std::string temporary;
      for (const auto& entry : std::filesystem::directory_iterator(folder.path))
        if (is_temporary_name(entry.path())) temporary = entry.path().filename().string();
      EXPECT_FALSE(temporary.empty());
      EXPECT_TRUE(is_utf8(temporary));
      EXPECT_LE(temporary.size(), 143u);
      sink("text", 4);
    });
    EXPECT_EQ(read_file(folder / long_name), "text");
  }
}

TEST(RegistryTest, NamesKeepTheirOrderAndFindTheirEntries) {
  const Registry<int> registry = shapes();
  EXPECT_THAT(registry.names(), ElementsAre("circle", "triangle"));
  EXPECT_EQ(registry.at("triangle"), 3);
}

TEST(RegistryTest, AnUnknownNameIsAUsageErrorWithTheNearestAndAllKnown) {
  const Registry<int> registry = shapes();
  EXPECT_EQ(error_of<UsageError>([&] { registry.at("traingle"); }),
            "unknown shape 'traingle'; did you mean 'triangle'? (one of circle, triangle)");
  EXPECT_THAT(error_of<UsageError>([&] { registry.at("pentagon"); }), Not(HasSubstr("did you mean")));
}

TEST(RegistryTest, ANameIsRegisteredOnce) {
  Registry<int> registry = shapes();
  EXPECT_THROW(registry.add("circle", 1), std::logic_error);
  EXPECT_EQ(registry.at("circle"), 0);
}

TEST(Random, TheEngineIsTheStandards) {
  Rng rng(5489);  // the standard's default seed, for which it fixes the 10000th value
  for (int i = 1; i < 10000; ++i) rng.uniform();
  EXPECT_EQ(rng.uniform(), static_cast<double>(9981545732273789042ULL >> 11) / 9007199254740992.0);
}

TEST(Random, UniformsFillTheirRangeEvenly) {
  Rng rng(1);
  constexpr int kDraws = 100000, kCells = 20;
  std::vector<int> counts(kCells);
  for (int i = 0; i < kDraws; ++i) {
    const double u = rng.uniform(-3, 5);
    ASSERT_TRUE(u >= -3 && u < 5) << u;
    ++counts[static_cast<std::size_t>((u + 3) / 8 * kCells)];
  }
  double chi_square = 0;
  for (const int n : counts) chi_square += std::pow(n - kDraws / kCells, 2) / (kDraws / kCells);
  EXPECT_LT(chi_square, 43.8);  // 99.9 % of a chi-square with 19 degrees of freedom
}

TEST(Random, IndicesAreEvenAndInRange) {
  Rng rng(2);
  EXPECT_EQ(rng.index(1), 0);
  std::vector<int> counts(7);
  for (int i = 0; i < 70000; ++i) ++counts.at(static_cast<std::size_t>(rng.index(7)));
  double chi_square = 0;
  for (const int n : counts) chi_square += std::pow(n - 10000, 2) / 10000.0;
  EXPECT_LT(chi_square, 22.5);                      // 99.9 %, 6 degrees of freedom
  const std::int64_t huge = std::int64_t{3} << 61;  // a plain remainder would prefer the lower half
  int low = 0;
  for (int i = 0; i < 10000; ++i) low += rng.index(huge) < huge / 2 ? 1 : 0;
  EXPECT_NEAR(low, 5000, 250);
}

TEST(Random, NormalsHaveTheMomentsOfTheNormalDistribution) {
  Rng rng(3);
  constexpr int kDraws = 100000;
  double sum = 0, squares = 0, fourth = 0;
  int within = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double z = rng.normal();
    ASSERT_TRUE(std::isfinite(z));
    sum += z;
    squares += z * z;
    fourth += z * z * z * z;
    within += std::abs(z) < 1 ? 1 : 0;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.02);
  EXPECT_NEAR(squares / kDraws, 1, 0.03);
  EXPECT_NEAR(fourth / kDraws, 3, 0.2);
  EXPECT_NEAR(within / double{kDraws}, 0.6827, 0.01);
}

TEST(Random, CoinsFallWithTheirProbability) {
  Rng rng(4);
  int heads = 0, never = 0, always = 0;
  for (int i = 0; i < 20000; ++i) {
    heads += rng.coin(0.3) ? 1 : 0;
    never += rng.coin(0) ? 1 : 0;
    always += rng.coin(1) ? 1 : 0;
  }
  EXPECT_NEAR(heads, 6000, 350);
  EXPECT_EQ(never, 0);
  EXPECT_EQ(always, 20000);
}

TEST(Random, DerivedSeedsDifferByEveryInput) {
  std::set<std::uint64_t> seeds;
  for (std::uint64_t seed = 0; seed < 10; ++seed)
    for (const char* name : {"a", "b", "ab", "ba"})
      for (std::uint64_t epoch = 0; epoch < 10; ++epoch) {
        seeds.insert(derive_seed(seed, name, {epoch}));
        for (std::uint64_t index = 0; index < 10; ++index)
          seeds.insert(derive_seed(seed, name, {epoch, index}));
      }
  EXPECT_EQ(seeds.size(), 10u * 4 * 10 * 11);
  EXPECT_EQ(derive_seed(7, "crop", {1, 2}), derive_seed(7, "crop", {1, 2}));
  EXPECT_NE(derive_seed(7, "crop", {1, 2}), derive_seed(7, "crop", {2, 1}));
}

std::vector<double> draws(Rng& rng, int n) {
  std::vector<double> out;
  for (int i = 0; i < n; ++i) out.push_back(rng.uniform());
  return out;
}

TEST(Random, StreamsDoNotMoveEachOther) {
  RngStreams alone(11), together(11), other_seed(12);
  const auto expected = draws(alone["pool"], 20);
  together["shuffle"].uniform();
  std::vector<double> interleaved;
  for (int i = 0; i < 20; ++i) {
    draws(together["dropout"], i);
    interleaved.push_back(together["pool"].uniform());
  }
  EXPECT_EQ(interleaved, expected);
  EXPECT_NE(draws(alone["shuffle"], 20), expected);
  EXPECT_NE(draws(other_seed["pool"], 20), expected);
}

TEST(Random, ARestoredStateContinuesWithTheSameNumbers) {
  RngStreams original(5);
  draws(original["pool"], 1234);
  original["normal"].normal();
  const std::string stored = original.save().dump();
  const auto pool = draws(original["pool"], 1000);
  const double normal = original["normal"].normal(), fresh = original["not drawn yet"].uniform();

  RngStreams restored(99);
  draws(restored["pool"], 3);
  draws(restored["left over"], 3);
  restored.load(parse_json(stored, "state"));
  EXPECT_EQ(restored.seed(), 5u);
  EXPECT_EQ(draws(restored["pool"], 1000), pool);
  EXPECT_EQ(restored["normal"].normal(), normal);
  EXPECT_EQ(restored["not drawn yet"].uniform(), fresh);
  EXPECT_EQ(restored["left over"].uniform(), RngStreams(5)["left over"].uniform());
}

TEST(Random, StreamsThatWereNeverUsedAreSavedToo) {
  RngStreams restored(1);
  restored.load(RngStreams(21).save());
  EXPECT_EQ(restored["a"].uniform(), RngStreams(21)["a"].uniform());
}

TEST(Random, ADamagedStateIsAnError) {
  Rng rng(1);
  EXPECT_THAT(error_of([&] { rng.set_state("not a state"); }), HasSubstr("damaged"));
  EXPECT_THAT(error_of([&] { rng.set_state(Rng(2).state().substr(0, 200)); }), HasSubstr("damaged"));
  RngStreams streams(1);
  for (const char* text : {"{}", "[]", R"({"seed": "x"})", R"({"seed": 1, "streams": {"a": 3}})"})
    EXPECT_THAT(error_of([&] { streams.load(parse_json(text, "state")); }), HasSubstr("damaged")) << text;
}

class Files : public ::testing::Test {
 protected:
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(folder_.path)) out.push_back(entry.path().filename());
    return out;
  }
  TestFolder folder_;
};

TEST_F(Files, WhatIsWrittenIsReadBackAndReplacesTheOldFile) {
  const std::string bytes("a\0b\n\xff", 5);
  write_file_atomically(folder_ / "x.bin", "a longer old content");
  write_file_atomically(folder_ / "x.bin", bytes);
  EXPECT_EQ(read_file(folder_ / "x.bin"), bytes);
  write_file_atomically(folder_ / "empty", "");
  EXPECT_EQ(read_file(folder_ / "empty"), "");
  EXPECT_THAT(names(), ::testing::UnorderedElementsAre("x.bin", "empty"));
}

TEST_F(Files, PiecesAreAppendedAndTheOldFileStaysUntilTheEnd) {
  write_file_atomically(folder_ / "x", "old");
  write_file_atomically(folder_ / "x", [&](const ByteSink& sink) {
    sink("one ", 4);
    EXPECT_EQ(read_file(folder_ / "x"), "old");
    sink("two", 3);
  });
  EXPECT_EQ(read_file(folder_ / "x"), "one two");
}

TEST_F(Files, AFailingWriterLeavesTheOldFileAndNoOther) {
  write_file_atomically(folder_ / "x", "old");
  EXPECT_THROW(write_file_atomically(folder_ / "x",
                                     [](const ByteSink& sink) {
                                       sink("half", 4);
                                       throw std::runtime_error("writer");
                                     }),
               std::runtime_error);
  EXPECT_EQ(read_file(folder_ / "x"), "old");
  EXPECT_THAT(names(), ElementsAre("x"));
}

/// No file may grow over `bytes` in this scope, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_limit_);
    const rlimit limit{bytes, old_limit_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_limit_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_limit_{};
  void (*old_handler_)(int);
};

TEST_F(Files, AFullDiskLeavesTheOldFileAndNoOther) {
  write_file_atomically(folder_ / "x", "old");
  std::string message;
  {
    const FileSizeLimit limit(1000);
    message = error_of([&] { write_file_atomically(folder_ / "x", std::string(5000, 'n')); });
  }
  EXPECT_THAT(message,
              AllOf(HasSubstr((folder_ / "x").string()), HasSubstr("nothing that was there before")));
  EXPECT_EQ(read_file(folder_ / "x"), "old");
  EXPECT_THAT(names(), ElementsAre("x"));
}

TEST_F(Files, AFolderInTheWayIsAnErrorAndStays) {
  make_folder(folder_ / "run" / "samples");
  EXPECT_THAT(error_of([&] { write_file_atomically(folder_ / "run", "text"); }), HasSubstr("run: "));
  EXPECT_TRUE(fs::is_directory(folder_ / "run" / "samples"));
  EXPECT_THAT(names(), ElementsAre("run"));
  EXPECT_THAT(error_of([&] { read_file(folder_ / "run"); }), HasSubstr("is a folder, expected a file"));
}

TEST_F(Files, WhatIsNotThereIsNamedWithTheReason) {
  EXPECT_THAT(error_of([&] { read_file(folder_ / "gone.txt"); }),
              AllOf(HasSubstr("gone.txt"), HasSubstr("No such file")));
  EXPECT_THAT(error_of([&] { write_file_atomically(folder_ / "gone" / "x", "text"); }),
              AllOf(HasSubstr("gone/x"), HasSubstr("No such file"), HasSubstr("choose a folder")));
}

TEST_F(Files, FoldersAreMadeWithTheirParentsAndMayExist) {
  make_folder(folder_ / "a" / "b");
  make_folder(folder_ / "a" / "b");
  EXPECT_TRUE(fs::is_directory(folder_ / "a" / "b"));
  write_file_atomically(folder_ / "file", "");
  EXPECT_THAT(error_of([&] { make_folder(folder_ / "file"); }), HasSubstr("file: cannot make this folder"));
  EXPECT_THAT(error_of([&] { make_folder(folder_ / "file" / "below"); }),
              HasSubstr("cannot make this folder"));
}

TEST(Stop, ARequestOfAnotherThreadIsSeenWithItsSignal) {
  StopFlag flag;
  EXPECT_FALSE(flag.requested());
  std::thread([&] { flag.request(SIGTERM); }).join();
  EXPECT_TRUE(flag.requested());
  EXPECT_EQ(flag.signal(), SIGTERM);
  StopFlag without_signal;
  without_signal.request();
  EXPECT_TRUE(without_signal.requested());
  EXPECT_EQ(without_signal.signal(), 0);
}

TEST(Errors, AWrongUseIsAlsoAFailure) {
  EXPECT_EQ(error_of<UsageError>([] { fail_usage("--lr: {} is too large", 9); }), "--lr: 9 is too large");
  EXPECT_EQ(error_of([] { fail("{}: broken", "x.png"); }), "x.png: broken");
  EXPECT_THROW(fail_usage("wrong"), Error);
}

TEST(BuildId, IsTheOneThatTheLinkerWroteIntoTheProgram) {
  const std::string id = build_id();
  ASSERT_EQ(id.size(), 40U);
  std::string note("\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0", 16);  // sizes of name and hash, the type, the name
  for (std::size_t i = 0; i < id.size(); i += 2)
    note += static_cast<char>(std::stoi(id.substr(i, 2), nullptr, 16));
  EXPECT_NE(read_file("/proc/self/exe").find(note), std::string::npos);
}

}  // namespace
}  // namespace torsor
