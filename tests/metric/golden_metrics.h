// Numbers that public programs computed for the same images and features, see ../shared/golden-metrics.
#pragma once

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "core/json.h"
#include "io/npz.h"

namespace torsor::testing {

inline std::filesystem::path golden_metrics_folder() {
  return std::filesystem::path(TORSOR_DATA_DEFAULT).parent_path() / "golden-metrics";
}

/// A test of what lies there; skipped where it is absent.
class GoldenMetrics : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(folder_ / "expected.json")) GTEST_SKIP() << folder_ << " is not there";
    expected_ = read_json(folder_ / "expected.json");
  }

  at::Tensor features(const std::string& name) const {
    return find_tensor(read_npz(folder_ / "features.npz"), name);
  }

  const std::filesystem::path folder_ = golden_metrics_folder();
  Json expected_;
};

}  // namespace torsor::testing
