#include "audit/corrections.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>

#include "audit/group_cut.h"
#include "audit/image_distances.h"
#include "core/shuffle.h"

namespace torsor {

namespace {

constexpr std::int64_t kLeastGroupsToFit = 4;  // two in each half
constexpr std::int64_t kFitPixels = 100'000;   // of a half: bounds time, and is plenty for a few numbers
constexpr std::int64_t kCurveKnots = 32;
constexpr std::int64_t kLargestShift = 2;  // pixels
constexpr std::int64_t kSquaresPerSide = 16, kLeastSquare = 4;
constexpr double kRidge = 1e-6;         // keeps channels that are alike solvable
constexpr double kLeastSquares = 1e-6;  // and answers that are one colour: far below one pixel's square

using FittedCorrection = TensorMapping;
// Fits a correction of answers to targets, [N,C,H,W] each.
using CorrectionFit = std::function<FittedCorrection(const at::Tensor& answers, const at::Tensor& targets)>;
// [N]: how far answers are from their targets.
using CorrectionError = std::function<at::Tensor(const at::Tensor& answers, const at::Tensor& targets)>;

struct CorrectionHalves {
  at::Tensor first, second;  // places
};

CorrectionHalves correction_halves(const std::vector<std::int64_t>& groups, Rng& rng) {
  std::vector<std::int64_t> names = groups;
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  shuffle(names.begin(), std::ssize(names), rng);
  std::map<std::int64_t, bool> is_first;
  for (std::size_t k = 0; k < names.size(); ++k) is_first[names[k]] = k % 2 == 0;
  std::vector<std::int64_t> first, second;
  for (std::size_t i = 0; i < groups.size(); ++i)
    (is_first.at(groups[i]) ? first : second).push_back(static_cast<std::int64_t>(i));
  return {at::tensor(first, at::kLong), at::tensor(second, at::kLong)};
}

// Pixels as rows, at most kFitPixels of them at even steps: [N,C,H,W] -> [P,C] float64.
at::Tensor correction_pixels(const at::Tensor& images) {
  const at::Tensor rows = images.permute({0, 2, 3, 1}).reshape({-1, images.size(1)});
  const std::int64_t step = std::max<std::int64_t>(1, rows.size(0) / kFitPixels);
  return rows.slice(0, 0, rows.size(0), step).to(at::kDouble);
}

// The least squares solution w of x w = y, with a ridge in proportion to x: [P,K], [P,C] -> [K,C].
at::Tensor fitted_least_squares(const at::Tensor& x, const at::Tensor& y) {
  const at::Tensor products = at::mm(x.t(), x);
  const at::Tensor size = products.diagonal().mean() + kLeastSquares;
  const at::Tensor ridge = kRidge * size * at::eye(x.size(1), at::kDouble);
  return at::linalg_solve(products + ridge, at::mm(x.t(), y));
}

at::Tensor whole_error(const at::Tensor& answers, const at::Tensor& targets) {
  return image_distances(answers, targets).whole;
}

at::Tensor averaged_squares(const at::Tensor& images) {
  const std::int64_t shorter = std::min(images.size(2), images.size(3));
  const std::int64_t side = std::min(shorter, std::max(kLeastSquare, shorter / kSquaresPerSide));
  return at::avg_pool2d(images, side, side);
}

at::Tensor coarse_error(const at::Tensor& answers, const at::Tensor& targets) {
  return image_distances(averaged_squares(answers), averaged_squares(targets)).whole;
}

at::Tensor without_shift_border(const at::Tensor& images) {
  const auto without_border = [](const at::Tensor& x, std::int64_t dim) {
    const std::int64_t border = std::min(kLargestShift, (x.size(dim) - 1) / 2);
    return x.narrow(dim, border, x.size(dim) - 2 * border);
  };
  return without_border(without_border(images, 2), 3);
}

at::Tensor inner_error(const at::Tensor& answers, const at::Tensor& targets) {
  return image_distances(without_shift_border(answers), without_shift_border(targets)).whole;
}

// Values stay where those of the target are.
at::Tensor within_targets(const at::Tensor& values, const at::Tensor& low, const at::Tensor& high) {
  return at::min(at::max(values, low), high);
}

FittedCorrection fit_colour(const at::Tensor& answers, const at::Tensor& targets) {
  const at::Tensor x = correction_pixels(answers), y = correction_pixels(targets);
  const at::Tensor x_mean = x.mean(0), y_mean = y.mean(0);
  at::Tensor matrix = fitted_least_squares(x - x_mean, y - y_mean);  // [C,C]
  const at::Tensor made = at::mm(x - x_mean, matrix);
  matrix = matrix * (y.std(0, false) / made.std(0, false).clamp_min(1e-9)).unsqueeze(0);
  const at::Tensor shift = y_mean - at::mv(matrix.t(), x_mean);
  const at::Tensor low = targets.amin().to(at::kFloat), high = targets.amax().to(at::kFloat);
  return [matrix = matrix.to(at::kFloat), shift = shift.to(at::kFloat), low, high](const at::Tensor& images) {
    const at::Tensor moved = at::matmul(images.permute({0, 2, 3, 1}), matrix) + shift;
    return within_targets(moved.permute({0, 3, 1, 2}), low, high);
  };
}

// A piecewise-linear curve through (from, to), both increasing; beyond the ends it is constant.
at::Tensor along_curve(const at::Tensor& values, const at::Tensor& from, const at::Tensor& to) {
  if (from.numel() == 1) return at::full_like(values, to[0].item<double>());
  const at::Tensor x = values.clamp(from[0].item<double>(), from[-1].item<double>()).contiguous();
  const at::Tensor right = at::searchsorted(from, x).clamp(1, from.numel() - 1), left = right - 1;
  const at::Tensor x0 = from.take(left), y0 = to.take(left);
  return y0 + (to.take(right) - y0) * (x - x0) / (from.take(right) - x0);
}

// The knots of one channel: where several quantiles of the answers are one value, the mean of the targets'.
std::pair<at::Tensor, at::Tensor> knots_of(const at::Tensor& x, const at::Tensor& y) {
  const at::Tensor shares = at::linspace(0, 1, kCurveKnots, at::kDouble);
  const at::Tensor from = at::quantile(x, shares), to = at::quantile(y, shares);
  std::vector<double> knots, values;
  for (std::int64_t k = 0; k < kCurveKnots;) {
    const double knot = from[k].item<double>();
    double sum = 0;
    std::int64_t count = 0;
    for (; k < kCurveKnots && from[k].item<double>() == knot; ++k, ++count) sum += to[k].item<double>();
    knots.push_back(knot);
    values.push_back(sum / static_cast<double>(count));
  }
  return {at::tensor(knots, at::kDouble), at::tensor(values, at::kDouble)};
}

FittedCorrection fit_curve(const at::Tensor& answers, const at::Tensor& targets) {
  const at::Tensor x = correction_pixels(answers), y = correction_pixels(targets);
  std::vector<std::pair<at::Tensor, at::Tensor>> curves;
  for (std::int64_t c = 0; c < x.size(1); ++c) curves.push_back(knots_of(x.select(1, c), y.select(1, c)));
  return [curves](const at::Tensor& images) {
    std::vector<at::Tensor> channels;
    for (std::size_t c = 0; c < curves.size(); ++c)
      channels.push_back(along_curve(images.select(1, static_cast<std::int64_t>(c)).to(at::kDouble),
                                     curves[c].first, curves[c].second));
    return at::stack(channels, 1);
  };
}

// The candidate of the least mean error.
FittedCorrection best_correction(const std::vector<FittedCorrection>& candidates,
                                 const CorrectionError& error, const at::Tensor& answers,
                                 const at::Tensor& targets) {
  double least = std::numeric_limits<double>::infinity();
  const FittedCorrection* best = nullptr;
  for (const FittedCorrection& candidate : candidates) {
    const double mean = error(candidate(answers), targets).mean().item<double>();
    if (best != nullptr && mean >= least) continue;
    least = mean;
    best = &candidate;
  }
  return *best;
}

std::vector<FittedCorrection> small_shifts() {
  std::vector<FittedCorrection> out = {[](const at::Tensor& x) { return x; }};
  for (std::int64_t dy = -kLargestShift; dy <= kLargestShift; ++dy)
    for (std::int64_t dx = -kLargestShift; dx <= kLargestShift; ++dx)
      out.push_back([dy, dx](const at::Tensor& x) { return at::roll(x, {dy, dx}, {2, 3}); });
  return out;
}

// The 3 x 3 filter_columns of each pixel and a one: [N,1,H,W] -> [N*H*W,10].
at::Tensor filter_columns(const at::Tensor& channel) {
  const at::Tensor columns =
      at::im2col(at::replication_pad2d(channel, {1, 1, 1, 1}), {3, 3}, {1, 1}, {0, 0}, {1, 1});  // [N,9,H*W]
  const at::Tensor rows = columns.permute({0, 2, 1}).reshape({-1, columns.size(1)});
  return at::cat({rows, at::ones({rows.size(0), 1}, rows.options())}, 1);
}

// Every so many-th image, so that about kFitPixels pixels are left.
at::Tensor thinned_for_filter(const at::Tensor& images) {
  const std::int64_t kept = std::max<std::int64_t>(2, kFitPixels / (images.size(2) * images.size(3)));
  return images.slice(0, 0, images.size(0), std::max<std::int64_t>(1, images.size(0) / kept));
}

FittedCorrection fit_filter(const at::Tensor& answers, const at::Tensor& targets) {
  const at::Tensor some = thinned_for_filter(answers).to(at::kDouble),
                   wanted = thinned_for_filter(targets).to(at::kDouble);
  std::vector<at::Tensor> filters;  // [10,1] each
  for (std::int64_t c = 0; c < answers.size(1); ++c)
    filters.push_back(
        fitted_least_squares(filter_columns(some.narrow(1, c, 1)), wanted.select(1, c).reshape({-1, 1})));
  return [filters](const at::Tensor& images) {
    std::vector<at::Tensor> channels;
    for (std::size_t c = 0; c < filters.size(); ++c) {
      const at::Tensor channel = images.narrow(1, static_cast<std::int64_t>(c), 1).to(at::kDouble);
      channels.push_back(at::conv2d(at::replication_pad2d(channel, {1, 1, 1, 1}),
                                    filters[c].narrow(0, 0, 9).view({1, 1, 3, 3}), filters[c][9]));
    }
    return at::cat(channels, 1);
  };
}

CorrectedErrors cross_fitted(const at::Tensor& answers, const at::Tensor& targets,
                             const CorrectionHalves& halves, const CorrectionFit& fit,
                             const CorrectionError& error) {
  CorrectedErrors out{error(answers, targets), at::empty({answers.size(0)}, at::kDouble)};
  const auto try_on = [&](const at::Tensor& fitted, const at::Tensor& tried) {
    const FittedCorrection correct = fit(answers.index_select(0, fitted), targets.index_select(0, fitted));
    out.after.index_copy_(0, tried,
                          error(correct(answers.index_select(0, tried)), targets.index_select(0, tried)));
  };
  try_on(halves.first, halves.second);
  try_on(halves.second, halves.first);
  return out;
}

// The distance between targets of different groups, by the same measure.
double unrelated_error(const at::Tensor& targets, const CorrectionHalves& halves,
                       const CorrectionError& error) {
  const std::int64_t n = std::min(halves.first.numel(), halves.second.numel());
  return error(targets.index_select(0, halves.first.narrow(0, 0, n)),
               targets.index_select(0, halves.second.narrow(0, 0, n)))
      .mean()
      .item<double>();
}

struct NamedCorrection {
  std::string name, text;
  CorrectionKind kind;
  CorrectionFit fit;
  CorrectionError error;
};

std::vector<NamedCorrection> corrections_with(const std::vector<Symmetry>& symmetries) {
  std::vector<FittedCorrection> maps = {[](const at::Tensor& x) { return x; }};
  for (const Symmetry& symmetry : symmetries) maps.push_back(symmetry.map);
  const auto best_symmetry = [maps](const at::Tensor& x, const at::Tensor& y) {
    return best_correction(maps, whole_error, x, y);
  };
  const auto best_shift = [](const at::Tensor& x, const at::Tensor& y) {
    return best_correction(small_shifts(), inner_error, x, y);
  };
  using enum CorrectionKind;
  return {{"colour", "an affine change of colours", calibration, fit_colour, coarse_error},
          {"curve", "a curve of brightness for each channel", calibration, fit_curve, coarse_error},
          {"symmetry", "one of the symmetries that were tried", wrong_map, best_symmetry, whole_error},
          {"shift", "a shift by at most two pixels", calibration, best_shift, inner_error},
          {"filter", "sharpening or blurring", sharpness, fit_filter, whole_error}};
}

}  // namespace

std::string correction_kind_name(CorrectionKind kind) {
  switch (kind) {
    case CorrectionKind::wrong_map:
      return "wrong_map";
    case CorrectionKind::calibration:
      return "calibration";
    case CorrectionKind::sharpness:
      break;
  }
  return "sharpness";
}

std::vector<TriedCorrection> tried_corrections(const at::Tensor& answers, const at::Tensor& targets,
                                               const std::vector<std::int64_t>& groups,
                                               const std::vector<Symmetry>& symmetries,
                                               std::int64_t resamples, Rng& rng) {
  const at::NoGradGuard no_grad;
  std::vector<TriedCorrection> out;
  if (count_groups(groups) < kLeastGroupsToFit) return out;
  const CorrectionHalves halves = correction_halves(groups, rng);
  for (const NamedCorrection& one : corrections_with(symmetries)) {
    const CorrectedErrors errors = cross_fitted(answers, targets, halves, one.fit, one.error);
    const double before = errors.before.mean().item<double>(),
                 unrelated = unrelated_error(targets, halves, one.error);
    TriedCorrection tried{one.name, one.text, one.kind, {}, 0};
    // An answer without an error has nothing to take away.
    const double scale = before > 0 ? before : 1;
    tried.improvement = mean_estimate(errors.before - errors.after, groups, scale, resamples, rng);
    tried.taken_away = unrelated > 0 ? tried.improvement.value * before / unrelated : 0;
    out.push_back(std::move(tried));
  }
  return out;
}

CorrectedErrors colour_corrected(const at::Tensor& answers, const at::Tensor& targets,
                                 const std::vector<std::int64_t>& groups, Rng& rng) {
  const at::NoGradGuard no_grad;
  return cross_fitted(answers, targets, correction_halves(groups, rng), fit_colour, coarse_error);
}

}  // namespace torsor
