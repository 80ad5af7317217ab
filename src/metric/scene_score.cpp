#include "metric/scene_score.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "core/error.h"
#include "core/registry.h"

namespace torsor {

namespace {

constexpr double kPi = std::numbers::pi;
constexpr const char* kSolidStriped = "solid-striped";
constexpr double kMaxRadius = 0.4;  // beyond, no background is left to compare

using Values = std::vector<double>;  // one per pixel of a square picture, row by row
using Mask = std::vector<char>;      // likewise; 1 = object

struct Point {
  double x = 0, y = 0;  // fractions of the side
};

/// The middle of a pixel, counted row by row.
Point middle(std::size_t pixel, std::int64_t size) {
  const auto side = static_cast<std::size_t>(size);
  const double scale = 1 / static_cast<double>(size);
  return {(static_cast<double>(pixel % side) + 0.5) * scale,
          (static_cast<double>(pixel / side) + 0.5) * scale};
}

/// Largest minus smallest channel of a pixel, in [0, 1].
double colorfulness(const Image& image, std::size_t pixel) {
  const auto [low, high] = std::minmax_element(image.u8() + 3 * pixel, image.u8() + 3 * pixel + 3);
  return (*high - *low) / 255.0;
}

double smallest_channel(const Image& image, std::size_t pixel) {
  return *std::min_element(image.u8() + 3 * pixel, image.u8() + 3 * pixel + 3) / 255.0;
}

/// The value below which `share` of the values lie.
double quantile(Values values, double share) {
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

Mask above(const Values& values, double threshold) {
  Mask mask(values.size());
  std::transform(values.begin(), values.end(), mask.begin(),
                 [threshold](double value) { return value >= threshold; });
  return mask;
}

/// The largest 4-connected region: stray specks are the background's fault, not the object's.
Mask largest_region(const Mask& mask, std::int64_t size) {
  std::vector<int> label(mask.size(), 0);
  std::vector<std::size_t> open;
  int labels = 0, best = 0;
  std::size_t best_count = 0;
  for (std::size_t start = 0; start < mask.size(); ++start) {
    if (!mask[start] || label[start]) continue;
    label[start] = ++labels;
    open.assign(1, start);
    std::size_t count = 0;
    const auto visit = [&](std::size_t pixel) {
      if (!mask[pixel] || label[pixel]) return;
      label[pixel] = labels;
      open.push_back(pixel);
    };
    const auto side = static_cast<std::size_t>(size);
    while (!open.empty()) {
      const std::size_t pixel = open.back();
      open.pop_back();
      ++count;
      if (pixel % side > 0) visit(pixel - 1);
      if (pixel % side + 1 < side) visit(pixel + 1);
      if (pixel >= side) visit(pixel - side);
      if (pixel + side < mask.size()) visit(pixel + side);
    }
    if (count > best_count) best = labels, best_count = count;
  }
  Mask region(mask.size());
  std::transform(label.begin(), label.end(), region.begin(), [best](int l) { return best > 0 && l == best; });
  return region;
}

struct Blob {
  double area = 0;  // fraction of the picture
  Point centroid;
};

Blob measure(const Mask& mask, std::int64_t size) {
  double count = 0, x = 0, y = 0;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (!mask[i]) continue;
    const Point at = middle(i, size);
    count += 1, x += at.x, y += at.y;
  }
  if (count == 0) return {};
  return {count / static_cast<double>(mask.size()), {x / count, y / count}};
}

enum class Outline { disc, square };

double outline_area(Outline outline, double radius) {
  return (outline == Outline::disc ? kPi : 4.0) * radius * radius;
}

/// Intersection over union of the mask and the outline of the blob's area around its centroid.
double overlap(const Mask& mask, std::int64_t size, const Blob& blob, Outline outline) {
  const double radius = std::sqrt(blob.area / outline_area(outline, 1));
  double both = 0, either = 0;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    const Point at = middle(i, size);
    const double dx = at.x - blob.centroid.x, dy = at.y - blob.centroid.y;
    const bool inside = outline == Outline::disc ? std::hypot(dx, dy) < radius
                                                 : std::max(std::abs(dx), std::abs(dy)) < radius;
    both += inside && mask[i];
    either += inside || mask[i];
  }
  return either > 0 ? both / either : 0;
}

double background_error(const SceneTruth& truth, const Image& input, const Image& output) {
  const double reach = truth.radius + kNeighbourhood;
  double sum = 0, count = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(input.width * input.height); ++i) {
    const Point at = middle(i, input.width);
    if (std::max(std::abs(at.x - truth.center_x), std::abs(at.y - truth.center_y)) < reach) continue;
    for (std::size_t c = 3 * i; c < 3 * i + 3; ++c) sum += std::abs(input.bytes[c] - output.bytes[c]);
    count += 3;
  }
  return sum / (255 * count);
}

