#include "nn/blocks.h"

#include <torch/types.h>

#include <algorithm>

namespace torsor {

namespace {

// With fewer channels, or smaller maps, the kernel's transforms have too little work between them, and its
// rounding error is a larger multiple of libtorch's.
constexpr std::int64_t kFewestChannels = 32, kLeastSide = 8;

}  // namespace

ResnetBlock::ResnetBlock(std::int64_t channels, const GeneratorOptions& o)
    : normalises_instances_(o.norm == "instance"), drops_(o.dropout) {
  const ConvShape conv{channels, channels, 3, 1, 0, inner_bias(o.norm)};
  conv_block->append(std::make_shared<ReflectionPad>(1));
  conv_block->append(std::make_shared<Conv>(conv));
  conv_block->append(make_norm(o.norm, channels));
  conv_block->append(std::make_shared<Relu>());
  if (o.dropout) conv_block->append(std::make_shared<Dropout>());
  conv_block->append(std::make_shared<ReflectionPad>(1));
  conv_block->append(std::make_shared<Conv>(conv));
  conv_block->append(make_norm(o.norm, channels));
  register_module("conv_block", conv_block);
}

bool ResnetBlock::suits_fast_trunk() const { return normalises_instances_ && !(drops_ && is_training()); }

std::vector<Conv*> ResnetBlock::convolutions() const {
  std::vector<Conv*> out;
  for (const LayerPtr& layer : conv_block->layers())
    if (auto* conv = dynamic_cast<Conv*>(layer.get())) out.push_back(conv);
  return out;
}

GraphValue ResnetBlock::describe(GraphSink& sink, const GraphValue& x) const {
  return sink.add(x, conv_block->describe(sink, x));
}

void append_conv_norm_relu(LayerList& list, LayerPtr conv, const GeneratorOptions& o, std::int64_t channels) {
  list.append(std::move(conv));
  list.append(make_norm(o.norm, channels));
  list.append(std::make_shared<Relu>());
}

void SequentialGenerator::find_stretches() {
  const auto& layers = model->layers();
  std::vector<Stretch> found;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    auto* block = dynamic_cast<ResnetBlock*>(layers[i].get());
    if (block == nullptr) continue;
    if (found.empty() || found.back().first + found.back().blocks.size() != i)
      found.push_back({i, {}, nullptr});
    found.back().blocks.push_back(block);
  }
  for (Stretch& stretch : found) {
    std::vector<at::Tensor> weights, biases;
    for (const ResnetBlock* block : stretch.blocks)
      for (const Conv* conv : block->convolutions()) {
        weights.push_back(conv->weight);
        if (conv->bias.defined()) biases.push_back(conv->bias);
      }
    stretch.trunk = std::make_unique<FastTrunk>(std::move(weights), std::move(biases));
  }
  stretches_ = std::move(found);
}

bool SequentialGenerator::goes_fast(const Stretch& stretch, const at::Tensor& x) const {
  if (engine == Engine::torch || chosen_isa() == Isa::plain || !stretch.trunk->takes(x)) return false;
  const bool pays = x.size(1) >= kFewestChannels && std::min(x.size(2), x.size(3)) >= kLeastSide;
  if (engine == Engine::automatic && !pays) return false;
  return std::all_of(stretch.blocks.begin(), stretch.blocks.end(),
                     [](const ResnetBlock* block) { return block->suits_fast_trunk(); });
}

at::Tensor SequentialGenerator::run(const at::Tensor& x, std::vector<at::Tensor>* residuals) {
  std::call_once(found_, [this] { find_stretches(); });
  const auto& layers = model->layers();
  auto stretch = stretches_.begin();
  at::Tensor y = x;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (stretch == stretches_.end() || stretch->first != i) {
      y = layers[i]->forward(y);
      continue;
    }
    if (goes_fast(*stretch, y)) {
      y = stretch->trunk->forward(y, residuals);
    } else {
      for (ResnetBlock* block : stretch->blocks) {
        const at::Tensor residual = block->residual(y);
        if (residuals != nullptr) residuals->push_back(residual);
        y = y + residual;
      }
    }
    i += stretch->blocks.size() - 1;
    ++stretch;
  }
  return y;
}

}  // namespace torsor
