// Direct convolution, for what Winograd's does not support: strides, large kernels, few channels; and
// transposed convolutions, which are input gradients of those.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/bf16_stages.h"
#include "kernels/direct_stages.h"
#include "kernels/padded_tensor.h"

namespace torsor {

/// `height` and `width` are those of the input without its padding.
struct DirectShape {
  std::int64_t batch = 1, in_channels = 16, out_channels = 16, height = 0, width = 0;
  std::int64_t kernel = 3, stride = 1, padding = 0;
  bool operator==(const DirectShape&) const = default;
  std::int64_t out_height() const { return (height + 2 * padding - kernel) / stride + 1; }
  std::int64_t out_width() const { return (width + 2 * padding - kernel) / stride + 1; }
};

/// Whether DirectConv supports the shape: strides 1 and 2; channels in multiples of 16, or up to four on one
/// side (small-channel convolution), of the output with stride 1 only. With bf16 operands multiples of 32,
/// and small-channel kernels of up to 8x8.
bool is_supported(const DirectShape& shape, Operands operands = Operands::fp32);

/// The region of an input gradient: the image, or its padding too.
enum class Region { image, with_padding };

/// Sources are padded tensors; results with 16 channels and more are blocked (nChw16c) without padding,
/// [batch, channels / 16, height, width, 16], those with fewer are planar, [batch, channels, height, width].
/// With bf16 operands padded tensors (see PaddedTensor::bf16_blocked() and bf16_channels_last()) and packed
/// weights are bfloat16; results and accumulators are fp32. Results are bitwise the same for any number of
/// OpenMP threads.
class DirectConv {
 public:
  /// Throws std::logic_error for an unsupported shape, and for an instruction set without micro-kernels for
  /// the operands (see direct_stages() and bf16_stages()).
  DirectConv(const DirectShape& shape, Isa isa, Operands operands = Operands::fp32);

  /// The input with the convolution's padding, and the output's gradient with that of input_gradient().
  const PaddedTensor& padded_input() const { return in_; }
  const PaddedTensor& padded_output() const { return out_; }
  std::size_t weight_floats() const;

  /// Packs planar [batch, channels, height, width] of fewer than 16 channels into a padded tensor of this
  /// convolution.
  void pad_planar(const PaddedTensor& tensor, PaddingMode mode, const float* planar, float* padded) const;

  /// Pack the weight [out,in,kernel,kernel] for forward() and for input_gradient().
  void pack_weights(const float* weight, float* packed) const;
  void pack_weights_backward(const float* weight, float* packed) const;

  /// y = x * weight + bias; `bias`, [out], may be null.
  void forward(const float* padded_x, const float* packed, const float* bias, float* y) const;
  /// dx = the gradient + bias; `bias`, [in], is that of a transposed convolution and may be null. dy is
  /// padded with zeros.
  void input_gradient(const float* padded_dy, const float* packed_backward, Region region, const float* bias,
                      float* dx) const;
  /// dw [out,in,kernel,kernel]. Accumulators and repacked images lie in thread-local memory, which is kept.
  void weight_gradient(const float* padded_x, const float* padded_dy, float* dw) const;

 private:
  // A strided grid of results: all of them, or every second one in both directions.
  struct Grid {
    std::int64_t rows, pixels;
    std::int64_t first, row_step, step;              // of the source: floats, floats, pixels
    std::int64_t out_first, out_row_step, out_step;  // of the result: pixels
    std::vector<std::int64_t> taps;                  // of the kernel, row by row
    std::vector<std::int64_t> offsets;               // of the source, floats
    std::int64_t columns = 1;                        // taps of an offset
  };
  struct Image {  // the destination
    std::int64_t channels, pixels;
    float* data;
  };
  std::int64_t packed_floats(const Grid& grid) const;
  Grid forward_grid() const;
  std::vector<Grid> backward_grids(Region region) const;
  void pack_taps(const Grid& grid, std::int64_t results, std::int64_t sources, std::int64_t result_step,
                 std::int64_t source_step, const float* weight, float* packed) const;
  void pack_bf16(const Grid& grid, std::int64_t results, std::int64_t sources, std::int64_t result_step,
                 std::int64_t source_step, const float* weight, float* packed) const;
  void compute(const Grid& grid, const PaddedTensor& source, const float* x, const float* packed,
               const float* bias, const Image& image) const;
  void compute_dots(const Grid& grid, const PaddedTensor& source, const float* x, const float* packed,
                    const float* bias, const Image& image) const;

  // Small-channel convolution with bf16 operands: the side with up to four channels. A cache line is then
  // eight pixels of four channels, and an offset of a grid is that of a kernel row.
  enum class SmallSide { none, source, result };
  // Channels of the wide and the small side, and their strides in the weight.
  struct SmallChannelLayout {
    std::int64_t wide, small, wide_stride, small_stride;
  };
  SmallChannelLayout small_channel_layout() const;
  Grid rows_of_taps(const Grid& grid) const;
  void pack_small_channel(const Grid& grid, SmallSide small, const float* weight, float* packed) const;
  void compute_small_channel(const Grid& grid, const PaddedTensor& source, const float* x,
                             const float* packed, const float* bias, const Image& image) const;
  void small_channel_weight_gradient(const float* padded_x, const float* padded_dy, float* dw) const;
  void bf16_weight_gradient(const float* padded_x, const float* padded_dy, float* dw) const;

  DirectShape shape_;
  Operands operands_;
  SmallSide small_side_ = SmallSide::none;
  const DirectStages* stages_ = nullptr;
  const Bf16Stages* bf16_ = nullptr;
  PaddedTensor in_, out_;
};

/// Plain implementations: planar images, zero padding, any channels and strides. `bias` may be null.
void conv_plain(const DirectShape& shape, const float* x, const float* weight, const float* bias, float* y);
void conv_input_gradient_plain(const DirectShape& shape, const float* dy, const float* weight, float* dx);
void conv_weight_gradient_plain(const DirectShape& shape, const float* x, const float* dy, float* dw);

}  // namespace torsor
