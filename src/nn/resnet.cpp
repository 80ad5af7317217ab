// ResNet generator of Johnson et al. as CycleGAN uses it (Zhu et al. 2017, appendix; reference
// resnet_9blocks).
#include <torch/types.h>

#include "nn/blocks.h"

namespace torsor {

namespace {

struct ResnetGenerator : SequentialGenerator {
  ResnetGenerator(const GeneratorOptions& o, std::int64_t blocks) {
    model->append(std::make_shared<ReflectionPad>(3));
    append_conv_norm_relu(
        *model, std::make_shared<Conv>(ConvShape{o.in_channels, o.ngf, 7, 1, 0, inner_bias(o.norm)}), o,
        o.ngf);
    for (const std::int64_t width : {o.ngf, 2 * o.ngf}) {
      const ConvShape down{width, 2 * width, 3, 2, 1, inner_bias(o.norm)};
      append_conv_norm_relu(*model, std::make_shared<Conv>(down), o, 2 * width);
    }
    for (std::int64_t i = 0; i < blocks; ++i) model->append(std::make_shared<ResnetBlock>(4 * o.ngf, o));
    for (const std::int64_t width : {4 * o.ngf, 2 * o.ngf}) {
      const ConvShape up{width, width / 2, 3, 2, 1, inner_bias(o.norm)};
      append_conv_norm_relu(*model, std::make_shared<ConvTranspose>(up, 1), o, width / 2);
    }
    model->append(std::make_shared<ReflectionPad>(3));
    model->append(std::make_shared<Conv>(ConvShape{o.ngf, o.out_channels, 7, 1, 0, Bias::yes}));
    model->append(make_output_activation(o.output_activation));
  }

  // Two stride-2 convolutions; the inner reflection pad of 1 needs maps of at least 2x2.
  SizeRule size_rule() const override { return {4, 8, /*takes_others=*/true}; }
};

}  // namespace

std::shared_ptr<Generator> make_resnet(const GeneratorOptions& options, std::int64_t blocks) {
  return std::make_shared<ResnetGenerator>(options, blocks);
}

}  // namespace torsor
