#include "nn/blocks.h"

#include <torch/types.h>

namespace torsor {

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

}  // namespace torsor
