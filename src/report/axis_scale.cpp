#include "report/axis_scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "core/error.h"

namespace torsor {

namespace {

// Numbers that differ by less, as a share of them, are one: rounding.
constexpr double kOneValue = 1e-12;

std::string superscript(int number) {
  constexpr std::array<const char*, 10> kDigits = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string out;
  for (const char c : std::to_string(number))
    out += c == '-' ? "⁻" : kDigits[static_cast<std::size_t>(c - '0')];
  return out;
}

// The numbers factor x 10^e in [low, high].
std::vector<double> decades(double low, double high, const std::vector<double>& factors) {
  std::vector<double> out;
  const int last = static_cast<int>(std::floor(std::log10(high * 1.0001)));
  for (int e = static_cast<int>(std::floor(std::log10(low))); e <= last; ++e)
    for (const double factor : factors) {
      const double value = factor * std::pow(10, e);
      if (value >= low * 0.9999 && value <= high * 1.0001) out.push_back(value);
    }
  return out;
}

// Every k-th, so that no more than `count` are left.
std::vector<double> thinned(const std::vector<double>& values, int count) {
  const std::size_t most = static_cast<std::size_t>(std::max(count, 1));
  const std::size_t step = (values.size() + most - 1) / most;
  std::vector<double> out;
  for (std::size_t i = 0; i < values.size(); i += step) out.push_back(values[i]);
  return out;
}

}  // namespace

void Range::take(double value) {
  if (!std::isfinite(value)) return;
  low = std::min(low, value);
  high = std::max(high, value);
}

Scaling::Scaling(const Axis& axis, const Range& data, const std::string& chart)
    : log_(axis.scale == AxisScale::log) {
  // std::fmin and fmax pass over a limit that is NaN.
  low_ = std::fmin(axis.low, data.low);
  high_ = std::fmax(axis.high, data.high);
  if (!(low_ <= high_)) low_ = log_ ? 0.1 : 0, high_ = 1;  // no data
  if (log_ && low_ <= 0) fail("the chart '{}': a logarithmic axis cannot show {}", chart, low_);
  if (high_ - low_ <= kOneValue * std::max(std::abs(low_), std::abs(high_))) widen();
  pad(axis, data);
}

double Scaling::part(double value) const {
  return (place(value) - place(low_)) / (place(high_) - place(low_));
}

std::vector<double> Scaling::tick_values(int count) const {
  if (!log_) return ticks(low_, high_, count);
  const std::vector<double> powers = decades(low_, high_, {1});
  if (powers.size() >= 3) return thinned(powers, count);
  const std::vector<double> finer = decades(low_, high_, {1, 2, 5});
  if (finer.size() >= 2)
    return static_cast<int>(finer.size()) <= count || powers.size() < 2 ? thinned(finer, count) : powers;
  return ticks(low_, high_, count);
}

double Scaling::place(double value) const { return log_ ? std::log10(value) : value; }

void Scaling::widen() {
  if (log_) {
    low_ /= 2;
    high_ *= 2;
    return;
  }
  const double room = low_ == 0 ? 1 : std::abs(low_) * 0.1;
  low_ -= room;
  high_ += room;
}

// Ends that the data gave get some air, so that no mark lies on the frame.
void Scaling::pad(const Axis& axis, const Range& data) {
  constexpr double kAir = 0.04;
  const double room = (place(high_) - place(low_)) * kAir;
  const auto moved = [&](double value, double by) { return log_ ? value * std::pow(10, by) : value + by; };
  const bool low_free = !(axis.low <= data.low), high_free = !(axis.high >= data.high);
  if (low_free) low_ = moved(low_, -room);
  if (high_free) high_ = moved(high_, room);
}

std::string tick_text(double value) {
  if (value > 0 && (value >= 1e5 || value < 1e-3)) {
    const double power = std::log10(value);
    if (std::abs(power - std::round(power)) < 1e-9)
      return "10" + superscript(static_cast<int>(std::round(power)));
  }
  return fmt::format("{:.6g}", value);
}

std::vector<double> ticks(double low, double high, int count) {
  if (!(low < high)) return {low};
  const double rough = (high - low) / std::max(1, count);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = power;
  for (const double factor : {2.0, 5.0, 10.0})
    if (step < rough) step = factor * power;
  std::vector<double> out;
  const double first = std::ceil(low / step - 1e-9);
  // Counted: of numbers that differ in their last bits alone, first + 1 may be first.
  const auto steps = static_cast<std::int64_t>(std::floor((high - low) / step + 1));
  for (std::int64_t i = 0; i <= steps; ++i) {
    const double k = first + static_cast<double>(i);
    if (k * step <= high + step * 1e-9) out.push_back(k == 0 ? 0.0 : k * step);
  }
  return out;
}

}  // namespace torsor
