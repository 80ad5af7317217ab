// Whatever a file holds, its reader gives a sound result or one line that names the file and the place, and
// takes no more memory than the file justifies. The files are seeded mutants (fuzz/readers.h), 2 000 a
// reader; TORSOR_MUTANTS sets another number. A mutant that fails is kept, and its path is printed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <regex>

#include "core/error.h"
#include "core/files.h"
#include "fuzz/allocation_watch.h"
#include "fuzz/readers.h"
#include "fuzz/sealed.h"
#include "test_support.h"

// Of a sanitizer's runtime, where there is one.
extern "C" __attribute__((weak)) void __sanitizer_set_report_fd(void* descriptor);

namespace torsor::testing {
namespace {

constexpr std::uint64_t kSeed = 20261126;

std::size_t mutants_wanted() {
  const char* given = std::getenv("TORSOR_MUTANTS");
  return given == nullptr ? 2000 : std::strtoull(given, nullptr, 10);
}

// Where to write what must be seen although standard error is captured: the end of a program.
const int kRealStderr = ::dup(STDERR_FILENO);

/// Ends the program when a reader does not: no test of speed, a guard against a loop without end.
class HangGuard {
 public:
  explicit HangGuard(const fs::path& file) {
    path() = "a reader hangs on " + file.string() + "\n";
    ::signal(SIGALRM, on_alarm);
    ::alarm(kSeconds);
  }
  ~HangGuard() { ::alarm(0); }
  HangGuard(const HangGuard&) = delete;
  HangGuard& operator=(const HangGuard&) = delete;

 private:
  static constexpr unsigned kSeconds = 120;
  static std::string& path() {
    static std::string text;
    return text;
  }
  static void on_alarm(int) {
    static_cast<void>(!::write(kRealStderr, path().data(), path().size()));
    ::abort();
  }
};

/// What became of one file: "" for a sound result, the message of its Error, or a failure of ours.
struct Outcome {
  std::string message, failure;
};

Outcome outcome_of(const FuzzedReader& reader, const fs::path& file) {
  try {
    reader.read(file);
    return {};
  } catch (const Error& error) {
    return {error.what(), ""};
  } catch (const std::exception& other) {
    return {"", std::string("threw something that is no torsor::Error: ") + other.what()};
  }
}

// A byte, a line and column, or the name of an entry, tensor or option; or the verdict that all of the file
// is something else.
bool names_a_place(const std::string& message) {
  static const std::regex place(
      "bytes? [0-9]+|[0-9]+ bytes|:[0-9]+(:[0-9]+)?: |'|^: [a-z_0-9]+: |entry [0-9]+|another network");
  static const std::regex verdict(
      "^(: [^:]*)?: (is not a|is no table|is a|is empty|holds |has model format|not an image|a generated "
      "image|expected an object)");
  return std::regex_search(message, place) || std::regex_search(message, verdict);
}

class Mutants : public ::testing::TestWithParam<std::string> {
 protected:
  Mutants() : reader_(reader_named(GetParam())) {}

  void check(const std::string& bytes) {
    const fs::path file = folder_ / ("mutant" + reader_.extension);
    std::ofstream(file, std::ios::binary) << bytes;
    Outcome outcome;
    std::size_t peak = 0, largest = 0;
    {
      const HangGuard guard(file);
      const AllocationWatch watch;
      outcome = outcome_of(reader_, file);
      peak = watch.peak();
      largest = watch.largest();
    }
    refused_ += outcome.message.empty() ? 0 : 1;
    if (outcome.failure.empty()) outcome.failure = fault_of(outcome.message, file);
    const std::size_t most = justified_memory(reader_, bytes.size());
    if (outcome.failure.empty() && std::max(peak, largest) > most)
      outcome.failure =
          fmt::format("held {} bytes and asked for {} at once, of {} that a file of {} justifies", peak,
                      largest, most, bytes.size());
    if (!outcome.failure.empty()) keep(file, outcome.failure);
  }

  static std::string fault_of(const std::string& message, const fs::path& file) {
    if (message.empty()) return "";
    if (message.find('\n') != std::string::npos) return "a message of several lines: " + message;
    if (message.starts_with("--")) return "";  // an option that the file sets
    const std::string name = file.filename().string();
    const std::size_t found = message.find(name);
    if (found == std::string::npos) return "the file is not named: " + message;
    const std::string rest = message.substr(found + name.size());
    if (!names_a_place(rest)) return "no place is named: " + message;
    return "";
  }

