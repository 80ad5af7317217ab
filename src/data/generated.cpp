#include "data/generated.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "core/registry.h"
#include "core/rng.h"
#include "core/text.h"
#include "data/glyphs.h"
#include "data/phantom.h"

namespace torsor {

namespace {

const std::string kGlyphs = "glyphs", kPhantom = "t1-flair";
constexpr double kPi = std::numbers::pi;
constexpr std::int64_t kMinSize = 16;        // below, squares and discs are the same few pixels
constexpr double kFrameMargin = 0.03;        // kept free between object and frame, as a fraction of the side
constexpr double kLevel = 0.5;               // mean of an object's three channels
constexpr double kChroma = 0.42;             // how far they reach from it; backgrounds stay far below
constexpr double kWhite = 0.97;              // of the stripes between the coloured ones
constexpr double kMaxStripeTilt = kPi / 12;  // from level
constexpr int kSubsamples = 4;               // per axis, where an object or its stripes cross a pixel

struct Color {
  double r = 0, g = 0, b = 0;
};

Color operator+(const Color& p, const Color& q) { return {p.r + q.r, p.g + q.g, p.b + q.b}; }
Color operator*(double k, const Color& p) { return {k * p.r, k * p.g, k * p.b}; }
Color mix(const Color& from, const Color& to, double share) { return (1 - share) * from + share * to; }
Color grey(double level) { return {level, level, level}; }

/// The colour of this hue: a point of a circle around the grey axis, so that a rotation or reflection of the
/// hues is a linear map of the colours and no hue is special.
Color vivid(double hue) {
  const auto channel = [hue](double third) {
    return kLevel + kChroma * std::cos(2 * kPi * (hue - third / 3));
  };
  return {channel(0), channel(1), channel(2)};
}

/// Random values on a lattice over the unit square, joined smoothly: a function of the place alone, so that a
/// scene is the same picture at every size.
class SmoothNoise {
 public:
  SmoothNoise(Rng& rng, int cells_x, int cells_y) : nx_(cells_x), ny_(cells_y) {
    values_.resize(static_cast<std::size_t>(nx_ + 1) * static_cast<std::size_t>(ny_ + 1));
    for (double& value : values_) value = rng.uniform(-1, 1);
  }

  /// In [-1, 1]; x and y in [0, 1].
  double at(double x, double y) const {
    const auto [i, s] = cell(x, nx_);
    const auto [j, t] = cell(y, ny_);
    const double* row = values_.data() + j * (nx_ + 1) + i;
    const double* next = row + nx_ + 1;
    return (1 - t) * ((1 - s) * row[0] + s * row[1]) + t * ((1 - s) * next[0] + s * next[1]);
  }

 private:
  struct Cell {
    int index;
    double share;
  };
  static Cell cell(double x, int cells) {
    const double at = std::clamp(x, 0.0, 1.0) * cells;
    const int index = std::min(static_cast<int>(at), cells - 1);
    const double t = at - index;
    return {index, t * t * t * (t * (6 * t - 15) + 10)};  // Perlin 2002: no kinks at the lattice lines
  }

  int nx_, ny_;
  std::vector<double> values_;
};

/// A drawing in progress; pixel (x, y) covers [x, x+1) / size of the unit square.
struct Canvas {
  explicit Canvas(std::int64_t side) : size(side), pixels(static_cast<std::size_t>(side * side)) {}
  Color& at(std::int64_t x, std::int64_t y) { return pixels[static_cast<std::size_t>(y * size + x)]; }

