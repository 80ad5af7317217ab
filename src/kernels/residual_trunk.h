// The residual blocks of a ResNet generator as one: pad, convolution, instance norm, relu, pad, convolution,
// instance norm, plus the block's input; again and again. Norms may have parameters.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/bf16_stages.h"
#include "kernels/buffer.h"
#include "kernels/norm_activation.h"
#include "kernels/plane_conv.h"

namespace torsor {

struct TrunkShape {
  std::int64_t batch = 1, channels = 16, height = 0, width = 0, blocks = 1;
  bool operator==(const TrunkShape&) const = default;
  Conv3x3Shape convolution() const { return {batch, channels, channels, height, width, Border::reflect}; }
};

/// Images are blocked, [batch, channels / 16, height, width, 16]; weights are [channels,channels,3,3], two of
/// a block. A bias before an instance norm changes nothing and gets no gradient: there is none. Between two
/// convolutions a plane is normalised, rectified, added and transformed while it is in the cache: Winograd's
/// convolution of floats, or one of bfloat16, with floats all around it. One object
/// for one thread at a time; the same bits for any number of OpenMP's threads.
class ResidualTrunk {
 public:
  /// What forward() leaves for backward(), in the caller's memory.
  struct Record {
    std::vector<float*> inputs;      // of each block but the first: image_floats() each
    std::vector<float*> normalised;  // after each convolution, without the norm's parameters; every second
                                     // one is a block's residual where the norms have none
    std::vector<float*> scales;      // of each norm: scale_floats()
  };

  /// Throws std::logic_error as Winograd3x3 does, with bf16 as Bf16Conv3x3.
  ResidualTrunk(const TrunkShape& shape, Isa isa, Operands operands = Operands::fp32);

  /// How weights are transformed.
  const PlaneConv& convolution() const { return *conv_; }
  std::size_t image_floats() const;
  std::size_t scale_floats() const;

  /// x -> y. `transformed`: two of a block, see PlaneConv::transform_weights(). With `record` it is filled.
  /// `parameters`: of each norm, or empty.
  void forward(const float* x, const std::vector<const float*>& transformed,
               const std::vector<NormParameters>& parameters, const Record* record, float* y);

  /// dy -> dx, and dw[i], [channels,channels,3,3], of each weight where it is not null. `of_residuals`: the
  /// gradients of the blocks' residuals, each null or an image; empty when nobody asked for them. `sums` of
  /// each norm with parameters, as of NormActivation::backward().
  void backward(const float* x, const Record& record, const std::vector<const float*>& transformed,
                const std::vector<NormParameters>& parameters, const float* dy,
                const std::vector<const float*>& of_residuals, float* dx, const std::vector<float*>& dw,
                const std::vector<float*>& sums);

 private:
  // Behind normalise(), of this block of channels.
  static ChannelNorm scaled(const NormParameters& parameters, std::int64_t block, const float* scale);

  TrunkShape shape_;
  std::unique_ptr<const PlaneConv> conv_;
  const NormStages* norms_;
  FloatBuffer in_, out_, weights_, back_;
};

/// The twins: images [batch, channels, height, width], any number of channels, one operation after the other.
/// With `residuals` those of the blocks, one after the other.
void residual_trunk_plain(const TrunkShape& shape, const float* x, const std::vector<const float*>& weights,
                          float* y, float* residuals);
/// dx and dw[i] of dy and `of_residuals`, which may be null.
void residual_trunk_gradient_plain(const TrunkShape& shape, const float* x,
                                   const std::vector<const float*>& weights, const float* dy,
                                   const float* of_residuals, float* dx, const std::vector<float*>& dw);

}  // namespace torsor
