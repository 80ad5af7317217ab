#include "nn/resampling.h"

#include <torch/types.h>

namespace torsor {

namespace {

// A kernel that is the same along both sides, of each channel.
at::Tensor blur_kernel(std::int64_t channels, const std::vector<float>& taps) {
  const auto side = static_cast<std::int64_t>(taps.size());
  if (new_parameter().device().is_meta()) return at::zeros({channels, 1, side, side}, new_parameter());
  const at::Tensor line = at::tensor(taps, new_parameter());
  return at::outer(line, line).div_(16).expand({channels, 1, side, side}).clone(at::MemoryFormat::Contiguous);
}

const std::vector<std::int64_t> kOneEach = {1, 1, 1, 1};
constexpr std::int64_t kPad = 1, kStride = 2, kNone = 0;
// What a transposed convolution leaves out on each side: the kernel's own margin, and the padding's pixels.
constexpr std::int64_t kCut = 3;

}  // namespace

at::Tensor blurred_down(const at::Tensor& x, const at::Tensor& filt) {
  return at::conv2d(at::reflection_pad2d(x, kOneEach), filt, {}, kStride, kNone, /*dilation=*/1,
                    filt.size(0));
}

at::Tensor blurred_up(const at::Tensor& x, const at::Tensor& filt) {
  return at::conv_transpose2d(at::replication_pad2d(x, kOneEach), filt, {}, kStride, kCut,
                              /*output_padding=*/kNone, filt.size(0));
}

BlurDown::BlurDown(std::int64_t channels) {
  filt = register_buffer("filt", blur_kernel(channels, {1, 2, 1}));
}

at::Tensor BlurDown::forward(const at::Tensor& x) { return blurred_down(x, filt); }

GraphValue BlurDown::describe(GraphSink& sink, const GraphValue& x) const {
  return sink.conv(sink.reflection_pad(x, kPad), filt, {}, kStride, kNone);
}

BlurUp::BlurUp(std::int64_t channels) { filt = register_buffer("filt", blur_kernel(channels, {1, 3, 3, 1})); }

at::Tensor BlurUp::forward(const at::Tensor& x) { return blurred_up(x, filt); }

GraphValue BlurUp::describe(GraphSink& sink, const GraphValue& x) const {
  return sink.conv_transpose(sink.replication_pad(x, kPad), filt, {}, kStride, kCut, kNone, filt.size(0));
}

at::Tensor RepeatPixels::forward(const at::Tensor& x) {
  return at::upsample_nearest2d(x, std::vector<std::int64_t>{2 * x.size(2), 2 * x.size(3)});
}

GraphValue RepeatPixels::describe(GraphSink& sink, const GraphValue& x) const {
  return sink.repeat_pixels(x);
}

}  // namespace torsor
