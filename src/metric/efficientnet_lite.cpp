#include "metric/efficientnet_lite.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace torsor {

namespace {

constexpr double kLiteEps = 1e-3;  // of BatchNorm, as TensorFlow's

struct LiteStage {
  std::int64_t repeats, kernel, stride, expansion, in, out;
};

// efficientnet_lite_builder.py of TensorFlow's release.
constexpr LiteStage kLiteStages[] = {
    {1, 3, 1, 1, 32, 16},  {2, 3, 2, 6, 16, 24},   {2, 5, 2, 6, 24, 40},   {3, 3, 2, 6, 40, 80},
    {3, 5, 1, 6, 80, 112}, {4, 5, 2, 6, 112, 192}, {1, 3, 1, 6, 192, 320},
};

std::int64_t same_padding(std::int64_t size, std::int64_t stride, std::int64_t kernel) {
  const std::int64_t out = (size + stride - 1) / stride;
  return std::max<std::int64_t>(0, (out - 1) * stride + kernel - size);
}

struct LiteBuilder {
  WeightTable& weights;
  const NetworkPlace& place;

  ConvUnit conv(const std::string& key, const std::string& norm, std::int64_t in, std::int64_t out,
                std::int64_t kernel, std::int64_t stride, std::int64_t groups) const {
    return take_conv_norm(weights, key, norm, kLiteEps,
                          {in, out, {kernel, kernel}, {stride, stride}, {0, 0}, groups}, place);
  }
};

}  // namespace

at::Tensor EfficientNetLite0::Unit::operator()(const at::Tensor& x) const {
  const std::int64_t rows = same_padding(x.size(2), stride, kernel),
                     columns = same_padding(x.size(3), stride, kernel);
  if (rows % 2 == 0 && columns % 2 == 0)
    return at::conv2d(x, conv.weight, conv.bias, conv.stride, {rows / 2, columns / 2}, {1, 1}, conv.groups);
  // The odd one of an uneven number stands behind: left, right, top, bottom.
  return conv(at::constant_pad_nd(x, {columns / 2, columns - columns / 2, rows / 2, rows - rows / 2}));
}

at::Tensor EfficientNetLite0::Block::operator()(const at::Tensor& x) const {
  at::Tensor y = expand.empty() ? x : expand.front()(x).clamp_(0, 6);
  y = project(depthwise(y).clamp_(0, 6));
  return adds_input ? y.add_(x) : y;
}

EfficientNetLite0::EfficientNetLite0(WeightTable& weights, const NetworkPlace& place) {
  const LiteBuilder b{weights, place};
  stem_ = {b.conv("_conv_stem", "_bn0", 3, 32, 3, 2, 1), 2, 3};
  for (const LiteStage& stage : kLiteStages)
    for (std::int64_t i = 0; i < stage.repeats; ++i) {
      const std::string key = fmt::format("_blocks.{}.", blocks_.size());
      const std::int64_t in = i == 0 ? stage.in : stage.out, stride = i == 0 ? stage.stride : 1;
      const std::int64_t wide = in * stage.expansion;
      Block block;
      if (stage.expansion > 1)
        block.expand.push_back({b.conv(key + "_expand_conv", key + "_bn0", in, wide, 1, 1, 1), 1, 1});
      block.depthwise = {
          b.conv(key + "_depthwise_conv", key + "_bn1", wide, wide, stage.kernel, stride, wide), stride,
          stage.kernel};
      block.project = {b.conv(key + "_project_conv", key + "_bn2", wide, stage.out, 1, 1, 1), 1, 1};
      block.adds_input = stride == 1 && in == stage.out;
      blocks_.push_back(std::move(block));
    }
  head_ = {b.conv("_conv_head", "_bn1", 320, kEfficientNetWidth, 1, 1, 1), 1, 1};
  weights.expect_all_taken({"_fc."});
}

at::Tensor EfficientNetLite0::features(const at::Tensor& input) const {
  at::Tensor x = stem_(input.contiguous(at::MemoryFormat::ChannelsLast)).clamp_(0, 6);
  for (const Block& block : blocks_) x = block(x);
  return head_(x).clamp_(0, 6).mean({2, 3});
}

}  // namespace torsor
