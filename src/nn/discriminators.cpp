// PatchGAN discriminators (Isola et al. 2017; reference basic, n_layers, pixel). Raw scores, no sigmoid.
#include <torch/types.h>

#include <algorithm>

#include "nn/blocks.h"
#include "nn/resampling.h"

namespace torsor {

namespace {

// n = 3 has a 70x70 receptive field.
struct NLayerDiscriminator : SequentialDiscriminator {
  NLayerDiscriminator(const DiscriminatorOptions& o, std::int64_t layers)
      : SequentialDiscriminator("model"), layers_(layers) {
    const auto width = [&](std::int64_t k) {
      return o.ndf * std::min<std::int64_t>(std::int64_t{1} << k, 8);
    };
    // Antialiased, sides are halved by a blur behind a convolution of stride 1.
    const bool blurs = o.downsample == "blur";
    const std::int64_t halving = blurs ? 1 : 2;
    const auto append_blur = [&](std::int64_t channels) {
      if (blurs) model->append(std::make_shared<BlurDown>(channels));
    };
    model->append(std::make_shared<Conv>(ConvShape{o.in_channels, o.ndf, 4, halving, 1, Bias::yes}));
    model->append(std::make_shared<LeakyRelu>());
    append_blur(o.ndf);
    for (std::int64_t k = 1; k <= layers; ++k) {
      const std::int64_t stride = k < layers ? halving : 1;
      model->append(std::make_shared<Conv>(ConvShape{width(k - 1), width(k), 4, stride, 1, o.inner_bias()}));
      model->append(make_norm(o.norm, width(k)));
      model->append(std::make_shared<LeakyRelu>());
      if (k < layers) append_blur(width(k));
    }
    model->append(std::make_shared<Conv>(ConvShape{width(layers), 1, 4, 1, 1, Bias::yes}));
  }

  // n halvings, then two 4x4 convolutions that take one pixel each and must leave one.
  SizeRule size_rule() const override { return {1, 3 * (std::int64_t{1} << layers_)}; }

 private:
  std::int64_t layers_;
};

// 1x1 convolutions: scores every pixel by itself.
struct PixelDiscriminator : SequentialDiscriminator {
  explicit PixelDiscriminator(const DiscriminatorOptions& o) : SequentialDiscriminator("net") {
    model->append(std::make_shared<Conv>(ConvShape{o.in_channels, o.ndf, 1, 1, 0, Bias::yes}));
    model->append(std::make_shared<LeakyRelu>());
    model->append(std::make_shared<Conv>(ConvShape{o.ndf, 2 * o.ndf, 1, 1, 0, o.inner_bias()}));
    model->append(make_norm(o.norm, 2 * o.ndf));
    model->append(std::make_shared<LeakyRelu>());
    model->append(std::make_shared<Conv>(ConvShape{2 * o.ndf, 1, 1, 1, 0, o.inner_bias()}));
  }

  SizeRule size_rule() const override { return {1, 2}; }
};

// One score for the whole of a side x side image (S0-E1): halvings down to 4x4 and a fully connected layer,
// which is a convolution as large, so that larger images give a map of scores. The first layer has no norm.
struct FullImageDiscriminator : SequentialDiscriminator {
  FullImageDiscriminator(const DiscriminatorOptions& o, std::int64_t side)
      : SequentialDiscriminator("model"), side_(side) {
    if (side < 8 || (side & (side - 1)) != 0)
      fail_usage("discriminator full_{}: the number is the images' side: a power of two, at least 8", side);
    std::int64_t channels = o.in_channels, width = o.ndf;
    for (std::int64_t map = side; map > 4;
         map /= 2, channels = width, width = std::min(2 * width, 8 * o.ndf)) {
      const bool first = map == side;
      model->append(std::make_shared<Conv>(
          ConvShape{channels, width, 4, 2, 1, first || o.norm == "none" ? Bias::yes : o.inner_bias()}));
      if (!first) model->append(make_norm(o.norm, width));
      model->append(std::make_shared<LeakyRelu>());
    }
    model->append(std::make_shared<Conv>(ConvShape{channels, 1, 4, 1, 0, Bias::yes}));
  }

  SizeRule size_rule() const override { return {1, side_}; }

 private:
  std::int64_t side_;
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
