#include "nn/blocks.h"

#include <torch/types.h>

#include "core/error.h"
#include "nn/passing_sink.h"

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

PlainBlock::PlainBlock(std::int64_t channels) {
  for (const bool first : {true, false}) {
    conv_block->append(std::make_shared<ReflectionPad>(1));
    conv_block->append(std::make_shared<Conv>(ConvShape{channels, channels, 3, 1, 0, Bias::yes}));
    if (first) conv_block->append(std::make_shared<Relu>());
  }
  register_module("conv_block", conv_block);
}

std::vector<Conv*> PlainBlock::convolutions() const { return layers_of_kind<Conv>(*conv_block); }

GraphValue PlainBlock::describe(GraphSink& sink, const GraphValue& x) const {
  return sink.add(x, conv_block->describe(sink, x));
}

GraphValue ResnetBlock::describe(GraphSink& sink, const GraphValue& x) const {
  return sink.add(x, conv_block->describe(sink, x));
}

namespace {

// Counts channels alone.
class ChannelCount : public PassingSink {
 public:
  GraphValue conv(const GraphValue&, const at::Tensor& weight, const at::Tensor&, std::int64_t,
                  std::int64_t) override {
    return {"", weight.size(0)};
  }
  GraphValue conv_transpose(const GraphValue&, const at::Tensor& weight, const at::Tensor&, std::int64_t,
                            std::int64_t, std::int64_t, std::int64_t groups) override {
    return {"", weight.size(1) * groups};
  }
  GraphValue instance_norm(const GraphValue& x, const at::Tensor&, const at::Tensor&, double) override {
    return x;
  }
  GraphValue reflection_pad(const GraphValue& x, std::int64_t) override { return x; }
  GraphValue replication_pad(const GraphValue& x, std::int64_t) override { return x; }
  GraphValue repeat_pixels(const GraphValue& x) override { return x; }
  GraphValue add(const GraphValue& x, const GraphValue&) override { return x; }
  GraphValue append_channel(const GraphValue& x, double) override { return {"", x.channels + 1}; }
  GraphValue concat(const GraphValue& x, const GraphValue& y) override {
    return {"", x.channels + y.channels};
  }
};

}  // namespace

std::vector<std::int64_t> SequentialGenerator::feature_channels(
    std::int64_t in_channels, const std::vector<std::int64_t>& layers) const {
  check_ascending_layers(layers, layer_count());
  ChannelCount count;
  std::vector<std::int64_t> all, wanted;
  GraphValue value{"", in_channels};
  for (const LayerPtr& layer : model->layers())
    all.push_back((value = layer->describe(count, value)).channels);
  for (const std::int64_t layer : layers) wanted.push_back(all[static_cast<std::size_t>(layer)]);
  return wanted;
}

at::Tensor features_of(Network& discriminator, const at::Tensor& x) {
  const auto* list = dynamic_cast<const SequentialDiscriminator*>(&discriminator);
  if (list == nullptr) fail("this network has no features to compare images by; use a discriminator");
  return list->before_last(x);
}

void append_conv_norm_relu(LayerList& list, LayerPtr conv, const GeneratorOptions& o, std::int64_t channels) {
  list.append(std::move(conv));
  list.append(make_norm(o.norm, channels));
  list.append(std::make_shared<Relu>());
}

}  // namespace torsor
