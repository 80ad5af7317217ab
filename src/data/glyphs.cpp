#include "data/glyphs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "core/error.h"
#include "core/rng.h"

namespace torsor {

namespace {

struct GlyphPoint {
  double x = 0, y = 0;
};

using Stroke = std::vector<GlyphPoint>;

Stroke arc(GlyphPoint centre, double radius, double from, double to) {
  constexpr int kPieces = 24;
  Stroke points;
  for (int i = 0; i <= kPieces; ++i) {
    const double a = from + (to - from) * i / kPieces;
    points.push_back({centre.x + radius * std::cos(a), centre.y + radius * std::sin(a)});
  }
  return points;
}

Stroke letter_u() {
  Stroke whole = {{-0.75, -0.85}};
  const Stroke bowl = arc({0, 0.1}, 0.75, std::numbers::pi, 0);
  whole.insert(whole.end(), bowl.begin(), bowl.end());
  whole.push_back({0.75, -0.85});
  return whole;
}

// In a square from -1 to 1, y downwards. No two are alike up to the affine changes of glyph_truth().
const std::vector<Stroke>& strokes_of(std::int64_t label) {
  constexpr double kTurn = 2 * std::numbers::pi;
  static const std::array<std::vector<Stroke>, kGlyphClasses> glyphs = {
      {{arc({0, 0}, 0.85, 0, kTurn)},                                                   // ring
       {{{0, -0.9}, {0, 0.9}}},                                                         // bar
       {{{-0.85, 0}, {0.85, 0}}, {{0, -0.85}, {0, 0.85}}},                              // plus
       {{{0, -0.9}, {0.85, 0.75}, {-0.85, 0.75}, {0, -0.9}}},                           // triangle
       {{{-0.75, -0.75}, {0.75, -0.75}, {0.75, 0.75}, {-0.75, 0.75}, {-0.75, -0.75}}},  // square
       {{{-0.75, -0.85}, {0.75, 0.85}}, {{0.75, -0.85}, {-0.75, 0.85}}},                // cross
       {{{-0.8, -0.85}, {0.8, -0.85}}, {{0, -0.85}, {0, 0.9}}},                         // T
       {{{-0.6, -0.9}, {-0.6, 0.85}, {0.75, 0.85}}},                                    // L
       {{{-0.7, -0.85}, {0.7, -0.85}, {-0.7, 0.85}, {0.7, 0.85}}},                      // Z
       {letter_u()}}};
  return glyphs[static_cast<std::size_t>(label)];
}

double distance_to_segment(GlyphPoint p, GlyphPoint a, GlyphPoint b) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  const double t =
      std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / std::max(1e-12, dx * dx + dy * dy), 0.0, 1.0);
  return std::hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

// From the glyph's square to the image, in fractions of the side.
GlyphPoint placed(const GlyphTruth& t, GlyphPoint p) {
  constexpr double kReach = 0.31;  // of a glyph from the middle
  const double x = kReach * t.scale_x * (p.x + t.shear * p.y), y = kReach * t.scale_y * p.y;
  const double c = std::cos(t.angle), s = std::sin(t.angle);
  return {0.5 + t.shift_x + c * x - s * y, 0.5 + t.shift_y + s * x + c * y};
}

class GlyphSource : public LabelledSource {
 public:
  GlyphSource(Domain domain, Split split, std::uint64_t seed, std::int64_t count, std::int64_t size)
      : domain_(domain), split_(split), seed_(seed), count_(count), side_(size) {}

  std::int64_t size() const override { return count_; }
  std::int64_t label(std::int64_t index) const override { return truth(index).label; }
  Image read(std::int64_t index) const override {
    if (index < 0 || index >= count_)
      fail("glyphs: there is no image {}; ask for 0 to {}", index, count_ - 1);
    return render_glyph(truth(index), side_);
  }
  std::string name(std::int64_t index) const override { return generated_file_name(domain_, split_, index); }

 private:
  GlyphTruth truth(std::int64_t index) const { return glyph_truth(domain_, split_, seed_, index); }

  Domain domain_;
  Split split_;
  std::uint64_t seed_;
  std::int64_t count_, side_;
};

}  // namespace

GlyphTruth glyph_truth(Domain domain, Split split, std::uint64_t seed, std::int64_t index) {
  Rng rng(derive_seed(seed, generated_stream("glyphs", domain, split), {static_cast<std::uint64_t>(index)}));
  GlyphTruth t;
  t.label = rng.index(kGlyphClasses);
  t.angle = rng.uniform(-0.26, 0.26);  // 15 degrees
  t.shear = rng.uniform(-0.25, 0.25);
  t.scale_x = rng.uniform(0.7, 1.05);
  t.scale_y = rng.uniform(0.8, 1.05);
  t.shift_x = rng.uniform(-0.06, 0.06);
  t.shift_y = rng.uniform(-0.06, 0.06);
  t.width = rng.uniform(0.06, 0.13);
  return t;
}

Image render_glyph(const GlyphTruth& truth, std::int64_t size) {
  constexpr std::int64_t kMinSide = 16;
  if (size < kMinSide)
    fail_usage("glyphs of {0} x {0} pixels cannot be drawn; the side must be at least {1}", size, kMinSide);
  if (truth.label < 0 || truth.label >= kGlyphClasses)
    fail_usage("there is no glyph {}; give 0 to {}", truth.label, kGlyphClasses - 1);
  std::vector<std::pair<GlyphPoint, GlyphPoint>> segments;
  for (const Stroke& stroke : strokes_of(truth.label))
    for (std::size_t i = 1; i < stroke.size(); ++i)
      segments.emplace_back(placed(truth, stroke[i - 1]), placed(truth, stroke[i]));
  Image image = Image::blank(size, size, 1);
  const auto side = static_cast<double>(size);
  for (std::int64_t y = 0; y < size; ++y)
    for (std::int64_t x = 0; x < size; ++x) {
      const GlyphPoint p{(static_cast<double>(x) + 0.5) / side, (static_cast<double>(y) + 0.5) / side};
      double nearest = 2;
      for (const auto& [a, b] : segments) nearest = std::min(nearest, distance_to_segment(p, a, b));
      const double covered = std::clamp(0.5 + (truth.width / 2 - nearest) * side, 0.0, 1.0);
      image.u8()[y * size + x] = static_cast<std::uint8_t>(std::lround(255 * covered));
    }
  return image;
}

std::unique_ptr<LabelledSource> make_glyph_source(Domain domain, Split split, std::uint64_t seed,
                                                  std::int64_t count, std::int64_t size) {
  if (count < 1) fail_usage("{} generated images asked for; the count must be at least 1", count);
  render_glyph({}, size);
  return std::make_unique<GlyphSource>(domain, split, seed, count, size);
}

}  // namespace torsor
