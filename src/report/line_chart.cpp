#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "report/chart.h"
#include "report/palette.h"

namespace torsor {

namespace {

using palette::kGrid, palette::kInk, palette::kSoft;
constexpr double kLeft = 62, kRight = 16, kTop = 34, kBottom = 46;

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  void take(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

// Maps an axis' numbers to positions.
class Mapping {
 public:
  Mapping(const Axis& axis, const Range& data, double from, double to, const std::string& chart)
      : log_(axis.scale == AxisScale::log), from_(from), to_(to) {
    low_ = std::isnan(axis.low) ? data.low : axis.low;
    high_ = std::isnan(axis.high) ? data.high : axis.high;
    if (!(low_ <= high_)) low_ = log_ ? 0.1 : 0, high_ = 1;  // no data
    if (log_ && low_ <= 0) fail("the chart '{}': a logarithmic axis cannot show {}", chart, low_);
    if (low_ == high_) widen();
    if (!log_) pad(axis);
  }

  double operator()(double value) const {
    const double part = (place(value) - place(low_)) / (place(high_) - place(low_));
    return from_ + part * (to_ - from_);
  }

  std::vector<double> tick_values(int count) const {
    if (!log_) return ticks(low_, high_, count);
    std::vector<double> out;
    for (int e = static_cast<int>(std::floor(std::log10(low_))); std::pow(10, e) <= high_ * 1.0001; ++e)
      if (std::pow(10, e) >= low_ * 0.9999) out.push_back(std::pow(10, e));
    return out.size() >= 2 ? out : std::vector<double>{low_, high_};
  }

 private:
  double place(double value) const { return log_ ? std::log10(value) : value; }
  void widen() {
    if (log_) {
      low_ /= 2;
      high_ *= 2;
      return;
    }
    const double room = low_ == 0 ? 1 : std::abs(low_) * 0.1;
    low_ -= room;
    high_ += room;
  }
  // Ends that the data gave get some air.
  void pad(const Axis& axis) {
    const double room = (high_ - low_) * 0.04;
    if (std::isnan(axis.low)) low_ -= room;
    if (std::isnan(axis.high)) high_ += room;
  }

  bool log_;
  double from_, to_, low_ = 0, high_ = 1;
};

void check(const LineChart& chart) {
  for (const Series& s : chart.series) {
    const bool fits = s.x.size() == s.y.size() && s.low.size() == s.high.size() &&
                      (s.low.empty() || s.low.size() == s.x.size());
    if (!fits)
      fail(
          "the chart '{}': the series '{}' has {} x, {} y, {} and {} ends of its band; expected as many of "
          "each",
          chart.title, s.label, s.x.size(), s.y.size(), s.low.size(), s.high.size());
  }
}

std::string number_text(double value) { return fmt::format("{:.6g}", value); }

class Plot {
 public:
  Plot(const LineChart& chart, Canvas& canvas)
      : chart_(chart),
        canvas_(canvas),
        x_(chart.x, range_of(chart, /*of_x=*/true), kLeft, chart.width - kRight, chart.title),
        y_(chart.y, range_of(chart, /*of_x=*/false), chart.height - kBottom, kTop, chart.title) {}

  void draw() {
    draw_axes();
    for (std::size_t i = 0; i < chart_.series.size(); ++i) draw_band(chart_.series[i], colour(i));
    for (std::size_t i = 0; i < chart_.series.size(); ++i) draw_series(chart_.series[i], colour(i));
    draw_legend();
  }

 private:
  static Colour colour(std::size_t i) { return palette::kSeries[i % palette::kSeries.size()]; }

  static Range range_of(const LineChart& chart, bool of_x) {
    Range range;
    for (const Series& s : chart.series)
      for (const auto* values : {of_x ? &s.x : &s.y, of_x ? &s.x : &s.low, of_x ? &s.x : &s.high})
        for (const double value : *values) range.take(value);
    return range;
  }

  void draw_axes() {
    const double bottom = chart_.height - kBottom, right = chart_.width - kRight;
    for (const double value : x_.tick_values(6)) {
      canvas_.line({x_(value), kTop}, {x_(value), bottom}, kGrid);
      canvas_.text({x_(value), bottom + 15}, number_text(value), kSoft, 10, Anchor::centre);
    }
    for (const double value : y_.tick_values(5)) {
      canvas_.line({kLeft, y_(value)}, {right, y_(value)}, kGrid);
      canvas_.text({kLeft - 7, y_(value) + 3.5}, number_text(value), kSoft, 10, Anchor::right);
    }
    canvas_.line({kLeft, bottom}, {right, bottom}, kSoft);
    canvas_.line({kLeft, kTop}, {kLeft, bottom}, kSoft);
    canvas_.text({kLeft, 20}, chart_.title, kInk, 12.5);
    canvas_.text({(kLeft + right) / 2, chart_.height - 10}, chart_.x.label, kInk, 11, Anchor::centre);
    canvas_.text({14, (kTop + bottom) / 2}, chart_.y.label, kInk, 11, Anchor::centre, 90);
  }

  void draw_band(const Series& s, Colour colour) {
    std::vector<Point> outline;
    for (std::size_t i = 0; i < s.high.size(); ++i)
      if (std::isfinite(s.high[i])) outline.push_back({x_(s.x[i]), y_(s.high[i])});
    for (std::size_t i = s.low.size(); i-- > 0;)
      if (std::isfinite(s.low[i])) outline.push_back({x_(s.x[i]), y_(s.low[i])});
    colour.a = 0.18;
    if (outline.size() > 2) canvas_.polygon(outline, colour);
  }

  void draw_series(const Series& s, Colour colour) {
    std::vector<Point> points;
    for (std::size_t i = 0; i < s.x.size(); ++i) points.push_back({x_(s.x[i]), y_(s.y[i])});
    if (s.mark == Mark::line) return canvas_.path(points, colour, 1.8);
    colour.a = 0.8;
    for (const Point& p : points)
      if (std::isfinite(p.x) && std::isfinite(p.y)) canvas_.disc(p, 2.6, colour);
  }

  void draw_legend() {
    double width = 0;
    std::size_t lines = 0;
    for (const Series& s : chart_.series) {
      if (s.label.empty()) continue;
      width = std::max(width, canvas_.text_width(s.label, 10));
      ++lines;
    }
    if (lines == 0) return;
    const double left = chart_.width - kRight - width - 34;
    canvas_.rectangle({left - 6, kTop + 2}, width + 38, 15 * static_cast<double>(lines) + 6, {1, 1, 1, 0.85});
    double y = kTop + 15;
    for (std::size_t i = 0; i < chart_.series.size(); ++i) {
      if (chart_.series[i].label.empty()) continue;
      if (chart_.series[i].mark == Mark::line)
        canvas_.line({left, y - 3.5}, {left + 18, y - 3.5}, colour(i), 2);
      else
        canvas_.disc({left + 9, y - 3.5}, 2.8, colour(i));
      canvas_.text({left + 24, y}, chart_.series[i].label, kInk, 10);
      y += 15;
    }
  }

  const LineChart& chart_;
  Canvas& canvas_;
  Mapping x_, y_;
};

}  // namespace

std::vector<double> ticks(double low, double high, int count) {
  const double rough = (high - low) / std::max(1, count);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = power;
  for (const double factor : {2.0, 5.0, 10.0})
    if (step < rough) step = factor * power;
  std::vector<double> out;
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + step * 1e-9; ++k)
    out.push_back(k == 0 ? 0.0 : k * step);
  return out;
}

Drawing draw(const LineChart& chart) {
  check(chart);
  return draw_both(chart.width, chart.height, [&](Canvas& canvas) { Plot(chart, canvas).draw(); });
}

}  // namespace torsor
