// ResNet generator of Johnson et al. as CycleGAN uses it (Zhu et al. 2017, appendix; reference
// resnet_9blocks), and as others build it: with blurs where sides change (Zhang 2019, as CUT does), or pixels
// repeated before a convolution instead of a transposed one.
#include <torch/types.h>

#include "nn/blocks.h"
#include "nn/resampling.h"

namespace torsor {

namespace {

struct ResnetGenerator : SequentialGenerator {
  ResnetGenerator(const GeneratorOptions& o, std::int64_t blocks) : halvings_(o.n_downsampling) {
    model->append(std::make_shared<ReflectionPad>(3));
    append_conv_norm_relu(
        *model, std::make_shared<Conv>(ConvShape{o.in_channels, o.ngf, 7, 1, 0, o.inner_bias()}), o, o.ngf);
    const std::int64_t widest = o.ngf << halvings_;
    for (std::int64_t width = o.ngf; width < widest; width *= 2) append_halving(o, width);
    for (std::int64_t i = 0; i < blocks; ++i) model->append(std::make_shared<ResnetBlock>(widest, o));
    for (std::int64_t width = widest; width > o.ngf; width /= 2) append_doubling(o, width);
    model->append(std::make_shared<ReflectionPad>(3));
    model->append(std::make_shared<Conv>(ConvShape{o.ngf, o.out_channels, 7, 1, 0, Bias::yes}));
    model->append(make_output_activation(o.output_activation));
  }

  // The inner reflection pad of 1 needs maps of at least 2x2.
  SizeRule size_rule() const override {
    const std::int64_t side = std::int64_t{1} << halvings_;
    return {side, 2 * side, /*takes_others=*/true};
  }

 private:
  void append_halving(const GeneratorOptions& o, std::int64_t width) {
    const bool blurs = o.downsample == "blur";
    const ConvShape down{width, 2 * width, 3, blurs ? 1 : 2, 1, o.inner_bias()};
    append_conv_norm_relu(*model, std::make_shared<Conv>(down), o, 2 * width);
    if (blurs) model->append(std::make_shared<BlurDown>(2 * width));
  }

  void append_doubling(const GeneratorOptions& o, std::int64_t width) {
    if (o.upsample == "transposed") {
      const ConvShape up{width, width / 2, 3, 2, 1, o.inner_bias()};
      return append_conv_norm_relu(*model, std::make_shared<ConvTranspose>(up, 1), o, width / 2);
    }
    if (o.upsample == "blur")
      model->append(std::make_shared<BlurUp>(width));
    else
      model->append(std::make_shared<RepeatPixels>());
    const ConvShape conv{width, width / 2, 3, 1, 1, o.inner_bias()};
    append_conv_norm_relu(*model, std::make_shared<Conv>(conv), o, width / 2);
  }

  std::int64_t halvings_;
};

}  // namespace

std::shared_ptr<Generator> make_resnet(const GeneratorOptions& options, std::int64_t blocks) {
  return std::make_shared<ResnetGenerator>(options, blocks);
}

}  // namespace torsor
