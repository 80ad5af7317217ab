// A convolution together with the norm, the activation and the padding in front of it: what lies between two
// convolutions of a network is done on the way into the second, and done again on the way back, so that one
// image per convolution is all that has to be kept.
#pragma once

#include <cstdint>

#include "kernels/direct_conv.h"
#include "kernels/norm_activation.h"

namespace torsor {

enum class ConvDirection { forward, transposed };

/// What happens to an image before it is convolved.
struct Entry {
  enum class Norm { none, instance } norm = Norm::none;
  float slope = 1;  // of the activation below 0: 0 is relu, 1 is none
  Border border = Border::zero;
  bool operator==(const Entry&) const = default;
  bool changes_values() const { return norm != Norm::none || slope != 1; }
};

struct StageShape {
  /// Of a transposed convolution this is the one whose input gradient it is: its input is the stage's output.
  DirectShape conv;
  ConvDirection direction = ConvDirection::forward;
  Entry entry;
  Operands operands = Operands::fp32;
  bool operator==(const StageShape&) const = default;
  std::int64_t in_channels() const;
  std::int64_t out_channels() const;
};

/// Whether a stage takes it: what DirectConv takes of these operands; values are changed of blocked images
/// only; borders are mirrored of convolutions of stride 1 that are not transposed, with sides larger than the
/// padding.
bool is_taken(const StageShape& shape);

/// Images with 16 channels and more are blocked, [batch, channels / 16, height, width, 16], others planar;
/// floats whatever the operands, which are rounded on the way in. Scratch memory belongs to the thread that
/// calls and stays with it. The same bits for any number of OpenMP's threads.
class ConvStage {
 public:
  /// Throws std::logic_error for Isa::plain, for a shape that is not taken, and as DirectConv does.
  ConvStage(const StageShape& shape, Isa isa);

  std::size_t weight_floats() const { return conv_.weight_floats(); }
  /// The weight [out,in,k,k] of the convolution, [in,out,k,k] of a transposed one, as forward() wants it.
  void pack(const float* weight, float* packed) const;
  /// The same for backward().
  void pack_back(const float* weight, float* packed) const;

  /// Means and factors of the entry's norm: [2][batch][channels].
  std::size_t moment_floats() const;
  /// x -> y; fills `moments` where the entry has a norm, whose parameters those are. `bias` may be null.
  void forward(const float* x, const NormParameters& parameters, const float* packed, const float* bias,
               float* moments, float* y) const;
  /// dy -> dx and dw, each where it is not null. `sums` as of NormActivation::backward(); where it is not
  /// null, dx is not either.
  void backward(const float* x, const NormParameters& parameters, const float* moments,
                const float* packed_back, const float* dy, float* dx, float* dw, float* sums) const;

 private:
  // As they lie in memory, and the source's as if it were of floats.
  const Frame& source_frame() const;
  const Frame& result_frame() const;
  Frame source() const;
  NormActivation norm() const;
  template <class Row>
  void frame_blocks(const Frame& frame, Border border, const float* image, float* framed,
                    const Row& row) const;
  void enter(const float* x, const NormParameters& parameters, const float* moments, float* framed) const;
  void enter_gradient(const float* dy, float* framed) const;
  void leave(const float* x, const NormParameters& parameters, const float* moments, float* gradient,
             float* dx, float* sums) const;

  StageShape shape_;
  DirectConv conv_;
  Isa isa_;
  const NormStages* norms_;
  const Bf16Stages* bf16_;  // null where operands are floats
};

}  // namespace torsor
