// FID's Inception against pytorch-fid and torch-fidelity, with weights of a formula.
#include "metric/inception_net.h"

#include <cstdlib>

#include "io/npz.h"
#include "io/pth.h"
#include "metric/extractors.h"
#include "metric/formula_weights.h"
#include "metric/network_extractor.h"
#include "test_support.h"

namespace torsor {
namespace {

using testing::error_of;
using testing::formula_weights;
using testing::golden_image;
using testing::golden_metrics;
using ::testing::HasSubstr;
using testing::relative_l2;
using testing::TestFolder;

std::vector<testing::FormulaKey> inception_keys() {
  return testing::read_formula_keys(golden_metrics() / "inception_keys.txt");
}

// Made once: it takes longer than a test of a small network.
const TensorMap& inception_weights() {
  static const TensorMap weights = formula_weights("inception", inception_keys());
  return weights;
}

FeatureWeights inception_file() { return {kInception, inception_weights(), "formula.pth", "formula.pth"}; }

std::vector<Image> golden_pair() { return {golden_image("incep_0.png"), golden_image("incep_1.png")}; }

TEST(Inception, InFloat64ItIsPytorchFids) {
  TORSOR_NEEDS_GOLDEN_METRICS();
  const TensorMap recorded = read_npz(golden_metrics() / "inception.npz");
  const NetworkPlace place{c10::kCPU, at::kDouble};
  const std::vector<Image> images = golden_pair();
  const at::Tensor input = network_input(images, {Resizer::pytorch_bilinear, 299, 299}, place);
  EXPECT_LE((input.slice(2, 0, 299, 46) - find_tensor(recorded, "input299_rows")).abs().max().item<double>(),
            1e-12);
  WeightTable weights(inception_weights(), "formula");
  const at::NoGradGuard no_gradients;
  const auto features = InceptionNet(weights, place).features(input);
  ASSERT_EQ(features.size(), kInceptionWidths.size());
  for (const auto& [width, values] : features)
    EXPECT_LE(relative_l2(values, find_tensor(recorded, fmt::format("f64_{}", width))), 1e-12) << width;
}

TEST(Inception, InFloat32ItIsPytorchFids) {
  TORSOR_NEEDS_GOLDEN_METRICS();
  const TensorMap recorded = read_npz(golden_metrics() / "inception.npz");
  const auto extractor = make_inception_extractor(inception_file(), "auto", 0, {});
  EXPECT_EQ(extractor->identity().resizer, "pytorch_bilinear");
  EXPECT_LE(relative_l2(extractor->features(golden_pair()), find_tensor(recorded, "f64_2048")), 1e-5);
}

TEST(Inception, WithTensorFlowsInputItIsTorchFidelitys) {
  TORSOR_NEEDS_GOLDEN_METRICS();
  const TensorMap recorded = read_npz(golden_metrics() / "inception.npz");
  InputForm form{Resizer::tf1_bilinear, 299, 299};
  form.shift = form.scale = {128, 128, 128};
  WeightTable weights(inception_weights(), "formula");
  const InceptionNet network(weights, {});
  const at::NoGradGuard no_gradients;
  const auto features = network.features(network_input(golden_pair(), form, {}));
  for (const auto& [width, values] : features)
    EXPECT_LE(relative_l2(values, find_tensor(recorded, fmt::format("tf_{}", width))), 1e-5) << width;
  const at::Tensor widest = features.at(2048);
  EXPECT_LE(relative_l2(network.logits(widest), find_tensor(recorded, "tf_logits")), 1e-5);
  EXPECT_LE(relative_l2(network.logits_unbiased(widest), find_tensor(recorded, "tf_logits_unbiased")), 1e-5);
}

// What pytorch-fid's own file may look like: without the counters of BatchNorm, in a .pth.
TEST(Inception, IsReadFromAFileOfItsWeights) {
  TORSOR_NEEDS_GOLDEN_METRICS();
  const TestFolder folder;
  TensorMap tensors;
  for (const auto& [key, tensor] : inception_weights())
    if (!key.ends_with("num_batches_tracked")) tensors.emplace_back(key, tensor);
  const auto file = folder / "pt_inception.pth";
  write_pth(file, tensors);
  FeatureOptions options;
  options.features = file.string();
  options.protocol = "clean-fid";
  options.feature_width = 64;
  const auto extractor = make_extractor(options, c10::kCPU);
  EXPECT_EQ(extractor->protocol().at("resizer"), "clean_bicubic");
  EXPECT_EQ(extractor->protocol().at("weights"), "pt_inception.pth");
  EXPECT_EQ(extractor->width(), 64);
  EXPECT_EQ(extractor->hash(), make_inception_extractor(inception_file(), "clean-fid", 64, {})->hash())
      << "the counters are no weights";
}

TEST(Inception, RefusesProtocolsAndWidthsThatItLacks) {
  const auto make = [](const std::string& protocol, std::int64_t width) {
    make_inception_extractor({kInception, {}, "x.pth", "x.pth"}, protocol, width, {});
  };
  EXPECT_THAT(error_of<UsageError>([&] { make("own", 0); }), HasSubstr("--protocol own"));
  EXPECT_THAT(error_of<UsageError>([&] { make("auto", 2047); }), HasSubstr("64, 192, 768, 2048"));
}

TEST(Inception, SaysWhatAFileLacks) {
  const TestFolder folder;
  const auto file = folder / "some.pth";
  const auto message = [&](TensorMap tensors) {
    tensors.emplace_back("Mixed_7c.branch3x3dbl_3b.conv.weight", at::zeros({384, 384, 3, 1}));
    write_pth(file, tensors);
    FeatureOptions options;
    options.features = file.string();
    return error_of([&] { make_extractor(options, c10::kCPU); });
  };
  const at::Tensor kernel = at::zeros({32, 3, 3, 3});
  EXPECT_THAT(message({{"Conv2d_1a_3x3.conv.weigh", kernel}}),
              HasSubstr("some.pth: has no tensor 'Conv2d_1a_3x3.conv.weight'; did you mean"));
  EXPECT_THAT(
      message({{"Conv2d_1a_3x3.conv.weight", kernel.slice(0, 0, 16)}}),
      HasSubstr("some.pth: 'Conv2d_1a_3x3.conv.weight' has the shape [16,3,3,3], expected [32,3,3,3]"));
  EXPECT_THAT(message({{"Conv2d_1a_3x3.conv.weight", kernel / 0}}), HasSubstr("not finite"));
  EXPECT_THAT(message({{"Conv2d_1a_3x3.conv.weight", kernel.to(at::kLong)}}), HasSubstr("whole numbers"));
}

// Sets a and b through the float32 network: KID of all four widths as recorded.
TEST(Inception, EndToEndItGivesTheRecordedKid) {
  TORSOR_NEEDS_GOLDEN_METRICS();
  if (std::getenv("TORSOR_LONG") == nullptr)
    GTEST_SKIP() << "48 images at 299 x 299: runs where TORSOR_LONG is set";
  const Json recorded =
      read_json(golden_metrics() / "expected.json").at("end_to_end").at("kid_unbiased_full");
  WeightTable weights(inception_weights(), "formula");
  const InceptionNet network(weights, {});
  const at::NoGradGuard no_gradients;
  std::map<std::int64_t, std::vector<at::Tensor>> sets[2];
  for (const int set : {0, 1})
    for (int i = 0; i < 24; ++i) {
      const Image images[] = {golden_image(fmt::format("{}/{:02}.png", set == 0 ? "a" : "b", i))};
      const at::Tensor input = network_input(images, {Resizer::pytorch_bilinear, 299, 299}, {});
      for (const auto& [width, values] : network.features(input)) sets[set][width].push_back(values);
    }
  for (const std::int64_t width : kInceptionWidths) {
    const at::Tensor x = at::cat(sets[0][width]).to(at::kDouble), y = at::cat(sets[1][width]).to(at::kDouble);
    const auto kernel = [&](const at::Tensor& p, const at::Tensor& q) {
      return (p.matmul(q.t()) / static_cast<double>(width) + 1).pow(3);
    };
    const auto apart = [&](const at::Tensor& p) {
      const at::Tensor k = kernel(p, p);
      return (k.sum() - k.trace()).item<double>() / (24.0 * 23.0);
    };
    const double kid = apart(x) + apart(y) - 2 * kernel(x, y).mean().item<double>();
    EXPECT_NEAR(kid, recorded.at(std::to_string(width)).get<double>(), 1e-6) << width;
  }
}

}  // namespace
}  // namespace torsor
