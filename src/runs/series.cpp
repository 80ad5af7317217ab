#include "runs/series.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace torsor {

namespace {

// Sums of the finite values before each index, so that the mean of any stretch is a difference.
class Sums {
 public:
  explicit Sums(const std::vector<double>& values) : sums_{0}, counts_{0} {
    for (const double value : values) {
      sums_.push_back(sums_.back() + (std::isfinite(value) ? value : 0));
      counts_.push_back(counts_.back() + (std::isfinite(value) ? 1 : 0));
    }
  }
  double mean(std::size_t begin, std::size_t end) const {
    const std::size_t count = counts_[end] - counts_[begin];
    if (count == 0) return std::numeric_limits<double>::quiet_NaN();
    return static_cast<double>((sums_[end] - sums_[begin]) / static_cast<long double>(count));
  }

 private:
  std::vector<long double> sums_;
  std::vector<std::size_t> counts_;
};

void take(const ScalarSeries& from, std::size_t i, ScalarSeries& to) {
  to.steps.push_back(from.steps[i]);
  to.values.push_back(from.values[i]);
}

ScalarSeries finite_part(const ScalarSeries& series) {
  ScalarSeries out{series.name, {}, {}};
  for (std::size_t i = 0; i < series.size(); ++i)
    if (std::isfinite(series.values[i])) take(series, i, out);
  return out;
}

}  // namespace

ScalarSeries moving_average(const ScalarSeries& series, double span) {
  if (span <= 0) return series;
  const Sums sums(series.values);
  ScalarSeries out{series.name, series.steps, {}};
  std::size_t begin = 0, end = 0;
  for (const double step : series.steps) {
    while (series.steps[begin] < step - span / 2) ++begin;
    while (end < series.size() && series.steps[end] <= step + span / 2) ++end;
    out.values.push_back(sums.mean(begin, end));
  }
  return out;
}

double default_span(const ScalarSeries& series) {
  constexpr std::size_t kFew = 60;
  constexpr double kPart = 20;
  return series.size() < kFew ? 0 : (series.steps.back() - series.steps.front()) / kPart;
}

ScalarSeries thinned_to_extremes(const ScalarSeries& series, std::size_t stretches) {
  const ScalarSeries all = finite_part(series);
  if (all.size() <= 2 * stretches) return all;
  ScalarSeries out{series.name, {}, {}};
  for (std::size_t k = 0; k < stretches; ++k) {
    const auto at = [&](std::size_t edge) {
      return static_cast<std::ptrdiff_t>(edge * all.size() / stretches);
    };
    const auto first = all.values.begin();
    const auto [low, high] = std::minmax_element(first + at(k), first + at(k + 1));
    const auto a = static_cast<std::size_t>(std::min(low, high) - first),
               b = static_cast<std::size_t>(std::max(low, high) - first);
    take(all, a, out);
    if (b != a) take(all, b, out);
  }
  return out;
}

ScalarSeries thinned(const ScalarSeries& series, std::size_t most) {
  if (series.size() <= most) return series;
  const std::size_t every = (series.size() - 1 + most - 2) / (most - 1);
  ScalarSeries out{series.name, {}, {}};
  for (std::size_t i = 0; i < series.size(); i += every) take(series, i, out);
  if (out.steps.back() != series.steps.back()) take(series, series.size() - 1, out);
  return out;
}

}  // namespace torsor
