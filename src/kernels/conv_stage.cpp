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

}  // namespace

std::int64_t StageShape::in_channels() const {
  return direction == ConvDirection::forward ? conv.in_channels : conv.out_channels;
}

std::int64_t StageShape::out_channels() const {
  return direction == ConvDirection::forward ? conv.out_channels : conv.in_channels;
}

bool is_taken(const StageShape& s) {
  if (!is_taken(s.conv, s.operands)) return false;
  if (s.entry.changes_values() && s.in_channels() < kBlock) return false;
  if (s.entry.norm == Entry::Norm::instance && s.conv.height * s.conv.width == 1) return false;
  return s.entry.border == Border::zero || (s.direction == ConvDirection::forward && s.conv.stride == 1 &&
                                            std::min(s.conv.height, s.conv.width) > s.conv.padding);
}

ConvStage::ConvStage(const StageShape& shape, Isa isa)
    : shape_(shape),
      conv_(shape.conv, isa, shape.operands),
      isa_(isa),
      norms_(&norm_stages(isa)),
      bf16_(shape.operands == Operands::bf16 ? bf16_stages(isa) : nullptr) {
  if (!is_taken(shape)) throw std::logic_error("ConvStage: a shape that it does not take");
}

const Frame& ConvStage::source_frame() const {
  return shape_.direction == ConvDirection::forward ? conv_.in_frame() : conv_.out_frame();
}

const Frame& ConvStage::result_frame() const {
  return shape_.direction == ConvDirection::forward ? conv_.out_frame() : conv_.in_frame();
}

Frame ConvStage::source() const {
  const Frame& f = source_frame();
  return {f.batch, shape_.in_channels(), f.height, f.width, f.border};
}

// A blocked image into its frame, row by row: row(block of the batch, row, room for another) says which row
// it is that goes there.
template <class Row>
void ConvStage::frame_blocks(const Frame& f, Border border, const float* image, float* framed,
                             const Row& row) const {
  const std::int64_t row_floats = f.width * kBlock, image_floats = f.height * row_floats;
  if (bf16_ == nullptr)
    return for_each_parallel(f.batch * f.blocks(), [&](std::int64_t i) {
      float* plane = framed + i * f.plane_floats();
      for (std::int64_t y = 0; y < f.height; ++y) {
        float* to = plane + f.inside() + y * f.row_floats();
        const float* from = row(i, image + i * image_floats + y * row_floats, to);
        if (from != to) std::copy_n(from, row_floats, to);
      }
      fill_border(f, border, plane);
    });
  for_each_parallel(f.batch * f.blocks(), [&](std::int64_t i) {  // two blocks share a plane's lines
    thread_local FloatBuffer scratch;
    float *room = scratch.at_least(static_cast<std::size_t>(row_floats)),
          *plane = framed + i * f.plane_floats();
    for (std::int64_t block = 2 * i; block < 2 * i + 2; ++block)
      for (std::int64_t y = 0; y < f.height; ++y)
        bf16_->narrow(f.width, row(block, image + block * image_floats + y * row_floats, room),
                      plane + f.inside() + y * f.row_floats() + block % 2 * kBlock / 2);
    fill_border(f, border, plane);
  });
}

void ConvStage::pack(const float* weight, float* packed) const {
  shape_.direction == ConvDirection::forward ? conv_.pack(weight, packed) : conv_.pack_back(weight, packed);
}

void ConvStage::pack_back(const float* weight, float* packed) const {
  shape_.direction == ConvDirection::forward ? conv_.pack_back(weight, packed) : conv_.pack(weight, packed);
}

NormActivation ConvStage::norm() const {
  const Frame f = source();
  return {f.batch, f.channels, f.height * f.width, shape_.entry.slope};
}

std::size_t ConvStage::moment_floats() const { return static_cast<std::size_t>(norm().moment_floats()); }

// Normed, activated, with its border.
void ConvStage::enter(const float* x, const NormParameters& parameters, const float* moments,
                      float* framed) const {
  const Frame f = source();
  if (is_planar(f)) return conv_.frame_planar(source_frame(), shape_.entry.border, x, framed);
  static constexpr std::array<float, kBlock> kNoMean{};
  static constexpr std::array<float, kBlock> kNoFactor = [] {
    std::array<float, kBlock> ones{};
    for (float& one : ones) one = 1;
    return ones;
  }();
  const bool normed = shape_.entry.norm == Entry::Norm::instance;
  const NormActivation entry = norm();
  frame_blocks(
      source_frame(), shape_.entry.border, x, framed, [&](std::int64_t i, const float* from, float* room) {
        const ChannelNorm of_plane =
            normed ? entry.of_plane(i, parameters, moments) : ChannelNorm{kNoMean.data(), kNoFactor.data()};
        norms_->activate(f.width, from, of_plane, shape_.entry.slope, room);
        return room;
      });
}

void ConvStage::enter_gradient(const float* dy, float* framed) const {
  const Frame& f = result_frame();
  if (is_planar(f)) return conv_.frame_planar(f, Border::zero, dy, framed);
  frame_blocks(f, Border::zero, dy, framed, [](std::int64_t, const float* from, float*) { return from; });
}

void ConvStage::forward(const float* x, const NormParameters& parameters, const float* packed,
                        const float* bias, float* moments, float* y) const {
  if (shape_.entry.norm == Entry::Norm::instance) norm().find_moments(isa_, x, moments);
  float* framed = stage_scratch().source.at_least(source_frame().floats());
  enter(x, parameters, moments, framed);
  if (shape_.direction == ConvDirection::forward)
    conv_.forward(framed, packed, bias, y);
  else
    conv_.input_gradient(framed, packed, Region::image, bias, y);
}

// From the gradient of what was convolved, its border too where that was mirrored, to that of x.
void ConvStage::leave(const float* x, const NormParameters& parameters, const float* moments, float* gradient,
                      float* dx, float* sums) const {
  const Frame f = source();
  const NormActivation entry = norm();
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
      norms_->activate_gradient(pixels, from, image, entry.of_plane(i, parameters, moments),
                                shape_.entry.slope, to, sums == nullptr ? nullptr : sums + i * 2 * kBlock);
    else if (shape_.entry.slope != 1)
      norms_->relu_gradient(pixels, from, image, shape_.entry.slope, to);
  });
}

void ConvStage::backward(const float* x, const NormParameters& parameters, const float* moments,
                         const float* packed_back, const float* dy, float* dx, float* dw, float* sums) const {
  StageScratch& scratch = stage_scratch();
  float* framed_dy = scratch.result.at_least(result_frame().floats());
  enter_gradient(dy, framed_dy);
  const bool forwards = shape_.direction == ConvDirection::forward;
  if (dw != nullptr) {
    float* framed_x = scratch.source.at_least(source_frame().floats());
    enter(x, parameters, moments, framed_x);
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
  if (changes) leave(x, parameters, moments, gradient, dx, sums);
}

}  // namespace torsor
