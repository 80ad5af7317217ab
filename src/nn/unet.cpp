// U-Net generator with skips at every depth (pix2pix; reference unet_128, unet_256).
#include <torch/types.h>

#include "core/error.h"
#include "nn/network.h"

namespace torsor {

namespace {

enum class Position { outermost, middle, innermost };

struct BlockShape {
  Position position = Position::middle;
  std::int64_t in = 0;     // channels entering (and, before the skip is joined, leaving) the block
  std::int64_t outer = 0;  // channels leaving it, without the skip
  std::int64_t inner = 0;  // channels at the depth below
  bool dropout = false;
};

struct UnetBlock : Layer {
  UnetBlock(const BlockShape& s, const GeneratorOptions& o, LayerPtr submodule) : position_(s.position) {
    register_module("model", model_);
    const Bias bias = o.inner_bias();
    const auto down = std::make_shared<Conv>(ConvShape{s.in, s.inner, 4, 2, 1, bias});
    const auto up = [&](std::int64_t from, Bias up_bias) {
      return std::make_shared<ConvTranspose>(ConvShape{from, s.outer, 4, 2, 1, up_bias}, 0);
    };
    if (s.position != Position::outermost) model_->append(std::make_shared<LeakyRelu>());
    model_->append(down);
    if (s.position == Position::middle) model_->append(make_norm(o.norm, s.inner));
    if (submodule) model_->append(std::move(submodule));
    model_->append(std::make_shared<Relu>());
    if (s.position == Position::outermost) {
      model_->append(up(2 * s.inner, Bias::yes));
      model_->append(make_output_activation(o.output_activation));
    } else {
      model_->append(up(s.position == Position::innermost ? s.inner : 2 * s.inner, bias));
      model_->append(make_norm(o.norm, s.outer));
      if (s.dropout) model_->append(std::make_shared<Dropout>());
    }
  }

  // Outside the outermost block the skip comes first: cat([x, f(x)], channels).
  at::Tensor forward(const at::Tensor& x) override {
    const at::Tensor y = model_->forward(x);
    return position_ == Position::outermost ? y : at::cat({x, y}, 1);
  }

  GraphValue describe(GraphSink& sink, const GraphValue& x) const override {
    const GraphValue y = model_->describe(sink, x);
    return position_ == Position::outermost ? y : sink.concat(x, y);
  }

 private:
  Position position_;
  std::shared_ptr<LayerList> model_ = std::make_shared<LayerList>();
};

struct UnetGenerator : Generator {
  UnetGenerator(const GeneratorOptions& o, std::int64_t downsamplings) : downsamplings_(downsamplings) {
    const std::int64_t w = o.ngf;
    const auto block = [&](Position position, std::int64_t outer, std::int64_t inner, LayerPtr below) {
      // Only the 8w-to-8w blocks between the innermost and the narrower ones carry the dropout.
      const bool dropout = o.dropout && position == Position::middle && outer == 8 * w && inner == 8 * w;
      return std::make_shared<UnetBlock>(BlockShape{position, outer, outer, inner, dropout}, o,
                                         std::move(below));
    };
    LayerPtr nested = block(Position::innermost, 8 * w, 8 * w, nullptr);
    for (std::int64_t i = 0; i < downsamplings - 5; ++i)
      nested = block(Position::middle, 8 * w, 8 * w, nested);
    for (const std::int64_t outer : {4 * w, 2 * w, w})
      nested = block(Position::middle, outer, 2 * outer, nested);
    const BlockShape outermost{Position::outermost, o.in_channels, o.out_channels, w, false};
    model_ = std::make_shared<UnetBlock>(outermost, o, nested);
    register_module("model", model_);
  }

  at::Tensor forward(const at::Tensor& x) override {
    const std::int64_t side = size_rule().multiple, height = x.size(2), width = x.size(3);
    if (height % side != 0 || width % side != 0)
      fail(
          "this U-Net got {}x{} images, but both sides must be multiples of {}; resize or crop them, or use "
          "a resnet generator",
          width, height, side);
    return model_->forward(x);
  }

  GraphValue describe(GraphSink& sink, const GraphValue& x) const override {
    return model_->describe(sink, x);
  }

  SizeRule size_rule() const override {
    const std::int64_t side = std::int64_t{1} << downsamplings_;
    return {side, side};
  }

 private:
  std::int64_t downsamplings_;
  LayerPtr model_;
};

}  // namespace

std::shared_ptr<Generator> make_unet(const GeneratorOptions& options, std::int64_t downsamplings) {
  return std::make_shared<UnetGenerator>(options, downsamplings);
}

}  // namespace torsor
