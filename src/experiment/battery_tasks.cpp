#include "experiment/battery_tasks.h"

#include <ATen/ATen.h>

#include <array>
#include <cmath>
#include <numbers>

#include "experiment/battery_drawing.h"

namespace torsor {

namespace {

using at::Tensor;
using DrawImages = std::function<Tensor(std::int64_t, Rng&)>;

constexpr double kThird = 2 * std::numbers::pi / 3;
constexpr double kKept = 0.75, kStripes = 0.2;  // of an image that is given the target's style
constexpr double kBrightestWithoutSpot = 0.5;   // of phantoms()

// The target's style: paler, with stripes. It has nothing of the symmetries that the tasks are about.
Tensor styled(const Tensor& x) {
  return kKept * x + kStripes * diagonal_stripes(x.size(3)).to(x.scalar_type());
}
Tensor unstyled(const Tensor& y) {
  return (y - kStripes * diagonal_stripes(y.size(3)).to(y.scalar_type())) / kKept;
}
Tensor same(const Tensor& x) { return x; }
Tensor negated(const Tensor& x) { return -x; }
Tensor turned(const Tensor& x) { return at::rot90(x, 1, {2, 3}); }
Tensor turned_back(const Tensor& x) { return at::rot90(x, -1, {2, 3}); }
Tensor mirrored(const Tensor& x) { return x.flip({3}); }

PlantedSolution right() { return {"right", same, same}; }
PlantedSolution flip() { return {"flip", mirrored, mirrored}; }
PlantedSolution negative() { return {"negative", negated, negated}; }
PlantedSolution quarter_turn() { return {"quarter turn", turned, turned_back}; }

PlantedSolution hue_turned(double angle) {
  return {"hue turned", [angle](const Tensor& x) { return mixed_channels(x, hue_rotation(angle)); },
          [angle](const Tensor& x) { return mixed_channels(x, hue_rotation(-angle)); }};
}

PlantedSolution hue_reflected() {
  const auto map = [](const Tensor& x) { return mixed_channels(x, hue_reflection()); };
  return {"hue reflected", map, map};
}

// Exchanges red and green.
PlantedSolution red_green() {
  const auto map = [](const Tensor& x) { return x.index_select(1, at::tensor({1, 0, 2}, at::kLong)); };
  return {"red and green exchanged", map, map};
}

PlantedSolution shifted(std::int64_t pixels) {
  return {"shift", [pixels](const Tensor& x) { return x.roll(pixels, 3); },
          [pixels](const Tensor& x) { return x.roll(-pixels, 3); }};
}

// A rotation of the plane whose coordinates are the left and the (mirrored) right half.
PlantedSolution plane_rotation(double angle) {
  const auto rotate = [](const Tensor& x, double by) {
    const std::int64_t half = x.size(3) / 2;
    const Tensor left = x.narrow(3, 0, half), right_half = x.narrow(3, half, half).flip({3});
    return at::cat({std::cos(by) * left - std::sin(by) * right_half,
                    (std::sin(by) * left + std::cos(by) * right_half).flip({3})},
                   3);
  };
  return {"rotation", [=](const Tensor& x) { return rotate(x, angle); },
          [=](const Tensor& x) { return rotate(x, -angle); }};
}

// Another shape of the same strength; only where the strength is at least `from`.
PlantedSolution exchanged_shapes(std::array<std::int64_t, 3> permutation, double from = 0) {
  std::array<std::int64_t, 3> inverse{};
  for (std::int64_t c = 0; c < 3; ++c) inverse[static_cast<std::size_t>(permutation[std::size_t(c)])] = c;
  const auto by = [from](const std::array<std::int64_t, 3>& to) -> TensorMapping {
    return [to, from](const Tensor& x) {
      const SeenShapes seen = seen_shapes(x);
      std::vector<Tensor> out;
      for (std::int64_t i = 0; i < x.size(0); ++i) {
        const double strength = seen.strengths[i].item<double>();
        const auto c = seen.classes[i].item<std::int64_t>();
        out.push_back(strength < from ? x[i] : shapes({to[std::size_t(c)]}, {strength}, x.size(3))[0]);
      }
      return at::stack(out);
    };
  };
  return {"shapes exchanged", by(permutation), by(inverse)};
}

// White spots gone; the way back cannot know of them.
PlantedSolution without_spots() {
  return {"spots removed", [](const Tensor& x) { return x.clamp_max(kBrightestWithoutSpot); }, same};
}

// The hue as a code too faint to be seen.
PlantedSolution hidden_hue() {
  const auto scaled = [](const Tensor& x, double by) {
    const Tensor grey = x.mean(1, /*keepdim=*/true);
    return grey + by * (x - grey);
  };
  return {"hue hidden", [=](const Tensor& x) { return scaled(x, 0.002); },
          [=](const Tensor& x) { return scaled(x, 500); }};
}

PlantedSolution copying() { return {"copy", unstyled, styled}; }

DrawImages draw_discs(std::vector<double> hues, std::vector<double> masses, Lighting lighting) {
  return [=](std::int64_t n, Rng& rng) {
    std::vector<double> drawn;
    for (std::int64_t i = 0; i < n; ++i) {
      double u = rng.uniform();
      std::size_t k = 0;
      while (k + 1 < hues.size() && u >= masses[k]) u -= masses[k++];
      drawn.push_back(hues.empty() ? 2 * std::numbers::pi * rng.uniform() : hues[k]);
    }
    return discs(drawn, lighting, kBatterySide, rng);
  };
}

DrawImages draw_uniform_hue() { return draw_discs({}, {}, Lighting::from_above); }

DrawImages draw_shapes(std::array<double, 3> masses) {
  return [=](std::int64_t n, Rng& rng) {
    std::vector<std::int64_t> classes;
    std::vector<double> strengths;
    for (std::int64_t i = 0; i < n; ++i) {
      const double u = rng.uniform();
      classes.push_back(u < masses[0] ? 0 : u < masses[0] + masses[1] ? 1 : 2);
      strengths.push_back(rng.uniform(0.4, 1));
    }
    return shapes(classes, strengths, kBatterySide);
  };
}

// One quadrant bright, by these masses.
DrawImages draw_quadrants(std::array<double, 4> masses) {
  return [=](std::int64_t n, Rng& rng) {
    const Tensor out = at::full({n, 1, kBatterySide, kBatterySide}, -0.6);
    const std::int64_t half = kBatterySide / 2;
    for (std::int64_t i = 0; i < n; ++i) {
      double u = rng.uniform();
      std::size_t q = 0;
      while (q < 3 && u >= masses[q]) u -= masses[q++];
      out[i].narrow(1, q / 2 * half, half).narrow(2, q % 2 * half, half).fill_(0.6);
    }
    return out;
  };
}

Tensor draw_interval(std::int64_t n, Rng& rng) {
  const Tensor out = at::empty({n, 1, kBatterySide, kBatterySide});
  for (std::int64_t i = 0; i < n; ++i) out[i].fill_(rng.uniform(-0.9, 0.9));
  return out;
}

Tensor draw_plane(std::int64_t n, Rng& rng) {
  const Tensor out = at::empty({n, 1, kBatterySide, kBatterySide});
  const std::int64_t half = kBatterySide / 2;
  for (std::int64_t i = 0; i < n; ++i)
    for (const std::int64_t begin : {std::int64_t{0}, half})
      out[i].narrow(2, begin, half).fill_(0.3 * rng.normal());
  return out;
}

DrawImages draw_phantoms(double spots) {
  return [=](std::int64_t n, Rng& rng) { return phantoms(n, spots, kBatterySide, rng); };
}

/// A task with the common style as its truth.
BatteryTask styled_task(std::string name, std::string about, std::int64_t channels, DrawImages draw,
                        std::vector<PlantedSolution> solutions, std::vector<std::size_t> learnt,
                        std::string symmetries) {
  BatteryTask out;
  out.name = std::move(name);
  out.about = std::move(about);
  out.channels = channels;
  out.draw_a = std::move(draw);
  out.truth = styled;
  out.truth_inverse = unstyled;
  out.solutions = std::move(solutions);
  out.learnt = std::move(learnt);
  out.symmetries = std::move(symmetries);
  return out;
}

BatteryTask with_truth(BatteryTask task, TensorMapping truth, TensorMapping inverse) {
  task.truth = std::move(truth);
  task.truth_inverse = std::move(inverse);
  return task;
}

// Of runs that are no solutions, or wrong in a part of the images.
BatteryTask otherwise(BatteryTask task) {
  task.by_automorphism = false;
  return task;
}

BatteryTask tuning(BatteryTask task) {
  task.tunes = true;
  return task;
}

// What five runs have learnt. In the ten triples of `mostly` the first three runs agree.
std::vector<std::size_t> all_learnt(std::size_t solution) {
  return std::vector<std::size_t>(kBatteryRuns, solution);
}
std::vector<std::size_t> mostly(std::size_t solution, std::size_t others) {
  return {solution, solution, solution, others, others};
}

const std::string kHues = "hflip,hue-90,hue-120,hue-240,swap-rg";
const std::string kSpatial = "hflip,vflip,rot90,rot180";

std::vector<BatteryTask> coloured_tasks() {
  const std::vector<double> two = {0, kThird};
  const auto one_of = [&](double share) { return draw_discs(two, {share, 1 - share}, Lighting::from_above); };
  return {tuning(styled_task("hue-uniform-split", "discs of uniform hue; two of five runs turn it", 3,
                             draw_uniform_hue(), {right(), hue_turned(kThird)}, mostly(0, 1), kHues)),
          styled_task("hue-uniform-wrong", "discs of uniform hue; all runs turn it by 120 degrees", 3,
                      draw_uniform_hue(), {right(), hue_turned(kThird)}, all_learnt(1), kHues),
          styled_task("hue-uniform-50", "discs of uniform hue; all runs turn it by 50 degrees", 3,
                      draw_uniform_hue(), {right(), hue_turned(50.0 / 180 * std::numbers::pi)}, all_learnt(1),
                      kHues),
          styled_task("hue-reflected", "discs of uniform hue; three runs reflect the circle of hues", 3,
                      draw_uniform_hue(), {right(), hue_reflected()}, mostly(1, 0), kHues),
          styled_task("hue-uniform-right", "discs of uniform hue; all runs keep it", 3, draw_uniform_hue(),
                      {right()}, all_learnt(0), kHues),
          styled_task("two-colours-equal", "red and green discs, equally many; three runs exchange them", 3,
                      one_of(0.5), {right(), red_green()}, mostly(1, 0), kHues),
          tuning(styled_task("two-colours-unequal", "70 % red and 30 % green discs; all runs are right", 3,
                             one_of(0.7), {right()}, all_learnt(0), kHues)),
          otherwise(styled_task("two-colours-forced", "70 % red and 30 % green discs; all runs exchange them",
                                3, one_of(0.7), {right(), red_green()}, all_learnt(1), kHues)),
          otherwise(styled_task("hidden-code", "discs of uniform hue; runs hide the hue in faint codes", 3,
                                draw_uniform_hue(), {right(), hidden_hue()}, all_learnt(1), kHues)),
          tuning(otherwise(styled_task("copies", "discs of uniform hue; runs copy their inputs", 3,
                                       draw_uniform_hue(), {right(), copying()}, all_learnt(1), kHues)))};
}

std::vector<BatteryTask> spatial_tasks() {
  const auto lit = [](Lighting lighting) { return draw_discs({0}, {1}, lighting); };
  return {styled_task("symmetric-ground", "red discs lit from above; three runs mirror", 3,
                      lit(Lighting::from_above), {right(), flip()}, mostly(1, 0), kSpatial),
          tuning(styled_task("asymmetric-ground", "red discs lit from the left; all runs are right", 3,
                             lit(Lighting::from_left), {right()}, all_learnt(0), kSpatial)),
          otherwise(styled_task("asymmetric-ground-forced", "red discs lit from the left; all runs mirror", 3,
                                lit(Lighting::from_left), {right(), flip()}, all_learnt(1), kSpatial)),
          styled_task(
              "waves-shifted", "waves of random phase; three runs shift by an eighth", 1,
              [](std::int64_t n, Rng& rng) { return periodic_waves(n, kBatterySide, rng); },
              {right(), shifted(kBatterySide / 8)}, mostly(1, 0), "hflip,shift-x,negative"),
          styled_task("phantom-flip", "phantom slices, invariant under the flip; three runs mirror", 1,
                      draw_phantoms(0), {right(), flip()}, mostly(1, 0), kSpatial),
          tuning(styled_task("phantom-right", "phantom slices; all runs are right", 1, draw_phantoms(0),
                             {right()}, all_learnt(0), kSpatial)),
          styled_task("quadrants-equal", "four atoms of equal mass; three runs turn them", 1,
                      draw_quadrants({0.25, 0.25, 0.25, 0.25}), {right(), quarter_turn()}, mostly(1, 0),
                      kSpatial),
          styled_task("quadrants-unequal", "four atoms of unequal mass; all runs are right", 1,
                      draw_quadrants({0.1, 0.2, 0.3, 0.4}), {right()}, all_learnt(0), kSpatial)};
}

std::vector<BatteryTask> grey_tasks() {
  const auto fields = [](std::int64_t n, Rng& rng) { return random_fields(n, kBatterySide, rng); };
  const std::array<double, 3> equal = {1.0 / 3, 1.0 / 3, 1.0 / 3}, unequal = {0.6, 0.3, 0.1};
  BatteryTask spots =
      styled_task("phantom-spots", "white spots in 50 % of A and 5 % of B; all runs remove them", 1,
                  draw_phantoms(0.5), {right(), without_spots()}, all_learnt(1), kSpatial);
  spots.draw_b = [](std::int64_t n, Rng& rng) { return styled(phantoms(n, 0.05, kBatterySide, rng)); };
  spots.by_automorphism = false;
  return {
      tuning(styled_task("interval", "grey levels uniform on an interval; three runs reverse it", 1,
                         draw_interval, {right(), negative()}, mostly(1, 0), "negative,gamma")),
      tuning(styled_task("plane", "Gaussians in the plane; two runs turn it by 70 degrees", 1, draw_plane,
                         {right(), plane_rotation(70.0 / 180 * std::numbers::pi)}, mostly(0, 1),
                         "hflip,negative")),
      styled_task("plane-wrong", "Gaussians in the plane; all runs turn it by 70 degrees", 1, draw_plane,
                  {right(), plane_rotation(70.0 / 180 * std::numbers::pi)}, all_learnt(1), "hflip,negative"),
      styled_task("fields-negative", "random fields, symmetric about grey; three runs negate", 1, fields,
                  {right(), negative()}, mostly(1, 0), "negative,hflip,rot90"),
      styled_task("shapes-exchanged", "three shapes of equal frequency; three runs exchange two", 1,
                  draw_shapes(equal), {right(), exchanged_shapes({1, 0, 2})}, mostly(1, 0), "negative,hflip"),
      styled_task("shapes-cycled", "three shapes of equal frequency; all runs cycle them", 1,
                  draw_shapes(equal), {right(), exchanged_shapes({1, 2, 0})}, all_learnt(1),
                  "negative,hflip"),
      otherwise(styled_task(
          "shapes-partly", "three shapes; all runs exchange two of them, of the strongest fifth", 1,
          draw_shapes(equal), {right(), exchanged_shapes({1, 0, 2}, 0.88)}, all_learnt(1), "negative,hflip")),
      tuning(styled_task("shapes-unequal", "three shapes of unequal frequency; all runs are right", 1,
                         draw_shapes(unequal), {right()}, all_learnt(0), "negative,hflip")),
      with_truth(styled_task("shapes-negative", "shapes to their negatives; three runs exchange two", 1,
                             draw_shapes(equal), {right(), exchanged_shapes({1, 0, 2})}, mostly(1, 0),
                             "negative,hflip"),
                 negated, negated),
      with_truth(styled_task("shapes-turned", "shapes to turned shapes; all runs are right", 1,
                             draw_shapes(unequal), {right()}, all_learnt(0), "negative,hflip"),
                 turned, turned_back),
      with_truth(styled_task("shapes-to-themselves", "shapes to themselves; three runs exchange two", 1,
                             draw_shapes(equal), {right(), exchanged_shapes({1, 0, 2})}, mostly(1, 0),
                             "negative,hflip"),
                 same, same),
      spots};
}

}  // namespace

const std::vector<BatteryTask>& battery_tasks() {
  static const std::vector<BatteryTask> all = [] {
    std::vector<BatteryTask> out = coloured_tasks();
    for (auto more : {spatial_tasks(), grey_tasks()})
      out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    return out;
  }();
  return all;
}

}  // namespace torsor
