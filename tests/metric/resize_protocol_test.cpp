// The resizers of the programs that compute FID, against what those programs gave.
#include "metric/resize_protocol.h"

#include "image/resize.h"
#include "io/npz.h"
#include "metric/formula_weights.h"
#include "test_support.h"

namespace torsor {
namespace {

using testing::error_of;
using testing::golden_image;
using testing::golden_metrics;
using ::testing::HasSubstr;

struct GoldenSize {
  std::int64_t width, height;
};
constexpr GoldenSize kGoldenSizes[] = {{24, 20}, {96, 80}, {41, 67}, {299, 299}};

// [H,W,3], of the largest size the recorded rows alone.
at::Tensor as_recorded(const at::Tensor& chw) {
  const at::Tensor hwc = chw.permute({1, 2, 0});
  return hwc.size(0) == 299 ? hwc.slice(0, 0, 299, 23) : hwc;
}

void expect_recorded(Resizer resizer, double tolerance) {
  const TensorMap recorded = read_npz(golden_metrics() / "resize.npz");
  const Image image = golden_image("resize_src.png");
  for (const auto& [width, height] : kGoldenSizes) {
    const std::string method =
        (resizer == Resizer::pytorch_bilinear || resizer == Resizer::tf1_bilinear ? "legacy_" : "") +
        resizer_name(resizer);
    const at::Tensor expected = find_tensor(recorded, fmt::format("{}_{}x{}", method, width, height));
    ASSERT_TRUE(expected.defined()) << method;
    const at::Tensor resized = as_recorded(resize_as(resizer, image, width, height));
    EXPECT_LE((resized - expected).abs().max().item<double>(), tolerance) << method << " " << width;
  }
}

// 1e-7 of the range is what the recording states; a float's last bit at 255 is 1.5e-5.
TEST(ResizeProtocol, CleanBicubicIsCleanFids) {
  TORSOR_NEEDS_GOLDEN_METRICS();
  expect_recorded(Resizer::clean_bicubic, 2e-5);
}

TEST(ResizeProtocol, PilBilinearIsPillows) {
  TORSOR_NEEDS_GOLDEN_METRICS();
  expect_recorded(Resizer::pil_bilinear, 2e-5);
}

TEST(ResizeProtocol, PytorchBilinearIsPytorchFids) {
  TORSOR_NEEDS_GOLDEN_METRICS();
  expect_recorded(Resizer::pytorch_bilinear, 5e-4);
}

TEST(ResizeProtocol, Tf1BilinearIsTorchFidelitys) {
  TORSOR_NEEDS_GOLDEN_METRICS();
  expect_recorded(Resizer::tf1_bilinear, 5e-4);
}

TEST(ResizeProtocol, BicubicOnEightBitsIsPillows) {
  TORSOR_NEEDS_GOLDEN_METRICS();
  const TensorMap recorded = read_npz(golden_metrics() / "resize.npz");
  const Image image = read_image(golden_metrics() / "resize_src.png");
  const Image resized = resize_bicubic(image, 41, 67);
  const at::Tensor expected = find_tensor(recorded, "pil_bicubic_u8_41x67").contiguous();
  ASSERT_EQ(static_cast<std::size_t>(expected.numel()), resized.bytes.size());
  EXPECT_TRUE(
      std::equal(resized.bytes.begin(), resized.bytes.end(), expected.const_data_ptr<std::uint8_t>()));
}

// By hand, without a recording: 4 samples to 2.
TEST(ResizeProtocol, TheTwoTapsAreWhereTheyAreSaidToBe) {
  Image row = Image::blank(4, 1, 1, PixelType::f32);
  for (int i = 0; i < 4; ++i) row.f32()[i] = static_cast<float>(i * i);  // 0 1 4 9
  const auto values = [&](Resizer r) { return resize_as(r, row, 2, 1, at::kDouble).flatten(); };
  EXPECT_TRUE(values(Resizer::pytorch_bilinear).equal(at::tensor({0.5, 6.5}, at::kDouble)));
  EXPECT_TRUE(values(Resizer::tf1_bilinear).equal(at::tensor({0.0, 4.0}, at::kDouble)));
  // A triangle of half-width 2 around 1 and 3: weights (3 3 1)/7 and (1 3 3)/7 of what lies inside.
  EXPECT_TRUE(
      at::allclose(values(Resizer::pil_bilinear), at::tensor({7.0 / 7, 40.0 / 7}, at::kDouble), 1e-6));
}

TEST(ResizeProtocol, CleanBicubicClipsItsOvershoots) {
  Image edge = Image::blank(8, 1, 1, PixelType::f32);
  for (int i = 4; i < 8; ++i) edge.f32()[i] = 255;
  const at::Tensor wide = resize_as(Resizer::clean_bicubic, edge, 31, 1);
  EXPECT_EQ(wide.min().item<float>(), 0);
  EXPECT_EQ(wide.max().item<float>(), 255);
  const Image unclipped = resize_bicubic(edge, 31, 1);
  EXPECT_GT(*std::max_element(unclipped.f32(), unclipped.f32() + 31), 255);
}

TEST(ResizeProtocol, RefusesOtherSamplesAndSizes) {
  EXPECT_THAT(error_of([] { resize_as(Resizer::clean_bicubic, Image::blank(4, 4, 3), 2, 2); }),
              HasSubstr("float images"));
  EXPECT_THAT(error_of([] { resize_as(Resizer::tf1_bilinear, Image::blank(4, 4, 3, PixelType::f32), 0, 2); }),
              HasSubstr("0 x 2"));
}

}  // namespace
}  // namespace torsor
