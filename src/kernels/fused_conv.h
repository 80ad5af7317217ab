// A convolution fused with its prologue, the norm, the activation and the padding in front of it. The
// prologue runs as the input is packed, and is recomputed in the backward pass, so that one image per
// convolution is all that has to be saved.
#pragma once

#include <cstdint>

#include "kernels/direct_conv.h"
#include "kernels/norm_activation.h"

namespace torsor {

enum class ConvDirection { forward, transposed };

/// What is fused in front of a convolution.
struct Prologue {
  enum class Norm { none, instance } norm = Norm::none;
  float slope = 1;  // of the activation below 0: 0 is ReLU, 1 is none
  PaddingMode padding_mode = PaddingMode::zeros;
  bool operator==(const Prologue&) const = default;
  bool changes_values() const { return norm != Norm::none || slope != 1; }
};

struct FusedConvShape {
  /// A transposed convolution is given by the convolution whose input gradient it is: the input of `conv` is
  /// the output of the fused one.
  DirectShape conv;
  ConvDirection direction = ConvDirection::forward;
  Prologue prologue;
  Operands operands = Operands::fp32;
  bool operator==(const FusedConvShape&) const = default;
  std::int64_t in_channels() const;
  std::int64_t out_channels() const;
};

/// Whether FusedConv supports the shape: DirectConv supports it with these operands; a norm or an activation
/// needs blocked inputs; reflection padding needs stride 1, no transposition and sides larger than the
/// padding.
bool is_supported(const FusedConvShape& shape);

/// Images with 16 channels and more are blocked (nChw16c), [batch, channels / 16, height, width, 16], others
/// planar; they are fp32 with any operands, which are rounded as they are packed. Scratch memory is
/// thread-local and is kept. Results are bitwise the same for any number of OpenMP threads.
class FusedConv {
 public:
  /// Throws std::logic_error for Isa::plain, for an unsupported shape, and as DirectConv does.
  FusedConv(const FusedConvShape& shape, Isa isa);

  std::size_t weight_floats() const { return conv_.weight_floats(); }
  /// Packs the weight, [out,in,k,k] or [in,out,k,k] of a transposed convolution, for forward().
  void pack_weights(const float* weight, float* packed) const;
  /// The same for backward(), `packed_backward`.
  void pack_weights_backward(const float* weight, float* packed) const;

  /// Means and reciprocal standard deviations of the prologue's norm: [2][batch][channels].
  std::size_t moment_floats() const;
  /// x -> y; fills `moments` where the prologue has a norm, whose affine parameters are `parameters`. `bias`
  /// may be null.
  void forward(const float* x, const NormParameters& parameters, const float* packed, const float* bias,
               float* moments, float* y) const;
  /// dy -> dx and dw, each where it is not null. `sums` as of NormActivation::backward(); where it is not
  /// null, dx is not either.
  void backward(const float* x, const NormParameters& parameters, const float* moments,
                const float* packed_backward, const float* dy, float* dx, float* dw, float* sums) const;

 private:
  // The padded images as packed, and the source as fp32.
  const PaddedTensor& padded_source() const;
  const PaddedTensor& padded_result() const;
  PaddedTensor source() const;
  NormActivation norm() const;
  template <class Row>
  void pad_blocked(const PaddedTensor& tensor, PaddingMode padding_mode, const float* image, float* padded,
                   const Row& row) const;
  void pack_input(const float* x, const NormParameters& parameters, const float* moments,
                  float* padded) const;
  void pack_output_gradient(const float* dy, float* padded) const;
  void unpack_input_gradient(const float* x, const NormParameters& parameters, const float* moments,
                             float* gradient, float* dx, float* sums) const;

  FusedConvShape shape_;
  DirectConv conv_;
  Isa isa_;
  const NormStages* norms_;
  const Bf16Stages* bf16_;  // null with fp32 operands
};

}  // namespace torsor
