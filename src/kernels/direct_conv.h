// Convolutions that Winograd's does not serve, taken as they are defined: strided ones, large kernels, few
// channels; and transposed ones, which are the gradients of those.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/bf16_stages.h"
#include "kernels/direct_stages.h"
#include "kernels/frame.h"

namespace torsor {

/// `height` and `width` are those of the input without its padding.
struct DirectShape {
  std::int64_t batch = 1, in_channels = 16, out_channels = 16, height = 0, width = 0;
  std::int64_t kernel = 3, stride = 1, padding = 0;
  bool operator==(const DirectShape&) const = default;
  std::int64_t out_height() const { return (height + 2 * padding - kernel) / stride + 1; }
  std::int64_t out_width() const { return (width + 2 * padding - kernel) / stride + 1; }
};

/// Whether the kernel takes it: strides 1 and 2; channels in multiples of 16, on one side up to four
/// instead, of the output with stride 1 alone. With bf16 in multiples of 32, and where there are up to four
/// on one side kernels of up to 8.
bool is_taken(const DirectShape& shape, Operands operands = Operands::fp32);

/// Which results a gradient is wanted for: those of the image, or those around it too.
enum class Region { image, with_border };

/// The same bits for any number of OpenMP's threads. Images come in frames; results with 16 channels and more
/// are blocked without a border, [batch, channels / 16, height, width, 16], those with fewer are planar,
/// [batch, channels, height, width]. With bf16 frames hold pairs (see Frame::paired() and
/// Frame::few()), and so do packed weights; results are floats, and sums over products too.
class DirectConv {
 public:
  /// Throws std::logic_error for a shape that is not taken, and for an instruction set without stages for the
  /// operands (see direct_stages() and bf16_stages()).
  DirectConv(const DirectShape& shape, Isa isa, Operands operands = Operands::fp32);

  /// The input with the padding as its border, and the output's gradient with what input_gradient() reads.
  const Frame& in_frame() const { return in_; }
  const Frame& out_frame() const { return out_; }
  std::size_t weight_floats() const;

  /// Planar [batch, channels, height, width] of fewer than 16 channels into a frame of this convolution.
  void frame_planar(const Frame& frame, Border border, const float* planar, float* framed) const;

  /// weight [out,in,kernel,kernel] as forward() and input_gradient() want it.
  void pack(const float* weight, float* packed) const;
  void pack_back(const float* weight, float* packed) const;

  /// y = x * weight + start; `start` of each output channel may be null, for zeros.
  void forward(const float* framed_x, const float* packed, const float* start, float* y) const;
  /// dx = start + the gradient: `start` is for those who use it as a transposed convolution. The frame of dy
  /// has zeros for its border.
  void input_gradient(const float* framed_dy, const float* packed_back, Region region, const float* start,
                      float* dx) const;
  /// dw [out,in,kernel,kernel]. Its sums, and images in other layouts, lie in memory of the thread that
  /// calls, which keeps it.
  void weight_gradient(const float* framed_x, const float* framed_dy, float* dw) const;

 private:
  // Results on a grid of their own: all, or every second one of a row and a column.
  struct Grid {
    std::int64_t rows, pixels;
    std::int64_t first, row_step, step;              // of the source: floats, floats, pixels
    std::int64_t out_first, out_row_step, out_step;  // of the result: pixels
    std::vector<std::int64_t> taps;                  // of the kernel, row by row
    std::vector<std::int64_t> offsets;               // of the source, floats
    std::int64_t columns = 1;                        // of taps that an offset stands for
  };
  struct Image {  // what results are written to
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
  void compute(const Grid& grid, const Frame& source, const float* x, const float* packed, const float* start,
               const Image& image) const;
  void compute_dots(const Grid& grid, const Frame& source, const float* x, const float* packed,
                    const float* start, const Image& image) const;

  // Which side has few channels, with bf16. A line of memory is eight pixels of four channels then, and an
  // offset of a grid stands for a row of the kernel.
  enum class Few { none, sources, results };
  // Channels of both sides, and the steps in the weight from one of them to the next.
  struct FewLayout {
    std::int64_t many, few, many_step, few_step;
  };
  FewLayout few_layout() const;
  Grid rows_of_taps(const Grid& grid) const;
  void pack_few(const Grid& grid, Few few, const float* weight, float* packed) const;
  void compute_few(const Grid& grid, const Frame& source, const float* x, const float* packed,
                   const float* start, const Image& image) const;
  void few_weight_gradient(const float* framed_x, const float* framed_dy, float* dw) const;
  void bf16_weight_gradient(const float* framed_x, const float* framed_dy, float* dw) const;

  DirectShape shape_;
  Operands operands_;
  Few few_ = Few::none;
  const DirectStages* stages_ = nullptr;
  const Bf16Stages* bf16_ = nullptr;
  Frame in_, out_;
};

/// The twins: planar images, zeros around them, any channels and strides. `bias` may be null.
void conv_plain(const DirectShape& shape, const float* x, const float* weight, const float* bias, float* y);
void conv_input_gradient_plain(const DirectShape& shape, const float* dy, const float* weight, float* dx);
void conv_weight_gradient_plain(const DirectShape& shape, const float* x, const float* dy, float* dw);

}  // namespace torsor
