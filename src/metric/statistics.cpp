#include "metric/statistics.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace torsor {

namespace {

constexpr double kNormal = 1.959964;  // 97.5 % point

}  // namespace

// A table, and beyond it Cornish and Fisher's expansion.
double student_t(double degrees) {
  constexpr std::array<double, 10> kTable = {12.7062, 4.3027, 3.1824, 2.7764, 2.5706,
                                             2.4469,  2.3646, 2.3060, 2.2622, 2.2281};
  if (!(degrees >= 1)) fail("Student's t with {} degrees of freedom; 1 is the least", degrees);
  const double n = std::floor(degrees);
  if (n <= static_cast<double>(kTable.size())) return kTable[static_cast<std::size_t>(n) - 1];
  const double z = kNormal;
  return z + (std::pow(z, 3) + z) / (4 * n) +
         (5 * std::pow(z, 5) + 16 * std::pow(z, 3) + 3 * z) / (96 * n * n);
}

MeanInterval mean_interval(const std::vector<double>& values) {
  if (values.empty()) fail("a mean of no values");
  const double n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double v : values) sum += v;
  const double mean = sum / n;
  if (values.size() == 1) {
    constexpr double kInfinite = std::numeric_limits<double>::infinity();
    return {mean, {-kInfinite, kInfinite}};
  }
  for (const double v : values) squares += (v - mean) * (v - mean);
  const double half = student_t(n - 1) * std::sqrt(squares / (n - 1) / n);
  return {mean, {mean - half, mean + half}};
}

Interval share_interval(std::int64_t successes, std::int64_t trials) {
  if (trials < 1) fail("a share of no trials");
  const double n = static_cast<double>(trials), p = static_cast<double>(successes) / n;
  const double z2 = kNormal * kNormal;
  const double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half = kNormal / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

double resultant_length(const std::vector<double>& angles) {
  if (angles.empty()) fail("the direction of no angles");
  double c = 0, s = 0;
  for (const double a : angles) c += std::cos(a), s += std::sin(a);
  return std::hypot(c, s) / static_cast<double>(angles.size());
}

double rayleigh_p(const std::vector<double>& angles) {
  const double n = static_cast<double>(angles.size()), r = n * resultant_length(angles);
  return std::min(1.0, std::exp(std::sqrt(1 + 4 * n + 4 * (n * n - r * r)) - (1 + 2 * n)));
}

std::string interval_text(double value, const Interval& interval) {
  if (!std::isfinite(interval.low)) return fmt::format("{:.3g}", value);
  return fmt::format("{:.3g} ({:.3g} to {:.3g})", value, interval.low, interval.high);
}

std::string mean_text(const std::vector<double>& values) {
  if (values.empty()) return "-";
  const MeanInterval mean = mean_interval(values);
  return values.size() < 2 ? fmt::format("{:.3g}", mean.mean) : interval_text(mean.mean, mean.interval);
}

}  // namespace torsor