  void keep(const fs::path& file, const std::string& why) {
    const fs::path kept = fs::temp_directory_path() / fmt::format("torsor-mutant-{}-{}{}", reader_.name,
                                                                  failures_.size(), reader_.extension);
    std::error_code ec;
    fs::copy_file(file, kept, fs::copy_options::overwrite_existing, ec);
    failures_.push_back(fmt::format("{}: {}; kept as {}", reader_.name, why, kept.string()));
  }

  /// Runs `action` with nothing printed meanwhile, and reports afterwards: what is printed would count.
  template <class Action>
  void quietly(const Action& action) {
    if (__sanitizer_set_report_fd != nullptr)
      __sanitizer_set_report_fd(reinterpret_cast<void*>(static_cast<std::intptr_t>(kRealStderr)));
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    try {
      action();
    } catch (const std::exception& error) {
      failures_.push_back(fmt::format("{}: no mutant could be made: {}", reader_.name, error.what()));
    }
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
    for (const std::string& failure : failures_) ADD_FAILURE() << failure;
  }

  const FuzzedReader reader_;
  const TestFolder folder_;
  std::size_t refused_ = 0;
  std::vector<std::string> failures_;
};

TEST_P(Mutants, GiveAnErrorOrASoundResult) {
  constexpr std::size_t kMostFailures = 20;
  Random random(kSeed);
  const std::size_t wanted = mutants_wanted();
  quietly([&] {
    for (std::size_t i = 0; i < wanted && failures_.size() < kMostFailures; ++i) {
      const Seed& seed = reader_.seeds[i % reader_.seeds.size()];
      check(reader_.mutate(seed.bytes, random));
    }
  });
  EXPECT_GT(refused_, wanted / 200) << "the changes do not reach what matters";
  RecordProperty("refused", static_cast<int>(refused_));
}

TEST_P(Mutants, EveryTruncationGivesAnErrorOrASoundResult) {
  constexpr std::size_t kMostCuts = 100;  // a seed
  quietly([&] {
    for (const Seed& seed : reader_.seeds)
      for (std::size_t cut = 0; cut < kMostCuts && failures_.empty(); ++cut)
        check(seed.bytes.substr(0, seed.bytes.size() * cut / kMostCuts));
  });
}

std::vector<std::string> names_of_readers() {
  std::vector<std::string> names;
  for (const FuzzedReader& reader : all_readers()) names.push_back(reader.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Readers, Mutants, ::testing::ValuesIn(names_of_readers()),
                         [](const auto& info) { return info.param; });

// What found a mistake once is kept in fuzz/corpus/<reader>/ and read on every run.
TEST(Corpus, GivesErrorsOrSoundResults) {
  for (const FuzzedReader& reader : all_readers()) {
    const fs::path folder = fs::path(TORSOR_TEST_DATA).parent_path() / "fuzz/corpus" / reader.name;
    if (!fs::is_directory(folder)) continue;
    for (const auto& entry : fs::directory_iterator(folder)) {
      const HangGuard guard(entry.path());
      EXPECT_EQ(outcome_of(reader, entry.path()).failure, "") << entry.path();
    }
  }
}

TEST(Mutation, IsTheSameOnEveryRun) {
  for (const FuzzedReader& reader : all_readers()) {
    Random once(1), again(1);
    EXPECT_EQ(reader.mutate(reader.seeds.front().bytes, once),
              reader.mutate(reader.seeds.front().bytes, again))
        << reader.name;
  }
}

TEST(Sealing, LeavesWhatIsWholeAsItIs) {
  for (const Seed& seed : reader_named("model").seeds) EXPECT_EQ(seal_safetensors(seed.bytes), seed.bytes);
  for (const Seed& seed : reader_named("png").seeds) EXPECT_EQ(seal_png(seed.bytes), seed.bytes) << seed.name;
}

TEST(AllocationWatching, SeesWhatIsHeldAndAskedFor) {
  const AllocationWatch watch;
  {
    const std::string block(3'000'000, 'x');
    EXPECT_GE(watch.largest(), block.size());
    EXPECT_GE(watch.peak(), block.size());
  }
  const std::string another(2'000'000, 'x');
  EXPECT_LT(watch.peak(), 4'000'000u);
}

}  // namespace
}  // namespace torsor::testing
