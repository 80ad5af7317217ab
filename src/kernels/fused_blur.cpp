#include "kernels/fused_blur.h"

#include <algorithm>
#include <stdexcept>

#include "kernels/blocked.h"
#include "kernels/parallel.h"

namespace torsor {

namespace {

void add(BlurTerms& to, BlurTerm term) { to.terms.at(to.count++) = term; }

// Of the results along one side of n pixels.
std::vector<BlurTerms> forward_terms(BlurDirection direction, std::int64_t n) {
  std::vector<BlurTerms> all;
  if (direction == BlurDirection::down) {
    for (std::int64_t centre = 0; centre < n; centre += 2) {
      const std::int64_t before = centre == 0 ? 1 : centre - 1, behind = centre + 1 < n ? centre + 1 : n - 2;
      all.push_back({{{{before, 0}, {centre, 1}, {behind, 2}}}, 3});
    }
    return all;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    all.push_back({{{{std::max<std::int64_t>(i - 1, 0), 3}, {i, 1}}}, 2});
    all.push_back({{{{i, 2}, {std::min(i + 1, n - 1), 0}}}, 2});
  }
  return all;
}

// Of the gradients of n pixels, from those of the results.
std::vector<BlurTerms> transposed(const std::vector<BlurTerms>& forward, std::int64_t n) {
  std::vector<BlurTerms> all(static_cast<std::size_t>(n));
  for (std::size_t result = 0; result < forward.size(); ++result)
    for (std::size_t i = 0; i < forward[result].count; ++i) {
      const BlurTerm& term = forward[result].terms[i];
      add(all[static_cast<std::size_t>(term.pixel)], {static_cast<std::int64_t>(result), term.tap});
    }
  return all;
}

// Thread-local: one plane, activated, or its gradient.
float* scratch_plane(std::int64_t pixels) {
  thread_local FloatBuffer scratch;
  return scratch.at_least(static_cast<std::size_t>(pixels * kBlock));
}

bool is_normed(const Prologue& prologue) { return prologue.norm == Prologue::Norm::instance; }

}  // namespace

bool is_supported(const BlurShape& s) {
  if (s.channels < kBlock || s.channels % kBlock != 0 || s.height * s.width < 1) return false;
  if (s.direction == BlurDirection::down) return std::min(s.height, s.width) > 1;
  return !is_normed(s.prologue) || s.height * s.width > 1;
}

FusedBlur::FusedBlur(const BlurShape& shape, Isa isa, const float* taps)
    : shape_(shape),
      norm_{shape.batch, shape.channels, shape.height * shape.width, shape.prologue.slope},
      isa_(isa) {
  if (!is_supported(shape)) throw std::logic_error("FusedBlur: unsupported shape");
  const std::int64_t floats = shape.side() * shape.side();
  to_blocked(1, shape.channels, floats, taps,
             taps_.at_least(static_cast<std::size_t>(shape.channels * floats)));
  forward_ = {forward_terms(shape.direction, shape.height), forward_terms(shape.direction, shape.width)};
  backward_ = {transposed(forward_.rows, shape.height), transposed(forward_.columns, shape.width)};
}

void FusedBlur::blur(const Grid& grid, std::int64_t plane, const float* source, std::int64_t source_width,
                     float* out) const {
  const BlurStages& stages = blur_stages(isa_);
  const std::int64_t side = shape_.side(), block = plane % (shape_.channels / kBlock),
                     row_floats = static_cast<std::int64_t>(grid.columns.size()) * kBlock;
  const float* taps = taps_.values() + block * side * side * kBlock;
  for (const BlurTerms& row : grid.rows) {
    stages.row(row, grid.columns, source, source_width, taps, side, out);
    out += row_floats;
  }
}

void FusedBlur::forward(const float* x, const NormParameters& parameters, float* moments, float* y) const {
  const NormStages& norms = norm_stages(isa_);
  const bool normed = is_normed(shape_.prologue);
  if (normed) norm_.compute_moments(isa_, x, moments);
  const std::int64_t floats = norm_.pixels * kBlock,
                     out_floats = shape_.out_height() * shape_.out_width() * kBlock;
  for_each_parallel(norm_.planes(), [&](std::int64_t i) {
    const float* source = x + i * floats;
    if (shape_.prologue.changes_values()) {
      float* plane = scratch_plane(norm_.pixels);
      const ChannelNorm norm =
          normed ? norm_.of_plane(i, parameters, moments) : ChannelNorm{nullptr, nullptr};
      norms.activate(norm_.pixels, source, norm, norm_.slope, plane);
      source = plane;
    }
    blur(forward_, i, source, shape_.width, y + i * out_floats);
  });
}

void FusedBlur::backward(const float* x, const NormParameters& parameters, const float* moments,
                         const float* dy, float* dx, float* sums) const {
  const NormStages& norms = norm_stages(isa_);
  const std::int64_t floats = norm_.pixels * kBlock,
                     out_floats = shape_.out_height() * shape_.out_width() * kBlock;
  for_each_parallel(norm_.planes(), [&](std::int64_t i) {
    const float* image = x + i * floats;
    float *to = dx + i * floats, *plane = shape_.prologue.changes_values() ? scratch_plane(norm_.pixels) : to;
    blur(backward_, i, dy + i * out_floats, shape_.out_width(), plane);
    if (is_normed(shape_.prologue))
      norms.activate_gradient(norm_.pixels, plane, image, norm_.of_plane(i, parameters, moments), norm_.slope,
                              to, sums == nullptr ? nullptr : sums + i * 2 * kBlock);
    else if (norm_.slope != 1)
      norms.relu_gradient(norm_.pixels, plane, image, norm_.slope, to);
  });
}

}  // namespace torsor