/// Circular difference in degrees between the truth's hue and the mask's mean hue (of HSV), pixels weighted
/// by their colourfulness.
double hue_error(const Image& image, const Mask& mask, double true_hue) {
  std::complex<double> sum;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    const std::uint8_t* p = image.u8() + 3 * i;
    const double r = p[0], g = p[1], b = p[2];
    const double high = std::max({r, g, b}), chroma = high - std::min({r, g, b});
    if (!mask[i] || chroma == 0) continue;
    const double sextant = high == r   ? (g - b) / chroma
                           : high == g ? 2 + (b - r) / chroma
                                       : 4 + (r - g) / chroma;
    sum += std::polar(chroma, sextant * kPi / 3);
  }
  return std::abs(std::arg(sum * std::polar(1.0, -2 * kPi * true_hue))) * 180 / kPi;
}

/// One translation to judge.
struct Case {
  Domain target;
  const SceneTruth& truth;
  const Image& output;
};

/// The most colourful region; empty when nothing is colourful enough.
Mask find_colorful(const Image& output) {
  Values color(static_cast<std::size_t>(output.width * output.height));
  for (std::size_t i = 0; i < color.size(); ++i) color[i] = colorfulness(output, i);
  // The smallest object covers 15 % of the picture, so that the strongest 3 % lie inside it.
  const double strongest = quantile(color, 0.97);
  if (strongest < kMinColorfulness) return Mask(color.size());
  return largest_region(above(color, kObjectShare * strongest), output.width);
}

/// The largest region that differs from the bare landscape.
Mask find_on_landscape(const Case& the) {
  SceneTruth bare = the.truth;
  bare.radius = 0;
  const Image landscape = render_scene(kSolidStriped, the.target, bare, the.output.width);
  Values difference(static_cast<std::size_t>(landscape.width * landscape.height));
  for (std::size_t i = 0; i < difference.size(); ++i)
    for (std::size_t c = 3 * i; c < 3 * i + 3; ++c)
      difference[i] = std::max(difference[i], std::abs(the.output.bytes[c] - landscape.bytes[c]) / 255.0);
  return largest_region(above(difference, kObjectContrast), the.output.width);
}

/// A pixel in the middle of a disc.
struct Sample {
  std::size_t x, y;
  double weight;
  double colorfulness, smallest_channel;
};

/// The pixels of a disc that its blurred edge leaves alone: weights fall smoothly to 0 at 85 % of its radius.
std::vector<Sample> core_of_disc(const Image& image, const SceneTruth& truth) {
  std::vector<Sample> samples;
  const auto side = static_cast<std::size_t>(image.width);
  for (std::size_t i = 0; i < side * side; ++i) {
    const Point at = middle(i, image.width);
    const double from_centre =
        std::hypot(at.x - truth.center_x, at.y - truth.center_y) / (0.85 * truth.radius);
    if (from_centre >= 1) continue;
    const double weight = std::pow(std::cos(kPi / 2 * from_centre), 2);
    samples.push_back({i % side, i / side, weight, colorfulness(image, i), smallest_channel(image, i)});
  }
  return samples;
}

double total_weight(const std::vector<Sample>& samples) {
  double total = 0;
  for (const Sample& sample : samples) total += sample.weight;
  return total;
}

double weighted_mean(const std::vector<Sample>& samples, double Sample::*value) {
  double sum = 0;
  for (const Sample& sample : samples) sum += sample.weight * sample.*value;
  return sum / total_weight(samples);
}

/// exp(-2 pi i f x) at every pixel along one axis.
std::vector<std::complex<double>> waves_along(std::int64_t size, double frequency) {
  std::vector<std::complex<double>> waves;
  for (std::int64_t x = 0; x < size; ++x)
    waves.push_back(
        std::polar(1.0, -2 * kPi * frequency * static_cast<double>(x) / static_cast<double>(size)));
  return waves;
}

/// Amplitude of the strongest wave in the smallest channel, at any angle and phase, whose period is near the
/// drawn stripes'. Weighted, so that the disc's own outline does not pass for a wave.
double stripe_amplitude(const std::vector<Sample>& samples, std::int64_t size) {
  const double mean = weighted_mean(samples, &Sample::smallest_channel);
  double strongest = 0;
  for (int step = 0; step < 24; ++step)  // 7.5 degrees: well inside the width that the disc gives a peak
    for (const double stretch : {0.75, 0.87, 1.0, 1.15, 1.33}) {
      const double angle = kPi * step / 24, frequency = stretch / kStripePeriod;
      const auto across = waves_along(size, frequency * std::cos(angle));
      const auto down = waves_along(size, frequency * std::sin(angle));
      std::complex<double> sum;
      for (const Sample& at : samples)
        sum += at.weight * (at.smallest_channel - mean) * across[at.x] * down[at.y];
      strongest = std::max(strongest, 2 * std::abs(sum));
    }
  return strongest / total_weight(samples);
}

