// U-Net with residual blocks and skips at every depth, for medical images (S0-E2: "U-Net based with residual
// connections, 4 downsampling layers, skip connections kept"). Widths and blocks a level are open in the
// paper.
#include <torch/types.h>

#include "core/error.h"
#include "nn/blocks.h"

namespace torsor {

namespace {

constexpr std::int64_t kMostDownsamplings = 8, kWidest = 8;  // times ngf

// A level of the encoder with its way down, and the same level of the decoder with its way up.
struct Level : torch::nn::Module {
  Level(const GeneratorOptions& o, std::int64_t width, std::int64_t below) {
    const Bias bias = o.inner_bias();
    encoder->append(std::make_shared<ResnetBlock>(width, o));
    append_conv_norm_relu(*down, std::make_shared<Conv>(ConvShape{width, below, 3, 2, 1, bias}), o, below);
    append_conv_norm_relu(*up, std::make_shared<ConvTranspose>(ConvShape{below, width, 3, 2, 1, bias}, 1), o,
                          width);
    append_conv_norm_relu(*join, std::make_shared<Conv>(ConvShape{2 * width, width, 3, 1, 1, bias}), o,
                          width);
    decoder->append(std::make_shared<ResnetBlock>(width, o));
    register_module("encoder", encoder);
    register_module("down", down);
    register_module("up", up);
    register_module("join", join);
    register_module("decoder", decoder);
  }

  std::shared_ptr<LayerList> encoder = std::make_shared<LayerList>(), down = std::make_shared<LayerList>(),
                             up = std::make_shared<LayerList>(), join = std::make_shared<LayerList>(),
                             decoder = std::make_shared<LayerList>();
};

struct ResidualUnet : Generator {
  ResidualUnet(const GeneratorOptions& o, std::int64_t downsamplings) {
    if (downsamplings < 1 || downsamplings > kMostDownsamplings)
      fail_usage("generator residual_unet_{}: the number is how often the sides are halved: from 1 to {}",
                 downsamplings, kMostDownsamplings);
    const auto width = [&](std::int64_t depth) {
      return o.ngf * std::min<std::int64_t>(std::int64_t{1} << depth, kWidest);
    };
    append_conv_norm_relu(
        *head_, std::make_shared<Conv>(ConvShape{o.in_channels, o.ngf, 3, 1, 1, o.inner_bias()}), o, o.ngf);
    register_module("head", head_);
    for (std::int64_t depth = 0; depth < downsamplings; ++depth)
      levels_.push_back(register_module(fmt::format("level_{}", depth),
                                        std::make_shared<Level>(o, width(depth), width(depth + 1))));
    bottom_->append(std::make_shared<ResnetBlock>(width(downsamplings), o));
    register_module("bottom", bottom_);
    tail_->append(std::make_shared<Conv>(ConvShape{o.ngf, o.out_channels, 3, 1, 1, Bias::yes}));
    tail_->append(make_output_activation(o.output_activation));
    register_module("tail", tail_);
  }

  at::Tensor forward(const at::Tensor& x) override {
    return run(x, [](LayerList& list, const at::Tensor& y) { return list.forward(y); });
  }

  at::Tensor forward_with_residuals(const at::Tensor& x, std::vector<at::Tensor>& residuals) override {
    return run(x, [&](LayerList& list, const at::Tensor& y) {
      auto* block = dynamic_cast<ResnetBlock*>(list.layers().front().get());
      if (block == nullptr) return list.forward(y);
      residuals.push_back(block->residual(y));
      return y + residuals.back();
    });
  }

  GraphValue describe(GraphSink& sink, const GraphValue& x) const override {
    GraphValue y = head_->describe(sink, x);
    std::vector<GraphValue> skips;
    for (const auto& level : levels_) {
      skips.push_back(level->encoder->describe(sink, y));
      y = level->down->describe(sink, skips.back());
    }
    y = bottom_->describe(sink, y);
    for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
      y = sink.concat(skips.back(), (*level)->up->describe(sink, y));
      y = (*level)->decoder->describe(sink, (*level)->join->describe(sink, y));
      skips.pop_back();
    }
    return tail_->describe(sink, y);
  }

  // The reflection pads of the lowest block need maps of at least 2x2.
  SizeRule size_rule() const override {
    const std::int64_t side = std::int64_t{1} << levels_.size();
    return {side, 2 * side};
  }

 private:
  // `apply` runs a list that may be a residual block.
  template <class Apply>
  at::Tensor run(const at::Tensor& x, Apply apply) {
    const std::int64_t side = size_rule().multiple;
    if (x.size(2) % side != 0 || x.size(3) % side != 0)
      fail("this U-Net got {}x{} images, but both sides must be multiples of {}; resize or crop them",
           x.size(3), x.size(2), side);
    at::Tensor y = apply(*head_, x);
    std::vector<at::Tensor> skips;  // [N,width,H/2^depth,W/2^depth]
    for (const auto& level : levels_) {
      skips.push_back(apply(*level->encoder, y));
      y = level->down->forward(skips.back());
    }
    y = apply(*bottom_, y);
    for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
      y = at::cat({skips.back(), (*level)->up->forward(y)}, 1);
      y = apply(*(*level)->decoder, (*level)->join->forward(y));
      skips.pop_back();
    }
    return tail_->forward(y);
  }

  std::shared_ptr<LayerList> head_ = std::make_shared<LayerList>(), bottom_ = std::make_shared<LayerList>(),
                             tail_ = std::make_shared<LayerList>();
  std::vector<std::shared_ptr<Level>> levels_;
};

}  // namespace

std::shared_ptr<Generator> make_residual_unet(const GeneratorOptions& options, std::int64_t downsamplings) {
  return std::make_shared<ResidualUnet>(options, downsamplings);
}

}  // namespace torsor
