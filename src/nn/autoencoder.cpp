// Convolutional autoencoder with residual blocks and a fully connected bottleneck, without skips from encoder
// to decoder (S0-E1a). Widths and depths are open in the paper.
#include <torch/types.h>

#include "nn/blocks.h"

namespace torsor {

namespace {

// Two halvings, a residual block, one vector of 8 ngf numbers for a whole side x side image, and back. The
// fully connected layers are convolutions as large as the maps, so that larger images go through as well.
struct AutoencoderGenerator : SequentialGenerator {
  AutoencoderGenerator(const GeneratorOptions& o, std::int64_t side) : side_(side) {
    if (side < 8 || side % 4 != 0)
      fail_usage("generator autoencoder_{}: the number is the images' side: a multiple of 4, at least 8",
                 side);
    const Bias bias = o.inner_bias();
    const std::int64_t width = 2 * o.ngf, code = 8 * o.ngf, map = side / 4;
    append_conv_norm_relu(*model, std::make_shared<Conv>(ConvShape{o.in_channels, o.ngf, 4, 2, 1, bias}), o,
                          o.ngf);
    append_conv_norm_relu(*model, std::make_shared<Conv>(ConvShape{o.ngf, width, 4, 2, 1, bias}), o, width);
    model->append(std::make_shared<ResnetBlock>(width, o));
    model->append(std::make_shared<Conv>(ConvShape{width, code, map, 1, 0, Bias::yes}));  // [N,code,1,1]
    model->append(std::make_shared<Relu>());
    append_conv_norm_relu(*model, std::make_shared<ConvTranspose>(ConvShape{code, width, map, 1, 0, bias}, 0),
                          o, width);
    model->append(std::make_shared<ResnetBlock>(width, o));
    append_conv_norm_relu(*model, std::make_shared<ConvTranspose>(ConvShape{width, o.ngf, 4, 2, 1, bias}, 0),
                          o, o.ngf);
    model->append(std::make_shared<ConvTranspose>(ConvShape{o.ngf, o.out_channels, 4, 2, 1, Bias::yes}, 0));
    model->append(make_output_activation(o.output_activation));
  }

  SizeRule size_rule() const override { return {4, side_}; }

 private:
  std::int64_t side_;
};

}  // namespace

std::shared_ptr<Generator> make_autoencoder(const GeneratorOptions& options, std::int64_t side) {
  return std::make_shared<AutoencoderGenerator>(options, side);
}

}  // namespace torsor