void place(SceneScore& score, const SceneTruth& truth, const Blob& blob, double true_area) {
  score.area_ratio = blob.area / true_area;
  score.offset =
      blob.area > 0 ? std::hypot(blob.centroid.x - truth.center_x, blob.centroid.y - truth.center_y) : 1;
  score.position = score.offset <= kMaxOffset;
}

bool right_area(const SceneScore& score) {
  return score.area_ratio >= kMinAreaRatio && score.area_ratio <= kMaxAreaRatio;
}

void judge_circle_or_square(SceneScore& score, const Case& the) {
  const Mask mask = find_colorful(the.output);
  const Blob blob = measure(mask, the.output.width);
  const Outline wanted = the.target == Domain::a ? Outline::disc : Outline::square;
  const Outline other = the.target == Domain::a ? Outline::square : Outline::disc;
  place(score, the.truth, blob, outline_area(wanted, the.truth.radius));
  score.shape_overlap = overlap(mask, the.output.width, blob, wanted);
  score.shape = right_area(score) && score.shape_overlap >= kMinShapeOverlap &&
                score.shape_overlap > overlap(mask, the.output.width, blob, other);
  if (blob.area > 0) score.hue_error = hue_error(the.output, mask, the.truth.hue);
}

void judge_solid_or_striped(SceneScore& score, const Case& the) {
  const Mask mask = find_on_landscape(the);
  const Blob blob = measure(mask, the.output.width);
  place(score, the.truth, blob, outline_area(Outline::disc, the.truth.radius));
  score.shape_overlap = overlap(mask, the.output.width, blob, Outline::disc);
  const std::vector<Sample> core = core_of_disc(the.output, the.truth);
  score.stripes = stripe_amplitude(core, the.output.width);
  const double color = weighted_mean(core, &Sample::colorfulness);
  const bool right_surface = the.target == Domain::a
                                 ? score.stripes <= kMaxSolidStripes && color >= kMinSolidColor
                                 : score.stripes >= kMinStripes;
  score.shape = right_area(score) && score.shape_overlap >= kMinDiscOverlap && right_surface;
  if (blob.area > 0) score.hue_error = hue_error(the.output, mask, the.truth.hue);
}

using Judge = void (*)(SceneScore&, const Case&);

const Registry<Judge>& judges() {
  static const Registry<Judge> table = [] {
    Registry<Judge> made("generated task");
    made.add("circles-squares", judge_circle_or_square);
    made.add(kSolidStriped, judge_solid_or_striped);
    return made;
  }();
  return table;
}

void check_image(const Image& image, const char* what, std::int64_t side) {
  if (image.type != PixelType::u8 || image.channels != 3 || image.width != side || image.height != side)
    fail("the {} of a generated scene to score has {}x{} pixels and {} channels; expected {}x{} of 8-bit RGB",
         what, image.width, image.height, image.channels, side, side);
}

}  // namespace

SceneScore score_scene(const std::string& task, Domain target, const SceneTruth& truth, const Image& input,
                       const Image& output) {
  const Judge judge = judges().at(task);
  if (!(truth.radius > 0 && truth.radius <= kMaxRadius))
    fail("a scene whose object has the radius {} cannot be scored; expected above 0, at most {}",
         truth.radius, kMaxRadius);
  check_image(input, "input", input.width);
  check_image(output, "output", input.width);
  SceneScore score;
  judge(score, {target, truth, output});
  score.background_error = background_error(truth, input, output);
  score.background = score.background_error <= kMaxBackgroundError;
  return score;
}

SceneSummary summarize(const std::vector<SceneScore>& scores) {
  if (scores.empty()) fail("there are no scene scores to summarize; score at least one image");
  SceneSummary summary;
  double hue_sum = 0, hues = 0;
  for (const SceneScore& score : scores) {
    summary.pass += score.pass();
    summary.shape += score.shape;
    summary.position += score.position;
    summary.background += score.background;
    hue_sum += score.hue_error.value_or(0);
    hues += score.hue_error.has_value();
  }
  summary.count = static_cast<std::int64_t>(scores.size());
  for (double* share : {&summary.pass, &summary.shape, &summary.position, &summary.background})
    *share /= static_cast<double>(summary.count);
  if (hues > 0) summary.hue_error = hue_sum / hues;
  return summary;
}

Json summary_json(const SceneSummary& summary) {
  return {{"pass", summary.pass},
          {"shape", summary.shape},
          {"position", summary.position},
          {"background", summary.background},
          {"hue_error", summary.hue_error ? Json(*summary.hue_error) : Json(nullptr)}};
}

}  // namespace torsor
