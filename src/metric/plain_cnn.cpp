#include "metric/plain_cnn.h"

#include <fmt/format.h>

#include <ATen/ATen.h>

#include <cmath>

#include "core/rng.h"

namespace torsor {

namespace {

using Kind = PlainLayer::Kind;

std::string key_of(const PlainLayer& conv) { return fmt::format("features.{}", conv.index); }

}  // namespace

std::vector<PlainLayer> alexnet_layers() {
  const PlainLayer pool{Kind::pool, 0, 0, 0, 3, 2};
  return {{Kind::conv, 0, 3, 64, 11, 4, 2, true},   pool,
          {Kind::conv, 3, 64, 192, 5, 1, 2, true},  pool,
          {Kind::conv, 6, 192, 384, 3, 1, 1, true}, {Kind::conv, 8, 384, 256, 3, 1, 1, true},
          {Kind::conv, 10, 256, 256, 3, 1, 1, true}};
}

std::vector<PlainLayer> vgg16_layers() {
  std::vector<PlainLayer> layers;
  int index = 0;
  std::int64_t in = 3;
  const std::pair<int, std::int64_t> stages[] = {{2, 64}, {2, 128}, {3, 256}, {3, 512}, {3, 512}};
  for (const auto& [depth, width] : stages) {
    if (!layers.empty()) {
      layers.push_back({Kind::pool, index, 0, 0, 2, 2});
      ++index;
    }
    for (int i = 0; i < depth; ++i, index += 2, in = width)  // a ReLU has a number too
      layers.push_back({Kind::conv, index, in, width, 3, 1, 1, i + 1 == depth});
  }
  return layers;
}

std::vector<PlainLayer> small_vgg_layers(const std::vector<std::int64_t>& widths) {
  std::vector<PlainLayer> layers;
  int index = 0;
  std::int64_t in = 3;
  for (const std::int64_t width : widths) {
    if (!layers.empty()) layers.push_back({Kind::pool, 0, 0, 0, 2, 2});
    layers.push_back({Kind::conv, index++, in, width, 3, 1, 1, false});
    layers.push_back({Kind::conv, index++, width, width, 3, 1, 1, true});
    in = width;
  }
  return layers;
}

PlainCnn::PlainCnn(std::vector<PlainLayer> layers, WeightTable& weights, const NetworkPlace& place)
    : layers_(std::move(layers)) {
  for (const PlainLayer& l : layers_)
    if (l.kind == Kind::conv)
      convs_.push_back(take_conv(
          weights, key_of(l),
          {l.in, l.out, {l.kernel, l.kernel}, {l.stride, l.stride}, {l.padding, l.padding}}, place));
}

std::vector<at::Tensor> PlainCnn::taps(const at::Tensor& input) const {
  std::vector<at::Tensor> out;
  at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
  auto conv = convs_.begin();
  for (const PlainLayer& layer : layers_) {
    if (layer.kind == Kind::pool)
      x = at::max_pool2d(x, {layer.kernel, layer.kernel}, {layer.stride, layer.stride});
    else
      x = (*conv++)(x).relu_();
    if (layer.tapped) out.push_back(x);
  }
  return out;
}

std::vector<std::int64_t> PlainCnn::tap_channels() const {
  std::vector<std::int64_t> out;
  for (const PlainLayer& layer : layers_)
    if (layer.tapped) out.push_back(layer.out);
  return out;
}

TensorMap random_weights(const std::vector<PlainLayer>& layers, std::uint64_t seed) {
  TensorMap out;
  for (const PlainLayer& layer : layers) {
    if (layer.kind != Kind::conv) continue;
    const std::string key = key_of(layer);
    Rng rng(derive_seed(seed, key));
    const double bound = std::sqrt(6.0 / static_cast<double>(layer.in * layer.kernel * layer.kernel));
    at::Tensor weight = at::empty({layer.out, layer.in, layer.kernel, layer.kernel}, at::kFloat);
    float* values = weight.mutable_data_ptr<float>();
    for (std::int64_t i = 0; i < weight.numel(); ++i)
      values[i] = static_cast<float>((2 * rng.uniform() - 1) * bound);
    out.emplace_back(key + ".weight", weight);
    out.emplace_back(key + ".bias", at::zeros({layer.out}, at::kFloat));
  }
  return out;
}

}  // namespace torsor