  std::int64_t size;
  std::vector<Color> pixels;
};

Image to_image(const Canvas& canvas) {
  Image image = Image::blank(canvas.size, canvas.size, 3);
  std::uint8_t* out = image.u8();
  const auto quantise = [](double v) {
    return static_cast<std::uint8_t>(std::lround(255 * std::clamp(v, 0.0, 1.0)));
  };
  for (const Color& pixel : canvas.pixels)
    for (const double value : {pixel.r, pixel.g, pixel.b}) *out++ = quantise(value);
  return image;
}

/// column_at(x) returns the colours of a column as a function of y: what depends on x alone is worked out
/// once.
template <class ColumnAt>
void paint(Canvas& canvas, ColumnAt column_at) {
  const auto side = static_cast<double>(canvas.size);
  for (std::int64_t x = 0; x < canvas.size; ++x) {
    const auto color_at = column_at((static_cast<double>(x) + 0.5) / side);
    for (std::int64_t y = 0; y < canvas.size; ++y)
      canvas.at(x, y) = color_at((static_cast<double>(y) + 0.5) / side);
  }
}

/// Strictly grey, so that a rotation of the hues leaves it as it is; always lit from above, so that an
/// inversion does not.
void paint_grey_backdrop(Canvas& canvas, std::uint64_t seed) {
  Rng rng(derive_seed(seed, "grey backdrop"));
  const double dark = rng.uniform(0.05, 0.26);
  const double light = dark + rng.uniform(0.1, 0.3);
  const double tilt = rng.uniform(-kPi / 4, kPi / 4);
  const double across = std::sin(tilt), down = -std::cos(tilt);
  const double reach = 0.5 * (std::abs(across) + std::abs(down));
  const SmoothNoise clouds(rng, 3, 3);
  paint(canvas, [&](double x) {
    return [&, x](double y) {
      const double share = 0.5 + 0.5 * ((x - 0.5) * across + (y - 0.5) * down) / reach;
      return grey(std::lerp(dark, light, share) + 0.05 * clouds.at(x, y));
    };
  });
}

struct Sky {
  Color zenith, horizon;
};

constexpr std::array<Sky, 4> kSkies{{{{0.32, 0.48, 0.66}, {0.64, 0.70, 0.74}},    // day
                                     {{0.30, 0.30, 0.44}, {0.74, 0.58, 0.50}},    // dusk
                                     {{0.46, 0.50, 0.54}, {0.66, 0.67, 0.67}},    // overcast
                                     {{0.20, 0.25, 0.38}, {0.42, 0.46, 0.54}}}};  // night
constexpr std::array<Color, 4> kGrounds{{{0.34, 0.42, 0.24},                      // meadow
                                         {0.48, 0.44, 0.30},                      // dry grass
                                         {0.42, 0.34, 0.27},                      // earth
                                         {0.56, 0.51, 0.43}}};                    // sand

/// A point between two entries of a palette.
template <class Entry, std::size_t N, class Mix>
Entry between(const std::array<Entry, N>& palette, Rng& rng, Mix mixed) {
  const auto first = static_cast<std::size_t>(rng.index(N));
  const auto second = static_cast<std::size_t>(rng.index(N));
  return mixed(palette[first], palette[second], rng.uniform());
}

/// Sky, two ranges of hills and a ground, all of muted colours.
void paint_landscape(Canvas& canvas, std::uint64_t seed) {
  Rng rng(derive_seed(seed, "landscape"));
  const Sky sky = between(kSkies, rng, [](const Sky& p, const Sky& q, double share) {
    return Sky{mix(p.zenith, q.zenith, share), mix(p.horizon, q.horizon, share)};
  });
  const Color ground = between(kGrounds, rng, mix);
  const double light = rng.uniform(0.75, 1.1);
  const double horizon = rng.uniform(0.4, 0.7);
  const double height = rng.uniform(0.06, 0.16);
  const SmoothNoise clouds(rng, 3, 9), far(rng, 4, 1), near(rng, 3, 1), fine(rng, 11, 1), soil(rng, 6, 18);
  const double pixel = 1.0 / static_cast<double>(canvas.size);
  const auto below = [pixel](double y, double ridge) {
    return std::clamp((y - ridge) / pixel + 0.5, 0.0, 1.0);
  };

  paint(canvas, [&](double x) {
    const double far_ridge = horizon - height * (0.9 + far.at(x, 0) + 0.15 * fine.at(x, 0));
    const double near_ridge = horizon - height * (0.1 + 0.5 * near.at(x, 0) + 0.1 * fine.at(x, 1));
    // Distance pales: far hills take on the horizon's colour, the ground grows darker towards the viewer.
    const Color hills = mix(0.6 * light * ground, sky.horizon, 0.55);
    return [&, x, far_ridge, near_ridge, hills](double y) {
      const double depth = std::clamp((y - near_ridge) / (1 - near_ridge), 0.0, 1.0);
      const Color air =
          mix(sky.zenith, sky.horizon, std::min(1.0, y / horizon)) + grey(0.05 * clouds.at(x, y));
      const Color field = (light * (1.0 - 0.35 * depth + 0.12 * soil.at(x, y))) * ground;
      return mix(mix(air, hills, below(y, far_ridge)), field, below(y, near_ridge));
    };
  });
}

/// Draws what `covers(dx, dy)` says lies in the object, in the colour `color_at(dx, dy)`; both take the
/// offset from its centre. Objects end within `reach` of the centre on either axis.
template <class Covers, class ColorAt>
void draw_object(Canvas& canvas, const SceneTruth& truth, double reach, Covers covers, ColorAt color_at) {
  const auto first = [&](double centre) {
    return std::clamp<std::int64_t>(std::floor((centre - reach) * canvas.size), 0, canvas.size);
  };
  const auto last = [&](double centre) {
    return std::clamp<std::int64_t>(std::ceil((centre + reach) * canvas.size), 0, canvas.size);
  };
  const double step = 1.0 / static_cast<double>(kSubsamples * canvas.size);
  for (std::int64_t y = first(truth.center_y); y < last(truth.center_y); ++y)
    for (std::int64_t x = first(truth.center_x); x < last(truth.center_x); ++x) {
      Color sum;
      int covered = 0;
      for (int j = 0; j < kSubsamples; ++j)
        for (int i = 0; i < kSubsamples; ++i) {
          const double dx = (x * kSubsamples + i + 0.5) * step - truth.center_x;
          const double dy = (y * kSubsamples + j + 0.5) * step - truth.center_y;
          if (!covers(dx, dy)) continue;
          sum = sum + color_at(dx, dy);
          ++covered;
        }
      constexpr double kShare = 1.0 / (kSubsamples * kSubsamples);
      canvas.at(x, y) = (1 - kShare * covered) * canvas.at(x, y) + kShare * sum;
    }
}

void draw_circle_or_square(Canvas& canvas, Domain domain, const SceneTruth& truth) {
  paint_grey_backdrop(canvas, truth.background);
  const double r = truth.radius;
  const auto color = [c = vivid(truth.hue)](double, double) { return c; };
  if (domain == Domain::a)
    draw_object(
        canvas, truth, r, [r](double dx, double dy) { return dx * dx + dy * dy < r * r; }, color);
  else
    draw_object(
        canvas, truth, r, [r](double dx, double dy) { return std::abs(dx) < r && std::abs(dy) < r; }, color);
}

void draw_solid_or_striped(Canvas& canvas, Domain domain, const SceneTruth& truth) {
  paint_landscape(canvas, truth.background);
  const double r = truth.radius;
  const Color color = vivid(truth.hue);
  const double across = std::cos(truth.stripe_angle), down = std::sin(truth.stripe_angle);
  const auto striped = [&](double dx, double dy) {
    const double phase = 2 * kPi * (dx * across + dy * down) / kStripePeriod + truth.stripe_phase;
    return std::cos(phase) > 0 ? color : grey(kWhite);
  };
  const auto solid = [&](double, double) { return color; };
  const auto disc = [r](double dx, double dy) { return dx * dx + dy * dy < r * r; };
  if (domain == Domain::a)
    draw_object(canvas, truth, r, disc, solid);
  else
    draw_object(canvas, truth, r, disc, striped);
}

struct Task {
  double min_radius, max_radius;
  void (*draw)(Canvas&, Domain, const SceneTruth&);
};

const Registry<Task>& tasks() {
  static const Registry<Task> table = [] {
    Registry<Task> made("generated task");
    // So large that at 32 pixels a square's corners are whole pixels.
    made.add("circles-squares", {0.22, 0.32, draw_circle_or_square});
    // Every disc shows at least two periods of stripes.
    made.add("solid-striped", {0.2, 0.32, draw_solid_or_striped});
    return made;
  }();
  return table;
}

[[noreturn]] void refuse_task(const std::string& task) {
  fail_usage("unknown generated task '{}'{} (one of {})", task, did_you_mean(task, generated_tasks()),
             join(generated_tasks()));
}

void check_size(std::int64_t size) {
  if (size < kMinSize)
    fail_usage("generated images of {0} x {0} pixels cannot be drawn; the side must be at least {1}", size,
               kMinSize);
}

}  // namespace

std::vector<std::string> scene_tasks() { return tasks().names(); }

std::vector<std::string> generated_tasks() {
  std::vector<std::string> names = scene_tasks();
  names.insert(names.end(), {kGlyphs, kPhantom});
  return names;
}

std::string generated_domain_name(const std::string& task, Domain domain) {
  const std::size_t dash = task.find('-');
  return domain == Domain::a || dash == std::string::npos ? task.substr(0, dash) : task.substr(dash + 1);
}

SceneTruth generated_truth(const std::string& task, Domain domain, Split split, std::uint64_t seed,
                           std::int64_t index) {
  const Task& drawn = tasks().at(task);
  const std::string stream = generated_stream(task, domain, split);
  Rng rng(derive_seed(seed, stream, {static_cast<std::uint64_t>(index)}));
  SceneTruth truth;
  truth.radius = rng.uniform(drawn.min_radius, drawn.max_radius);
  const double border = truth.radius + kFrameMargin;
  truth.center_x = rng.uniform(border, 1 - border);
  truth.center_y = rng.uniform(border, 1 - border);
  truth.hue = rng.uniform();
  truth.stripe_angle = kPi / 2 + rng.uniform(-kMaxStripeTilt, kMaxStripeTilt);
  truth.stripe_phase = rng.uniform(0, 2 * kPi);
  truth.background = derive_seed(seed, stream + "/background", {static_cast<std::uint64_t>(index)});
  return truth;
}

Image render_scene(const std::string& task, Domain domain, const SceneTruth& truth, std::int64_t size) {
  const Task& drawn = tasks().at(task);
  check_size(size);
  Canvas canvas(size);
  drawn.draw(canvas, domain, truth);
  return to_image(canvas);
}

std::unique_ptr<ImageSource> make_generated_source(const std::string& task, Domain domain, Split split,
                                                   std::uint64_t seed, std::int64_t count,
                                                   std::int64_t size) {
  if (task == kGlyphs) return make_glyph_source(domain, split, seed, count, size);
  if (task == kPhantom) return make_phantom_source(domain, split, seed, count, size);
  if (!tasks().has(task)) refuse_task(task);
  check_size(size);
  return make_drawn_source(task, domain, split, count, [=](std::int64_t index) {
    return render_scene(task, domain, generated_truth(task, domain, split, seed, index), size);
  });
}

std::unique_ptr<ImageSource> make_generated_partners(const std::string& task, Split split, std::uint64_t seed,
                                                     std::int64_t count, std::int64_t size) {
  if (task == kPhantom) return make_phantom_partners(split, seed, count, size);
  if (task == kGlyphs)
    fail_usage(
        "generated:{} has no pairs, its domains are the same glyphs drawn independently; use --pairing "
        "unpaired, or generated:{}, generated:{}",
        task, join(scene_tasks(), ", generated:"), kPhantom);
  if (!tasks().has(task)) refuse_task(task);
  check_size(size);
  return make_drawn_source(task, Domain::b, split, count, [=](std::int64_t index) {
    return render_scene(task, Domain::b, generated_truth(task, Domain::a, split, seed, index), size);
  });
}

}  // namespace torsor
