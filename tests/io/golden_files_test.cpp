// Reads every weight file and array archive of the reference's golden vectors and checks the facts known
// about them.
#include <cmath>
#include <fstream>

#include "core/json.h"
#include "io/npz.h"
#include "io/pth.h"
#include "io/safetensors.h"
#include "io_test_support.h"

namespace torsor {
namespace {

std::vector<std::filesystem::path> golden_files(const std::string& extension) {
  std::vector<std::filesystem::path> files;
  if (!std::filesystem::is_directory(testing::golden_folder())) return files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(testing::golden_folder()))
    if (entry.path().extension() == extension) files.push_back(entry.path());
  return files;
}

class GoldenFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(testing::golden_folder() / "meta.json"))
      GTEST_SKIP() << "no golden vectors in " << testing::golden_folder() << " (set TORSOR_GOLDEN)";
  }
};

TEST_F(GoldenFiles, EveryStateDictIsReadAndSurvivesSafetensors) {
  const testing::TemporaryFolder folder;
  const auto files = golden_files(".pth");
  ASSERT_FALSE(files.empty());
  for (const auto& file : files) {
    const TensorMap tensors = read_pth(file);
    ASSERT_FALSE(tensors.empty()) << file;
    write_safetensors(folder / "copy.safetensors", {tensors, {}});
    const TensorMap copy = read_safetensors(folder / "copy.safetensors").tensors;
    ASSERT_EQ(copy.size(), tensors.size());
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      EXPECT_EQ(copy[i].first, tensors[i].first);
      EXPECT_TRUE(testing::same(copy[i].second, tensors[i].second)) << file << " " << tensors[i].first;
      EXPECT_TRUE(at::isfinite(tensors[i].second).all().item<bool>()) << file << " " << tensors[i].first;
    }
  }
}

// The networks beside the forward passes have convolution weights drawn from N(0, 0.2).
TEST_F(GoldenFiles, WeightsHaveTheirKnownSpread) {
  int checked = 0;
  for (const auto& file : golden_files(".pth")) {
    if (file.parent_path() != testing::golden_folder()) continue;
    for (const auto& [name, tensor] : read_pth(file)) {
      if (tensor.dim() != 4 || tensor.numel() < 2000) continue;
      const double spread = tensor.to(at::kDouble).std().item<double>();
      EXPECT_NEAR(spread, 0.2, 0.02) << file << " " << name;
      ++checked;
    }
  }
  EXPECT_GT(checked, 50);
}

TEST_F(GoldenFiles, ArraysHaveTheirKnownShapesAndSums) {
  const Json facts = read_json(testing::golden_folder() / "meta.json");
  int checked = 0;
  for (const auto& file : golden_files(".npz")) {
    const TensorMap arrays = read_npz(file);
    ASSERT_FALSE(arrays.empty()) << file;
    testing::expect_sound(arrays);
    const auto known = facts.find(file.stem().string());
    if (known == facts.end() || !known->contains("y_sum")) continue;
    const at::Tensor x = find_tensor(arrays, "x");
    const at::Tensor y = find_tensor(arrays, "y").to(at::kDouble);
    EXPECT_EQ(x.sizes().vec(), known->at("in").get<std::vector<std::int64_t>>()) << file;
    EXPECT_EQ(y.sizes().vec(), known->at("out").get<std::vector<std::int64_t>>()) << file;
    const double magnitude = y.abs().sum().item<double>();
    EXPECT_NEAR(y.sum().item<double>(), known->at("y_sum").get<double>(), 1e-6 * magnitude) << file;
    EXPECT_NEAR(y.abs().mean().item<double>(), known->at("y_abs").get<double>(), 1e-6) << file;
    ++checked;
  }
  EXPECT_GT(checked, 0);
}

}  // namespace
}  // namespace torsor
