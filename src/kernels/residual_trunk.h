// The residual blocks of a ResNet generator, fused: padding, convolution, instance norm, ReLU, padding,
// convolution, instance norm, plus the block's input. Norms may be affine.
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
  Conv3x3Shape convolution() const {
    return {batch, channels, channels, height, width, PaddingMode::reflect};
  }
};

/// Images are blocked, [batch, channels / 16, height, width, 16]; weights are [channels,channels,3,3], two
/// per block. There is no bias, since an instance norm cancels it. Epilogue and prologue are fused: between
/// two convolutions a plane is normalised, rectified, added and transformed while it is cached. The
/// convolutions are Winograd's in fp32, or direct ones with bfloat16 operands; everything around them is
/// fp32. Not thread-safe; results are bitwise the same for any number of OpenMP threads.
class ResidualTrunk {
 public:
  /// What forward() saves for backward(), in the caller's memory.
  struct Record {
    std::vector<float*> inputs;      // of each block but the first: image_floats() each
    std::vector<float*> normalised;  // after each convolution, before the affine parameters; every second
                                     // one is a block's residual where norms are not affine
    std::vector<float*> scales;      // of each norm: scale_floats()
  };

  /// Throws std::logic_error as Winograd3x3 does, with bf16 as Bf16Conv3x3.
  ResidualTrunk(const TrunkShape& shape, Isa isa, Operands operands = Operands::fp32);

  /// For the transform of weights.
  const PlaneConv& convolution() const { return *conv_; }
  std::size_t image_floats() const;
  std::size_t scale_floats() const;

  /// x -> y. `transformed`: two per block, see PlaneConv::transform_weights(). Fills `record` unless it is
  /// null. `parameters`: of each norm, or empty.
  void forward(const float* x, const std::vector<const float*>& transformed,
               const std::vector<NormParameters>& parameters, const Record* record, float* y);

  /// dy -> dx, and dw[i], [channels,channels,3,3], of each weight where it is not null. `of_residuals`: the
  /// gradients of the blocks' residuals, each null or an image; empty where residuals are no outputs. `sums`
  /// of each affine norm, as of NormActivation::backward().
  void backward(const float* x, const Record& record, const std::vector<const float*>& transformed,
                const std::vector<NormParameters>& parameters, const float* dy,
                const std::vector<const float*>& of_residuals, float* dx, const std::vector<float*>& dw,
                const std::vector<float*>& sums);

 private:
  // The affine part, after normalise(), of this channel block.
  static ChannelNorm scaled(const NormParameters& parameters, std::int64_t block, const float* scale);

  TrunkShape shape_;
  std::unique_ptr<const PlaneConv> conv_;
  const NormStages* norms_;
  FloatBuffer in_, out_, weights_, input_gradient_;
};

/// Plain implementations: images [batch, channels, height, width], any number of channels, not fused.
/// `residuals`, which may be null, receives those of the blocks.
void residual_trunk_plain(const TrunkShape& shape, const float* x, const std::vector<const float*>& weights,
                          float* y, float* residuals);
/// dx and dw[i] from dy and `of_residuals`, which may be null.
void residual_trunk_gradient_plain(const TrunkShape& shape, const float* x,
                                   const std::vector<const float*>& weights, const float* dy,
                                   const float* of_residuals, float* dx, const std::vector<float*>& dw);

}  // namespace torsor
