// LPIPS against the package, with weights of a formula for the networks and the package's own linear layers.
#include "metric/lpips.h"

#include "core/files.h"
#include "io/pth.h"
#include "metric/formula_weights.h"
#include "metric/network_extractor.h"
#include "test_support.h"

namespace torsor {
namespace {

using testing::error_of;
using testing::formula_tensor;
using testing::golden_image;
using testing::golden_metrics;
using ::testing::HasSubstr;
using testing::TestFolder;

// features.<n>.weight and .bias.
TensorMap backbone_weights(const std::string& net) {
  TensorMap out;
  for (const PlainLayer& l : net == "alex" ? alexnet_layers() : vgg16_layers()) {
    if (l.kind != PlainLayer::Kind::conv) continue;
    const std::string key = fmt::format("features.{}", l.index);
    out.emplace_back(key + ".weight",
                     formula_tensor(net, key + ".weight", {l.out, l.in, l.kernel, l.kernel}));
    out.emplace_back(key + ".bias", formula_tensor(net, key + ".bias", {l.out}));
  }
  return out;
}

Lpips golden_lpips(const std::string& net, at::ScalarType dtype) {
  WeightTable backbone(backbone_weights(net), "formula");
  const auto file = golden_metrics() / fmt::format("lpips_lin_{}.pth", net);
  WeightTable linear(read_pth(file), file.string());
  return {net, backbone, linear, {c10::kCPU, dtype}};
}

struct GoldenPair {
  Image x, y;
};

GoldenPair golden_pair_named(const std::string& name) {
  if (name == "incep_0_1") return {golden_image("incep_0.png"), golden_image("incep_1.png")};
  const std::string file = name.substr(std::string("pair_").size()) + ".png";
  return {golden_image("a/" + file), golden_image("b/" + file)};
}

class LpipsGolden : public ::testing::TestWithParam<const char*> {};

TEST_P(LpipsGolden, IsThePackages) {
  TORSOR_NEEDS_GOLDEN_METRICS();
  const Json recorded = read_json(golden_metrics() / "lpips.json").at(GetParam()).at("pairs");
  const Lpips exact = golden_lpips(GetParam(), at::kDouble), quick = golden_lpips(GetParam(), at::kFloat);
  EXPECT_EQ(exact.protocol().at("hash"), quick.protocol().at("hash"));
  for (const auto& [name, expected] : recorded.items()) {
    const GoldenPair pair = golden_pair_named(name);
    const Lpips::Distances d = exact.distances({&pair.x, 1}, {&pair.y, 1});
    const double value = expected.at("value");
    EXPECT_NEAR(d.values.item<double>(), value, 1e-12 * value) << name;
    for (std::int64_t k = 0; k < 5; ++k) {
      const double layer = expected.at("layers").at(static_cast<std::size_t>(k));
      EXPECT_NEAR(d.layers[0][k].item<double>(), layer, 1e-12 * value) << name << " " << k;
    }
    const at::Tensor rounded = quick.distances({&pair.x, 1}, {&pair.y, 1}).values;
    EXPECT_NEAR(rounded.item<double>(), expected.at("value_float32").get<double>(), 1e-5 * value) << name;
  }
}

TEST_P(LpipsGolden, SeesWhatThePackageSees) {
  TORSOR_NEEDS_GOLDEN_METRICS();
  const Json recorded = read_json(golden_metrics() / "lpips.json").at(GetParam()).at("feature_check_incep_0");
  const Image images[] = {golden_image("incep_0.png")};
  const NetworkPlace place{c10::kCPU, at::kDouble};
  const at::NoGradGuard no_gradients;
  const auto taps = golden_lpips(GetParam(), at::kDouble)
                        .taps(network_input(images, {Resizer::clean_bicubic, 64, 64}, place));
  ASSERT_EQ(taps.size(), recorded.size());
  for (std::size_t k = 0; k < taps.size(); ++k) {
    EXPECT_EQ(taps[k].sizes().vec(), recorded[k].at("shape").get<std::vector<std::int64_t>>());
    EXPECT_NEAR(taps[k].mean().item<double>(), recorded[k].at("mean").get<double>(), 1e-10);
    EXPECT_NEAR(taps[k].max().item<double>(), recorded[k].at("max").get<double>(), 1e-10);
  }
}

INSTANTIATE_TEST_SUITE_P(Nets, LpipsGolden, ::testing::Values("alex", "vgg"));

// A small stand-in for the package's layers, so that the rest needs no recording.
TensorMap linear_weights(const std::string& net) {
  TensorMap out;
  const std::vector<std::int64_t> channels = net == "alex"
                                                 ? std::vector<std::int64_t>{64, 192, 384, 256, 256}
                                                 : std::vector<std::int64_t>{64, 128, 256, 512, 512};
  for (std::size_t k = 0; k < channels.size(); ++k)
    out.emplace_back(fmt::format("lin{}.model.1.weight", k), at::full({1, channels[k], 1, 1}, 0.01));
  return out;
}

// The state dict of the package's whole module has slices for torchvision's features.
TensorMap whole_module(const std::string& net) {
  TensorMap out = linear_weights(net);
  for (const auto& [key, tensor] : backbone_weights(net))
    out.emplace_back("net.slice1." + key.substr(std::string("features.").size()), tensor);
  out.emplace_back("scaling_layer.shift", at::zeros({1, 3, 1, 1}));
  return out;
}

TEST(LpipsFiles, BothWaysToStoreItGiveTheSame) {
  const TestFolder folder;
  write_pth(folder / "alexnet.pth", backbone_weights("alex"));
  write_pth(folder / "linear.pth", linear_weights("alex"));
  write_pth(folder / "whole.pth", whole_module("alex"));
  const auto two =
      make_lpips({"alex", (folder / "alexnet.pth").string(), (folder / "linear.pth").string()}, c10::kCPU);
  const auto one = make_lpips({"alex", (folder / "whole.pth").string(), ""}, c10::kCPU);
  EXPECT_EQ(one->protocol().at("hash"), two->protocol().at("hash"));
  EXPECT_EQ(one->protocol().at("name"), "lpips-alex");
  const std::vector<Image> grey = testing::patterned_images(3, 40, 33, 1),
                           rgb = testing::patterned_images(3, 40, 33);
  EXPECT_TRUE(one->distances(grey, rgb).values.equal(two->distances(grey, rgb).values));
  EXPECT_EQ(one->distances(rgb, rgb).values.abs().max().item<double>(), 0);
  EXPECT_GT(one->distances(grey, rgb).values.min().item<double>(), 0);
}

TEST(LpipsFiles, NamesWhatIsMissing) {
  const TestFolder folder;
  TensorMap lacking = whole_module("alex");
  std::erase_if(lacking, [](const auto& entry) { return entry.first == "net.slice1.6.bias"; });
  write_pth(folder / "lacking.pth", lacking);
  EXPECT_THAT(error_of([&] {
                make_lpips({"alex", (folder / "lacking.pth").string(), ""}, c10::kCPU);
              }),
              HasSubstr("lacking.pth: has no tensor 'features.6.bias'"));
  EXPECT_THAT(error_of([&] {
                make_lpips({"vgg", (folder / "lacking.pth").string(), ""}, c10::kCPU);
              }),
              HasSubstr("'features.0.weight' has the shape [64,3,11,11], expected [64,3,3,3]"));
  write_pth(folder / "alexnet.pth", backbone_weights("alex"));
  EXPECT_THAT(error_of<UsageError>([&] {
                make_lpips({"alex", (folder / "alexnet.pth").string(), ""}, c10::kCPU);
              }),
              HasSubstr("--lpips-linear"));
  write_file_atomically(folder / "cut.pth", read_file(folder / "alexnet.pth").substr(0, 5000));
  EXPECT_THAT(error_of([&] {
                make_lpips({"alex", (folder / "cut.pth").string(), ""}, c10::kCPU);
              }),
              HasSubstr("cut.pth"));
}

TEST(LpipsFiles, RefusesImagesThatAreNoPairs) {
  WeightTable backbone(backbone_weights("alex"), "formula"), linear(linear_weights("alex"), "formula");
  const Lpips lpips("alex", backbone, linear, {});
  const auto of = [&](std::int64_t width, std::int64_t other, std::size_t count) {
    const std::vector<Image> x = testing::patterned_images(2, width, 40),
                             y = testing::patterned_images(2, other, 40);
    return error_of([&] { lpips.distances(x, {y.data(), count}); });
  };
  EXPECT_THAT(of(40, 40, 1), HasSubstr("2 and 1 images"));
  EXPECT_THAT(of(40, 41, 2), HasSubstr("pair 0: one is 40 x 40, the other 41 x 40"));
  EXPECT_THAT(of(30, 30, 2), HasSubstr("sides of 31"));
  const std::vector<Image> smallest = testing::patterned_images(1, 31, 31),
                           other = testing::patterned_images(1, 31, 31, 1);
  EXPECT_GT(lpips.distances(smallest, other).values.item<double>(), 0);
}

}  // namespace
}  // namespace torsor
