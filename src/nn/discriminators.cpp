// PatchGAN discriminators (Isola et al. 2017; reference basic, n_layers, pixel). Raw scores, no sigmoid.
#include <torch/types.h>

#include <algorithm>

#include "nn/network.h"

namespace torsor {

namespace {

// n = 3 has a 70x70 receptive field.
struct NLayerDiscriminator : Network {
  NLayerDiscriminator(const DiscriminatorOptions& o, std::int64_t layers) : layers_(layers) {
    register_module("model", model_);
    const auto width = [&](std::int64_t k) {
      return o.ndf * std::min<std::int64_t>(std::int64_t{1} << k, 8);
    };
    model_->append(std::make_shared<Conv>(ConvShape{o.in_channels, o.ndf, 4, 2, 1, Bias::yes}));
    model_->append(std::make_shared<LeakyRelu>());
    for (std::int64_t k = 1; k <= layers; ++k) {
      const std::int64_t stride = k < layers ? 2 : 1;
      model_->append(
          std::make_shared<Conv>(ConvShape{width(k - 1), width(k), 4, stride, 1, inner_bias(o.norm)}));
      model_->append(make_norm(o.norm, width(k)));
      model_->append(std::make_shared<LeakyRelu>());
    }
    model_->append(std::make_shared<Conv>(ConvShape{width(layers), 1, 4, 1, 1, Bias::yes}));
  }

  at::Tensor forward(const at::Tensor& x) override { return model_->forward(x); }
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override {
    return model_->describe(sink, x);
  }

  // n halvings, then two 4x4 convolutions that take one pixel each and must leave one.
  SizeRule size_rule() const override { return {1, 3 * (std::int64_t{1} << layers_)}; }

 private:
  std::int64_t layers_;
  std::shared_ptr<LayerList> model_ = std::make_shared<LayerList>();
};

// 1x1 convolutions: judges every pixel by itself.
struct PixelDiscriminator : Network {
  explicit PixelDiscriminator(const DiscriminatorOptions& o) {
    register_module("net", net_);
    net_->append(std::make_shared<Conv>(ConvShape{o.in_channels, o.ndf, 1, 1, 0, Bias::yes}));
    net_->append(std::make_shared<LeakyRelu>());
    net_->append(std::make_shared<Conv>(ConvShape{o.ndf, 2 * o.ndf, 1, 1, 0, inner_bias(o.norm)}));
    net_->append(make_norm(o.norm, 2 * o.ndf));
    net_->append(std::make_shared<LeakyRelu>());
    net_->append(std::make_shared<Conv>(ConvShape{2 * o.ndf, 1, 1, 1, 0, inner_bias(o.norm)}));
  }

  at::Tensor forward(const at::Tensor& x) override { return net_->forward(x); }
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override { return net_->describe(sink, x); }
  SizeRule size_rule() const override { return {1, 2}; }

 private:
  std::shared_ptr<LayerList> net_ = std::make_shared<LayerList>();
};

// One score for the whole of a side x side image (S0-E1): halvings down to 4x4 and a fully connected layer,
// which is a convolution as large, so that larger images give a map of scores. The first layer has no norm.
struct FullImageDiscriminator : Network {
  FullImageDiscriminator(const DiscriminatorOptions& o, std::int64_t side) : side_(side) {
    if (side < 8 || (side & (side - 1)) != 0)
      fail_usage("discriminator full_{}: the number is the images' side: a power of two, at least 8", side);
    register_module("model", model_);
    std::int64_t channels = o.in_channels, width = o.ndf;
    for (std::int64_t map = side; map > 4;
         map /= 2, channels = width, width = std::min(2 * width, 8 * o.ndf)) {
      const bool first = map == side;
      model_->append(std::make_shared<Conv>(
          ConvShape{channels, width, 4, 2, 1, first || o.norm != "batch" ? Bias::yes : Bias::no}));
      if (!first) model_->append(make_norm(o.norm, width));
      model_->append(std::make_shared<LeakyRelu>());
    }
    model_->append(std::make_shared<Conv>(ConvShape{channels, 1, 4, 1, 0, Bias::yes}));
  }

  at::Tensor forward(const at::Tensor& x) override { return model_->forward(x); }
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override {
    return model_->describe(sink, x);
  }
  SizeRule size_rule() const override { return {1, side_}; }

 private:
  std::int64_t side_;
  std::shared_ptr<LayerList> model_ = std::make_shared<LayerList>();
};

}  // namespace

std::shared_ptr<Network> make_full_image(const DiscriminatorOptions& options, std::int64_t side) {
  return std::make_shared<FullImageDiscriminator>(options, side);
}

std::shared_ptr<Network> make_n_layers(const DiscriminatorOptions& options, std::int64_t layers) {
  return std::make_shared<NLayerDiscriminator>(options, layers);
}

std::shared_ptr<Network> make_pixel(const DiscriminatorOptions& options) {
  return std::make_shared<PixelDiscriminator>(options);
}

}  // namespace torsor
