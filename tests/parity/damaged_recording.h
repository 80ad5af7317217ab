// Recordings that a test may damage.
#pragma once

#include <ATen/Parallel.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "core/files.h"
#include "parity/golden.h"
#include "test_support.h"

namespace torsor::parity {

class Parity : public ::testing::Test {
 protected:
  // The recorded networks are tiny: more threads cost many times what they save.
  static void SetUpTestSuite() { at::set_num_threads(1); }

  static std::vector<std::string> folder_names() {
    std::vector<std::string> names;
    for (const fs::path& folder : golden_folders()) names.push_back(folder.string());
    return names;
  }

  void SetUp() override {
    for (const fs::path& folder : golden_folders())
      if (fs::is_directory(folder)) return;
    GTEST_SKIP() << "no recorded results in " << fmt::format("{}", fmt::join(folder_names(), ", "))
                 << " (set TORSOR_GOLDEN)";
  }
};

// A root folder of its own, into which recordings are copied to be damaged.
class DamagedRecording : public Parity {
 protected:
  fs::path with(const std::string& file) const { return root_ / file; }

  // Skips where there is no such recording.
  void copy_trace(const TraceProperties& properties) {
    const fs::path chosen = find_trace(golden_folders(), properties);
    if (chosen.empty()) GTEST_SKIP() << "there is no recorded training with " << in_words(properties);
    fs::copy(chosen, with("trace"));
  }

  void change_json(const std::string& file, const std::function<void(Json&)>& change) const {
    Json json = read_json(with(file));
    change(json);
    write_file_atomically(with(file), json.dump());
  }

  Outcome only_outcome() const {
    std::vector<Outcome> all;
    run_parity(root_.path, [&](const Outcome& outcome) { all.push_back(outcome); });
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? Outcome{} : all.front();
  }

  // What is wrong with the one recording there when this option of it has another value.
  std::string options_failure(const std::string& name, const Json& value) const {
    const std::string before = read_file(with("trace/options.json"));
    change_json("trace/options.json", [&](Json& o) { o[name] = value; });
    const std::string text = failure();
    write_file_atomically(with("trace/options.json"), before);
    return text;
  }

  // What is wrong with the one recording there.
  std::string failure() const {
    const Outcome outcome = only_outcome();
    EXPECT_FALSE(outcome.ok()) << "the damage went unnoticed";
    EXPECT_THAT(outcome.line(), ::testing::HasSubstr("FAILED"));
    return outcome.failure;
  }

 private:
  const testing::TestFolder root_;
};

}  // namespace torsor::parity
