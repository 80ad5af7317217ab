#include "data/phantom.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/rng.h"
#include "image/convert.h"

namespace torsor {

namespace {

constexpr double kTau = 6.283185307179586;
constexpr int kPixelSamples = 3;  // per axis
constexpr int kFoldsAround = 14;

// Samples as shares of white: of what a slice is made of.
struct Contrast {
  double white_matter, grey_matter, fluid, nucleus, lesion;
};
constexpr Contrast kT1{0.82, 0.58, 0.18, 0.68, 0.5}, kFlair{0.5, 0.64, 0.1, 0.57, 0.95};

struct BrainPoint {
  double x, y;
};

bool lies_in(const PhantomPart& part, BrainPoint p) {
  const double c = std::cos(part.angle), s = std::sin(part.angle), dx = p.x - part.x, dy = p.y - part.y;
  const double u = (c * dx + s * dy) / part.half_width, v = (c * dy - s * dx) / part.half_height;
  return u * u + v * v < 1;
}

bool lies_in(const std::vector<PhantomPart>& parts, BrainPoint p) {
  return std::any_of(parts.begin(), parts.end(), [&](const PhantomPart& part) { return lies_in(part, p); });
}

// Of the unflipped slice at a point of the image in fractions of its side.
double sample_at(const PhantomTruth& t, const Contrast& contrast, double x, double y) {
  const double c = std::cos(t.angle), s = std::sin(t.angle), dx = x - t.center_x, dy = y - t.center_y;
  const BrainPoint p{(c * dx + s * dy) / t.half_width, (c * dy - s * dx) / t.half_height};
  const double radius = std::hypot(p.x, p.y);
  if (radius >= 1) return 0;
  if (lies_in(t.ventricles, p)) return contrast.fluid;
  const double fold = std::sin(kFoldsAround * std::atan2(p.y, p.x) + t.fold_phase);
  if (radius > 1 - t.cortex + t.folds * fold) return contrast.grey_matter;
  if (lies_in(t.lesions, p)) return contrast.lesion;
  return lies_in(t.nuclei, p) ? contrast.nucleus : contrast.white_matter;
}

void check_side(std::int64_t size) {
  constexpr std::int64_t kLeastSide = 16;
  if (size < kLeastSide)
    fail_usage("t1-flair images of {0} x {0} pixels cannot be drawn; the side must be at least {1}", size,
               kLeastSide);
}

}  // namespace

PhantomTruth phantom_truth(Domain domain, Split split, std::uint64_t seed, std::int64_t index) {
  const Domain drawn_as = split == Split::test ? Domain::a : domain;
  Rng rng(
      derive_seed(seed, generated_stream("phantom", drawn_as, split), {static_cast<std::uint64_t>(index)}));
  PhantomTruth t;
  t.center_x = rng.uniform(0.47, 0.53);
  t.center_y = rng.uniform(0.48, 0.52);
  t.half_width = rng.uniform(0.31, 0.37);
  t.half_height = rng.uniform(0.38, 0.44);
  t.angle = rng.uniform(-0.12, 0.12);
  t.cortex = rng.uniform(0.16, 0.24);
  t.folds = rng.uniform(0.03, 0.07);
  t.fold_phase = rng.uniform(0, kTau);
  t.gain = rng.uniform(0.85, 1);
  const double height = rng.uniform(0.22, 0.34), wide = rng.uniform(0.13, 0.19);
  const double lean = rng.uniform(0.1, 0.35), narrow = wide * rng.uniform(0.45, 0.75);
  t.ventricles = {{-0.17, -0.05, wide, height, -lean}, {0.15, -0.05, narrow, 0.85 * height, lean}};
  const double nucleus = rng.uniform(0.1, 0.14);
  t.nuclei = {{-0.38, 0.12, nucleus, 1.6 * nucleus, 0.3}, {0.36, 0.12, nucleus, 1.6 * nucleus, -0.3}};
  const std::int64_t lesions = 1 + rng.index(4);
  for (std::int64_t i = 0; i < lesions; ++i) {
    const double side = rng.uniform() < 0.75 ? -1 : 1;
    const double x = side * rng.uniform(0.2, 0.55), y = rng.uniform(-0.5, 0.5),
                 size = rng.uniform(0.05, 0.12);
    t.lesions.push_back({x, y, size, size * rng.uniform(0.7, 1.4), rng.uniform(0, kTau)});
  }
  t.flipped = rng.coin();
  return t;
}

Image render_phantom(Domain domain, const PhantomTruth& truth, std::int64_t size) {
  check_side(size);
  const Contrast& contrast = domain == Domain::a ? kT1 : kFlair;
  Image image = Image::blank(size, size, 1);
  const double step = 1.0 / static_cast<double>(kPixelSamples * size);
  for (std::int64_t y = 0; y < size; ++y)
    for (std::int64_t x = 0; x < size; ++x) {
      double sum = 0;
      for (int j = 0; j < kPixelSamples; ++j)
        for (int i = 0; i < kPixelSamples; ++i)
          sum += sample_at(truth, contrast, (static_cast<double>(x * kPixelSamples + i) + 0.5) * step,
                           (static_cast<double>(y * kPixelSamples + j) + 0.5) * step);
      const double mean = truth.gain * sum / (kPixelSamples * kPixelSamples);
      image.u8()[y * size + x] = static_cast<std::uint8_t>(std::lround(255 * mean));
    }
  return truth.flipped ? flip_horizontal(image) : image;
}

std::unique_ptr<ImageSource> make_phantom_partners(Split split, std::uint64_t seed, std::int64_t count,
                                                   std::int64_t size) {
  check_side(size);
  return make_drawn_source("t1-flair", Domain::b, split, count, [=](std::int64_t index) {
    return render_phantom(Domain::b, phantom_truth(Domain::a, split, seed, index), size);
  });
}

std::unique_ptr<ImageSource> make_phantom_source(Domain domain, Split split, std::uint64_t seed,
                                                 std::int64_t count, std::int64_t size) {
  check_side(size);
  return make_drawn_source("t1-flair", domain, split, count, [=](std::int64_t index) {
    return render_phantom(domain, phantom_truth(domain, split, seed, index), size);
  });
}

}  // namespace torsor
