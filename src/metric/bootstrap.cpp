#include "metric/bootstrap.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "core/shuffle.h"
#include "metric/resampling_strata.h"

namespace torsor {

namespace {

double normal_cdf(double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; }

// Between two of the sorted values in proportion, as numpy's percentile does.
double sorted_quantile(const at::Tensor& sorted, double share) {
  const double place = share * static_cast<double>(sorted.numel() - 1);
  const auto low = static_cast<std::int64_t>(place);
  const double* values = sorted.data_ptr<double>();
  const double next = values[std::min(low + 1, sorted.numel() - 1)];
  return values[low] + (next - values[low]) * (place - static_cast<double>(low));
}

std::int64_t smallest_stratum(const ResamplingUnits& units) {
  std::int64_t least = units.count;
  for (const auto& stratum : units.strata) least = std::min(least, std::ssize(stratum));
  return least;
}

// Why there can be no interval, whatever the statistic.
std::optional<MetricInterval> too_few(const ResamplingUnits& units) {
  const std::int64_t groups = smallest_stratum(units);
  if (groups >= kLeastGroups) return std::nullopt;
  MetricInterval out;
  out.none = fmt::format("{} group{} of images in a set; an interval needs {}", groups,
                         groups == 1 ? "" : "s", kLeastGroups);
  return out;
}

bool draw_once(const std::vector<std::int64_t>& stratum, double* weights, Rng& rng) {
  for (const std::int64_t unit : stratum) weights[unit] = 0;
  for (std::size_t k = 0; k < stratum.size(); ++k)
    ++weights[stratum[static_cast<std::size_t>(rng.index(std::ssize(stratum)))]];
  return std::count_if(stratum.begin(), stratum.end(), [&](auto unit) { return weights[unit] > 0; }) > 1;
}

at::Tensor rows_outside(const at::Tensor& units, std::int64_t unit) {
  return at::nonzero(units != unit).flatten();
}

// Images of each unit, [U].
at::Tensor sizes_of(const ResamplingUnits& units) {
  return at::bincount(at::cat({units.real, units.fake}), {}, units.count).to(at::kDouble);
}

double stratum_variance(const std::vector<std::int64_t>& stratum, double value, const double* without,
                        const double* sizes) {
  const auto g = static_cast<double>(stratum.size());
  double n = 0, mean = g * value, sum = 0;
  for (const std::int64_t j : stratum) n += sizes[j];
  for (const std::int64_t j : stratum) mean -= (1 - sizes[j] / n) * without[j];
  for (const std::int64_t j : stratum) {
    const double h = n / sizes[j], pseudo = h * value - (h - 1) * without[j];
    sum += (pseudo - mean) * (pseudo - mean) / (h - 1);
  }
  return sum / g;
}

}  // namespace

ResamplingUnits resampling_units(const SampleGroups& groups, std::int64_t at_most, Rng& rng) {
  ResamplingUnits out;
  std::vector<std::int64_t> unit_of(static_cast<std::size_t>(groups.count), 0);
  for (auto& stratum : independent_strata(groups)) {
    shuffle(stratum.begin(), std::ssize(stratum), rng);
    const std::int64_t units = std::min(at_most, std::ssize(stratum));
    for (std::int64_t i = 0; i < std::ssize(stratum); ++i)
      unit_of[static_cast<std::size_t>(stratum[static_cast<std::size_t>(i)])] = out.count + i % units;
    out.strata.emplace_back();
    for (std::int64_t u = 0; u < units; ++u) out.strata.back().push_back(out.count++);
  }
  const auto rows = [&](const std::vector<std::int64_t>& ids) {
    at::Tensor units = at::empty({std::ssize(ids)}, at::kLong);
    for (std::size_t i = 0; i < ids.size(); ++i)
      units.data_ptr<std::int64_t>()[i] = unit_of[static_cast<std::size_t>(ids[i])];
    return units;
  };
  out.real = rows(groups.real);
  out.fake = rows(groups.fake);
  return out;
}

at::Tensor bootstrap_weights(const ResamplingUnits& units, std::int64_t resamples, Rng& rng) {
  at::Tensor weights = at::zeros({resamples, units.count}, at::kDouble);
  for (std::int64_t b = 0; b < resamples; ++b)
    for (const auto& stratum : units.strata) {
      if (stratum.size() < 2) fail("a bootstrap of one group: it would draw the same one each time");
      while (!draw_once(stratum, weights.data_ptr<double>() + b * units.count, rng)) {
      }
    }
  return weights;
}

MetricInterval no_interval_asked() {
  MetricInterval out;
  out.none = "not asked for (no resamples)";
  return out;
}

MetricInterval bootstrap_interval(const ResamplingUnits& units, std::int64_t resamples, Rng& rng,
                                  const std::function<at::Tensor(const at::Tensor& weights)>& statistic) {
  if (resamples == 0) return no_interval_asked();
  if (auto none = too_few(units)) return *none;
  const at::Tensor values = statistic(bootstrap_weights(units, resamples, rng)).contiguous();
  MetricInterval out;
  out.method = fmt::format("bootstrap of {} groups, {} resamples", units.count, resamples);
  if (!at::isfinite(values).all().item<bool>()) {
    out.none = "some resamples have no value: too few images";
    return out;
  }
  const auto n = static_cast<double>(smallest_stratum(units));
  const double tail = normal_cdf(-std::sqrt(n / (n - 1)) * student_t(n - 1));
  const at::Tensor sorted = std::get<0>(values.sort());
  out.interval = Interval{sorted_quantile(sorted, tail), sorted_quantile(sorted, 1 - tail)};
  if (resamples > 1) out.standard_error = values.std().item<double>();
  return out;
}

JackknifeError jackknife_error(const ResamplingUnits& units, double value, const at::Tensor& without) {
  const at::Tensor sizes = sizes_of(units), values = without.contiguous();
  double variance = 0, spread = 0;
  for (const auto& stratum : units.strata) {
    const double part = stratum_variance(stratum, value, values.data_ptr<double>(), sizes.data_ptr<double>());
    variance += part;
    spread += part * part / static_cast<double>(stratum.size() - 1);
  }
  const auto least = static_cast<double>(smallest_stratum(units) - 1);
  return {std::sqrt(variance), spread > 0 ? variance * variance / spread : least};
}

std::vector<MetricInterval> jackknife_intervals(
    const ResamplingUnits& units, const std::vector<double>& values, std::int64_t least,
    const std::function<std::vector<double>(const at::Tensor& real, const at::Tensor& fake)>& statistics) {
  if (auto none = too_few(units)) return std::vector<MetricInterval>(values.size(), *none);
  std::vector<MetricInterval> out(values.size());
  at::Tensor without = at::empty({std::ssize(values), units.count}, at::kDouble);
  for (std::int64_t unit = 0; unit < units.count; ++unit) {
    const at::Tensor real = rows_outside(units.real, unit), fake = rows_outside(units.fake, unit);
    if (std::min(real.numel(), fake.numel()) < least) {
      for (auto& each : out)
        each.none = fmt::format("without one group fewer than {} images of a set are left", least);
      return out;
    }
    const std::vector<double> there = statistics(real, fake);
    for (std::size_t k = 0; k < values.size(); ++k) without[std::int64_t(k)][unit] = there[k];
  }
  for (std::size_t k = 0; k < values.size(); ++k) {
    const JackknifeError error = jackknife_error(units, values[k], without[std::int64_t(k)]);
    if (error.standard_error <= 1e-12 * std::abs(values[k])) {  // rounding
      out[k].none = "no group changes the value, which says nothing of other images";
      continue;
    }
    const double half = student_t(error.degrees) * error.standard_error;
    out[k].interval = Interval{values[k] - half, values[k] + half};
    out[k].standard_error = error.standard_error;
    out[k].method = fmt::format("jackknife of {} parts", units.count);
  }
  return out;
}

}  // namespace torsor
