// A generator around a latent vector: an encoder of an image to it and a decoder of it to an image, which can
// be run by themselves.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "nn/blocks.h"

namespace torsor {

/// Halvings to 4x4 maps, a layer as large as the map that leaves one vector, and back: DCGAN's two networks
/// (Radford, Metz, Chintala 2016), the discriminator's as encoder, as CoGAN's generators are (Liu and Tuzel
/// 2016, appendix). Made for images of side x side, side a power of two of at least 8; of larger ones the
/// latent is a map of vectors.
struct LatentGenerator : SequentialGenerator {
  /// Throws UsageError for another side.
  LatentGenerator(const GeneratorOptions& options, std::int64_t side);

  static constexpr std::int64_t kLatent = 100;  // numbers of the vector, each from -1 to 1

  /// [N,C_in,H,W] -> [N,100,h,w], 1x1 for the images that it was made for.
  at::Tensor encode(const at::Tensor& x) const;
  /// [N,100,h,w] -> [N,C_out,H,W].
  at::Tensor decode(const at::Tensor& z) const;
  /// The shape of n latents of images of these sides.
  std::vector<std::int64_t> latent_shape(std::int64_t n, std::int64_t height, std::int64_t width) const;

  std::vector<at::Tensor> encoder_parameters() const;
  std::vector<at::Tensor> decoder_parameters() const;
  /// Makes the first half of the decoder's layers (of an odd number, one more) that of another's, whose
  /// weights it then has. Both must have the same options but for the channels.
  void share_decoder(const LatentGenerator& other);

  SizeRule size_rule() const override { return {factor(), side_}; }

 private:
  std::int64_t factor() const { return side_ / 4; }
  std::vector<at::Tensor> parameters_between(std::size_t first, std::size_t last) const;

  std::int64_t side_;
  std::size_t decoder_ = 0;  // its first layer
  std::size_t own_ = 0;      // the first that share_decoder() leaves
};

/// What --net-g calls it: latent_<n>.
inline constexpr const char* kLatentFamily = "latent_<n>";
inline constexpr const char* kLatentPrefix = "latent_";

/// Makes the last half of a discriminator's convolutions, and what is between and behind them, those of
/// another, whose weights it then has (of an odd number, one more than half). Both must have the same options
/// but for the channels. Throws std::logic_error for one that is no list of layers.
void share_last_half(Network& discriminator, const Network& other);

}  // namespace torsor
