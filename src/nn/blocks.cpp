#include "nn/blocks.h"

#include <torch/types.h>

namespace torsor {

ResnetBlock::ResnetBlock(std::int64_t channels, const GeneratorOptions& o) {
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

GraphValue ResnetBlock::describe(GraphSink& sink, const GraphValue& x) const {
  return sink.add(x, conv_block->describe(sink, x));
}

void append_conv_norm_relu(LayerList& list, LayerPtr conv, const GeneratorOptions& o, std::int64_t channels) {
  list.append(std::move(conv));
  list.append(make_norm(o.norm, channels));
  list.append(std::make_shared<Relu>());
}

at::Tensor SequentialGenerator::forward_with_residuals(const at::Tensor& x,
                                                       std::vector<at::Tensor>& residuals) {
  at::Tensor y = x;
  for (const auto& layer : model->layers()) {
    if (auto* block = dynamic_cast<ResnetBlock*>(layer.get())) {
      residuals.push_back(block->residual(y));
      y = y + residuals.back();
    } else {
      y = layer->forward(y);
    }
  }
  return y;
}

}  // namespace torsor
