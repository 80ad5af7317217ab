#include "nn/blocks.h"

#include <torch/types.h>

#include "core/error.h"

namespace torsor {

ResnetBlock::ResnetBlock(std::int64_t channels, const GeneratorOptions& o)
    : is_of_trunk_((o.norm == "instance" || o.norm == "instance_affine") && o.padding == "reflect"),
      drops_(o.dropout) {
  const auto append_conv = [&] {
    const bool mirrors = o.padding == "reflect";
    if (mirrors) conv_block->append(std::make_shared<ReflectionPad>(1));
    conv_block->append(
        std::make_shared<Conv>(ConvShape{channels, channels, 3, 1, mirrors ? 0 : 1, o.inner_bias()}));
    conv_block->append(make_norm(o.norm, channels));
  };
  append_conv();
  conv_block->append(std::make_shared<Relu>());
  if (o.dropout) conv_block->append(std::make_shared<Dropout>());
  append_conv();
  register_module("conv_block", conv_block);
}

bool ResnetBlock::suits_fast_trunk() const { return is_of_trunk_ && !(drops_ && is_training()); }

namespace {

template <class Kind>
std::vector<Kind*> layers_of_kind(const LayerList& list) {
  std::vector<Kind*> out;
  for (const LayerPtr& layer : list.layers())
    if (auto* found = dynamic_cast<Kind*>(layer.get())) out.push_back(found);
  return out;
}

}  // namespace

std::vector<Conv*> ResnetBlock::convolutions() const { return layers_of_kind<Conv>(*conv_block); }

std::vector<AffineInstanceNorm*> ResnetBlock::affine_norms() const {
  return layers_of_kind<AffineInstanceNorm>(*conv_block);
}

GraphValue ResnetBlock::describe(GraphSink& sink, const GraphValue& x) const {
  return sink.add(x, conv_block->describe(sink, x));
}

at::Tensor features_of(Network& discriminator, const at::Tensor& x) {
  const auto* list = dynamic_cast<const SequentialDiscriminator*>(&discriminator);
  if (list == nullptr) fail("this network has no features to compare images by; use a discriminator");
  at::Tensor y = x;
  for (std::size_t i = 0; i + 1 < list->layers().size(); ++i) y = list->layers()[i]->forward(y);
  return y;
}

void append_conv_norm_relu(LayerList& list, LayerPtr conv, const GeneratorOptions& o, std::int64_t channels) {
  list.append(std::move(conv));
  list.append(make_norm(o.norm, channels));
  list.append(std::make_shared<Relu>());
}

}  // namespace torsor
