#include "kernels/conv_stage.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "kernels/buffer.h"
#include "kernels/parallel.h"

namespace torsor {

namespace {

// Of the thread that calls a stage: the input and the output's gradient in their frames, the input's
// gradient.
struct StageScratch {
  FloatBuffer source, result, gradient;
};

StageScratch& stage_scratch() {
  thread_local StageScratch scratch;
  return scratch;
}

bool is_planar(const Frame& frame) { return frame.channels < kBlock; }

// A blocked image into its frame, row by row.
template <class MoveRow>
void frame_plane(const Frame& f, Border border, const float* plane, float* framed, const MoveRow& move) {
  for (std::int64_t y = 0; y < f.height; ++y)
    move(plane + y * f.width * kBlock, framed + f.inside() + y * f.row_floats());
  fill_border(f, border, framed);
}

}  // namespace

std::int64_t StageShape::in_channels() const {
  return direction == Direction::forward ? conv.in_channels : conv.out_channels;
}

std::int64_t StageShape::out_channels() const {
  return direction == Direction::forward ? conv.out_channels : conv.in_channels;
}

bool is_taken(const StageShape& s) {
  if (!is_taken(s.conv)) return false;
  if (s.entry.changes_values() && s.in_channels() < kBlock) return false;
  if (s.entry.norm == Entry::Norm::instance && s.conv.height * s.conv.width == 1) return false;
  return s.entry.border == Border::zero || (s.direction == Direction::forward && s.conv.stride == 1 &&
                                            std::min(s.conv.height, s.conv.width) > s.conv.padding);
}

ConvStage::ConvStage(const StageShape& shape, Isa isa)
    : shape_(shape), conv_(shape.conv, isa), isa_(isa), norms_(&norm_stages(isa)) {
  if (!is_taken(shape)) throw std::logic_error("ConvStage: a shape that it does not take");
}

const Frame& ConvStage::source() const {
  return shape_.direction == Direction::forward ? conv_.in_frame() : conv_.out_frame();
}

const Frame& ConvStage::result() const {
  return shape_.direction == Direction::forward ? conv_.out_frame() : conv_.in_frame();
}

void ConvStage::pack(const float* weight, float* packed) const {
  shape_.direction == Direction::forward ? conv_.pack(weight, packed) : conv_.pack_back(weight, packed);
}

void ConvStage::pack_back(const float* weight, float* packed) const {
  shape_.direction == Direction::forward ? conv_.pack_back(weight, packed) : conv_.pack(weight, packed);
}

NormActivation ConvStage::norm() const {
  const Frame& f = source();
  return {f.batch, f.channels, f.height * f.width, shape_.entry.slope};
}

std::size_t ConvStage::moment_floats() const { return static_cast<std::size_t>(norm().moment_floats()); }

// Normed, activated, with its border.
void ConvStage::enter(const float* x, const float* moments, float* framed) const {
  const Frame& f = source();
  if (is_planar(f)) return frame_planar(f, shape_.entry.border, x, framed);
  static constexpr std::array<float, kBlock> kNoMean{};
  static constexpr std::array<float, kBlock> kNoFactor = [] {
    std::array<float, kBlock> ones{};
    for (float& one : ones) one = 1;
    return ones;
  }();
  const bool normed = shape_.entry.norm == Entry::Norm::instance;
  for_each_parallel(f.batch * f.blocks(), [&](std::int64_t i) {
    const float* mean = normed ? moments + i * kBlock : kNoMean.data();
    const float* factor = normed ? moments + (f.batch * f.blocks() + i) * kBlock : kNoFactor.data();
    frame_plane(f, shape_.entry.border, x + i * f.height * f.width * kBlock, framed + i * f.plane_floats(),
                [&](const float* from, float* to) {
                  norms_->activate(f.width, from, mean, factor, shape_.entry.slope, to);
                });
  });
}

void ConvStage::forward(const float* x, const float* packed, const float* bias, float* moments,
                        float* y) const {
  const Frame& f = source();
  if (shape_.entry.norm == Entry::Norm::instance) norm().find_moments(isa_, x, moments);
  float* framed = stage_scratch().source.at_least(f.floats());
  enter(x, moments, framed);
  if (shape_.direction == Direction::forward)
    conv_.forward(framed, packed, bias, y);
  else
    conv_.input_gradient(framed, packed, Region::image, bias, y);
}

// From the gradient of what was convolved, its border too where that was mirrored, to that of x.
void ConvStage::leave(const float* x, const float* moments, float* gradient, float* dx) const {
  const Frame& f = source();
  const bool folds = shape_.entry.border == Border::reflect,
             normed = shape_.entry.norm == Entry::Norm::instance;
  const std::int64_t lanes = is_planar(f) ? 1 : kBlock, pixels = f.height * f.width;
  const std::int64_t planes = f.batch * (is_planar(f) ? f.channels : f.blocks());
  const std::int64_t whole = (folds ? f.full_height() * f.full_width() : pixels) * lanes;
  for_each_parallel(planes, [&](std::int64_t i) {
    float* plane = gradient + i * whole;
    float* to = dx + i * pixels * lanes;
    if (folds) fold_border(f, lanes, plane, to);
    const float *from = folds ? to : plane, *image = x + i * pixels * lanes;
    if (normed)
      norms_->activate_gradient(pixels, from, image, moments + i * kBlock,
                                moments + (f.batch * f.blocks() + i) * kBlock, shape_.entry.slope, to);
    else if (shape_.entry.slope != 1)
      norms_->relu_gradient(pixels, from, image, shape_.entry.slope, to);
  });
}

void ConvStage::backward(const float* x, const float* moments, const float* packed_back, const float* dy,
                         float* dx, float* dw) const {
  StageScratch& scratch = stage_scratch();
  const Frame& r = result();
  float* framed_dy = scratch.result.at_least(r.floats());
  if (is_planar(r))
    frame_planar(r, Border::zero, dy, framed_dy);
  else
    for_each_parallel(r.batch * r.blocks(), [&](std::int64_t i) {
      frame_plane(r, Border::zero, dy + i * r.height * r.width * kBlock, framed_dy + i * r.plane_floats(),
                  [&](const float* from, float* to) { std::copy_n(from, r.width * kBlock, to); });
    });
  const bool forwards = shape_.direction == Direction::forward;
  if (dw != nullptr) {
    float* framed_x = scratch.source.at_least(source().floats());
    enter(x, moments, framed_x);
    conv_.weight_gradient(forwards ? framed_x : framed_dy, forwards ? framed_dy : framed_x, dw);
  }
  if (dx == nullptr) return;
  const bool folds = shape_.entry.border == Border::reflect;
  const bool changes = folds || shape_.entry.changes_values();
  float* gradient = changes ? scratch.gradient.at_least(source().floats()) : dx;
  if (forwards)
    conv_.input_gradient(framed_dy, packed_back, folds ? Region::with_border : Region::image, nullptr,
                         gradient);
  else
    conv_.forward(framed_dy, packed_back, nullptr, gradient);
  if (changes) leave(x, moments, gradient, dx);
}

}  // namespace torsor
