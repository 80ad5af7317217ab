#include "nn/latent.h"

#include <torch/types.h>

#include <algorithm>
#include <stdexcept>

#include "core/error.h"

namespace torsor {

using at::Tensor;

namespace {

// Of each halving from the image inwards.
std::vector<std::int64_t> widths_of(const GeneratorOptions& o, std::int64_t side) {
  std::vector<std::int64_t> out;
  for (std::int64_t map = side, width = o.ngf; map > 4; map /= 2, width = std::min(2 * width, 8 * o.ngf))
    out.push_back(width);
  return out;
}

void append_encoder(LayerList& list, const GeneratorOptions& o, const std::vector<std::int64_t>& widths) {
  std::int64_t channels = o.in_channels;
  for (const std::int64_t width : widths) {
    const bool first = &width == widths.data();
    list.append(
        std::make_shared<Conv>(ConvShape{channels, width, 4, 2, 1, first ? Bias::yes : o.inner_bias()}));
    if (!first) list.append(make_norm(o.norm, width));
    list.append(std::make_shared<LeakyRelu>());
    channels = width;
  }
  list.append(std::make_shared<Conv>(ConvShape{channels, LatentGenerator::kLatent, 4, 1, 0, Bias::yes}));
  list.append(make_output_activation("tanh"));
}

// Returns the first layer of its second half.
std::size_t append_decoder(LayerList& list, const GeneratorOptions& o, std::vector<std::int64_t> widths) {
  std::reverse(widths.begin(), widths.end());
  const std::size_t layers = widths.size() + 1, shared = layers - layers / 2;
  std::size_t behind = 0;
  std::int64_t channels = LatentGenerator::kLatent;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const std::int64_t stride = i == 0 ? 1 : 2, padding = i == 0 ? 0 : 1;
    append_conv_norm_relu(list,
                          std::make_shared<ConvTranspose>(
                              ConvShape{channels, widths[i], 4, stride, padding, o.inner_bias()}, 0),
                          o, widths[i]);
    channels = widths[i];
    if (i + 1 == shared) behind = list.layers().size();
  }
  list.append(std::make_shared<ConvTranspose>(ConvShape{channels, o.out_channels, 4, 2, 1, Bias::yes}, 0));
  list.append(make_output_activation(o.output_activation));
  return behind;
}

}  // namespace

LatentGenerator::LatentGenerator(const GeneratorOptions& o, std::int64_t side) : side_(side) {
  if (side < 8 || (side & (side - 1)) != 0)
    fail_usage("generator latent_{}: the number is the images' side: a power of two, at least 8", side);
  const std::vector<std::int64_t> widths = widths_of(o, side);
  append_encoder(*model, o, widths);
  decoder_ = model->layers().size();
  own_ = append_decoder(*model, o, widths);
}

Tensor LatentGenerator::encode(const Tensor& x) const { return model->forward_part(x, 0, decoder_); }

Tensor LatentGenerator::decode(const Tensor& z) const {
  return model->forward_part(z, decoder_, model->layers().size());
}

std::vector<std::int64_t> LatentGenerator::latent_shape(std::int64_t n, std::int64_t height,
                                                        std::int64_t width) const {
  return {n, kLatent, height / factor() - 3, width / factor() - 3};
}

std::vector<Tensor> LatentGenerator::parameters_between(std::size_t first, std::size_t last) const {
  std::vector<Tensor> out;
  for (std::size_t i = first; i < last; ++i)
    for (const Tensor& parameter : model->layers()[i]->parameters()) out.push_back(parameter);
  return out;
}

std::vector<Tensor> LatentGenerator::encoder_parameters() const { return parameters_between(0, decoder_); }

std::vector<Tensor> LatentGenerator::decoder_parameters() const {
  return parameters_between(decoder_, model->layers().size());
}

void LatentGenerator::share_decoder(const LatentGenerator& other) {
  model->share(*other.model, decoder_, own_);
}

void share_last_half(Network& discriminator, const Network& other) {
  auto* to = dynamic_cast<SequentialDiscriminator*>(&discriminator);
  const auto* from = dynamic_cast<const SequentialDiscriminator*>(&other);
  if (to == nullptr || from == nullptr) throw std::logic_error("a discriminator that is no list of layers");
  const std::vector<LayerPtr>& layers = to->list().layers();
  std::vector<std::size_t> convolutions;
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (dynamic_cast<const Conv*>(layers[i].get()) != nullptr) convolutions.push_back(i);
  to->list().share(from->list(), convolutions.at(convolutions.size() / 2), layers.size());
}

std::shared_ptr<Generator> make_latent(const GeneratorOptions& options, std::int64_t side) {
  return std::make_shared<LatentGenerator>(options, side);
}

}  // namespace torsor
