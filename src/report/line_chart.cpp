#include "report/line_chart.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "report/legend.h"
#include "report/palette.h"

namespace torsor {

namespace {

using palette::kGrid, palette::kInk, palette::kSoft;
constexpr double kEdge = 10, kTitle = 13, kText = 11, kDot = 2.6;
constexpr double kHead = 5;  // length of an arrow's head, at most half of the arrow

void check(const LineChart& chart) {
  for (const Series& s : chart.series) {
    const bool fits = s.x.size() == s.y.size() && s.low.size() == s.high.size() &&
                      (s.low.empty() || s.low.size() == s.x.size());
    if (!fits)
      fail(
          "the chart '{}': the series '{}' has {} x, {} y, {} and {} ends of its band; expected as many of "
          "each",
          chart.title, s.label, s.x.size(), s.y.size(), s.low.size(), s.high.size());
    if (s.raw_x.size() != s.raw_y.size())
      fail("the chart '{}': the series '{}' has {} x and {} y behind its line; expected as many of each",
           chart.title, s.label, s.raw_x.size(), s.raw_y.size());
    const std::size_t ends = s.mark == Mark::arrows ? s.x.size() : 0;
    if (s.to_x.size() != ends || s.to_y.size() != ends)
      fail("the chart '{}': the series '{}' has {} x and {} y of arrows' ends; expected {} of each",
           chart.title, s.label, s.to_x.size(), s.to_y.size(), ends);
  }
}

Range range_of(const LineChart& chart, std::vector<double> Series::*a,
               std::vector<double> Series::*b = nullptr, std::vector<double> Series::*c = nullptr,
               std::vector<double> Series::*d = nullptr) {
  Range range;
  for (const Series& s : chart.series)
    for (const auto values : {a, b, c, d})
      if (values)
        for (const double value : s.*values) range.take(value);
  return range;
}

// Single spikes would press everything else flat.
void take_most(std::vector<double> values, Range& range) {
  constexpr std::size_t kMany = 50, kPart = 100;
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  if (values.empty()) return;
  std::sort(values.begin(), values.end());
  const std::size_t out = values.size() < kMany ? 0 : (values.size() + kPart - 1) / kPart;
  range.take(values[out]);
  range.take(values[values.size() - 1 - out]);
}

// One form of a chart: what stands above the plot, the plot, and what stands below, in this order.
class Plot {
 public:
  Plot(const LineChart& chart, Canvas& canvas, double width)
      : chart_(chart),
        canvas_(canvas),
        width_(width),
        x_(chart.x, range_of(chart, &Series::x, &Series::raw_x, &Series::to_x), chart.title),
        y_(chart.y, shown_range(chart), chart.title) {}

  ChartLayout draw() {
    draw_head();
    place_frame();
    draw_y_axis();
    draw_x_axis();
    for (std::size_t i = 0; i < chart_.series.size(); ++i) draw_raw(chart_.series[i], colour(i));
    for (std::size_t i = 0; i < chart_.series.size(); ++i) draw_band(chart_.series[i], colour(i));
    for (std::size_t i = 0; i < chart_.series.size(); ++i) draw_series(chart_.series[i], colour(i));
    const double below = bottom_ + 6 + line_height(kText);
    const double label = canvas_.paragraph({width_ / 2, below + 2}, chart_.x.label, width_ - 2 * kEdge, kInk,
                                           kText, Anchor::centre);
    return {{width_, below + label + kEdge}, left_, right_, top_, bottom_, x_};
  }

 private:
  Colour colour(std::size_t i) const { return series_colour(chart_, i); }
  double at_x(double value) const { return left_ + x_.part(value) * (right_ - left_); }
  double at_y(double value) const { return bottom_ + y_.part(value) * (top_ - bottom_); }

  // Title and legend, each as high as it is.
  void draw_head() {
    const double room = width_ - 2 * kEdge;
    std::vector<LegendEntry> entries;
    for (std::size_t i = 0; i < chart_.series.size(); ++i)
      if (!chart_.series[i].label.empty())
        entries.push_back({chart_.series[i].label, colour(i), chart_.series[i].mark});
    top_ = kEdge;
    top_ += canvas_.paragraph({kEdge, top_}, chart_.title, room, kInk, kTitle);
    top_ += 4;
    top_ += draw_legend(canvas_, {kEdge, top_}, room, entries);
    top_ += 8;
    // One that is too long to stand beside the plot stands above it.
    label_beside_ = canvas_.text_width(chart_.y.label, kText) <= plot_height();
    if (!label_beside_) top_ += canvas_.paragraph({kEdge, top_}, chart_.y.label, room, kSoft, kText) + 8;
  }

  double plot_height() const { return std::min(chart_.plot_height, 0.8 * width_); }

  // As wide as the texts beside it let it be.
  void place_frame() {
    bottom_ = top_ + plot_height();
    y_ticks_ = y_.tick_values(5);
    double widest = 0;
    for (const double value : y_ticks_)
      widest = std::max(widest, canvas_.text_width(tick_text(value), kText));
    left_ = kEdge + (label_beside_ && !chart_.y.label.empty() ? line_height(kText) : 0) + 4 + widest + 6;
    right_ = width_ - kEdge - 8;
    choose_x_ticks();
  }

  // As many as have room beside each other; the last one's text may need some on the right.
  void choose_x_ticks() {
    for (int count = 8; count >= 1; --count) {
      x_ticks_ = x_.tick_values(count);
      right_ = width_ - kEdge - 8;
      if (!x_ticks_.empty()) {
        const double half = canvas_.text_width(tick_text(x_ticks_.back()), kText) / 2;
        right_ -= std::max(0.0, at_x(x_ticks_.back()) + half - (width_ - kEdge));
      }
      double end = 0;
      bool fits = true;
      for (const double value : x_ticks_) {
        const double half = canvas_.text_width(tick_text(value), kText) / 2;
        fits = fits && at_x(value) - half > end;
        end = at_x(value) + half + 8;
      }
      if (fits) return;
    }
  }

  void draw_y_axis() {
    for (const double value : y_ticks_) {
      canvas_.line({left_, at_y(value)}, {right_, at_y(value)}, kGrid);
      canvas_.text({left_ - 6, at_y(value) + 4}, tick_text(value), kSoft, kText, Anchor::right);
    }
    canvas_.line({left_, top_}, {left_, bottom_}, kSoft);
    if (label_beside_)
      canvas_.text({kEdge + kText, (top_ + bottom_) / 2}, chart_.y.label, kInk, kText, Anchor::centre, 90);
  }

  void draw_x_axis() {
    for (const double value : x_ticks_) {
      canvas_.line({at_x(value), top_}, {at_x(value), bottom_}, kGrid);
      canvas_.text({at_x(value), bottom_ + 6 + kText}, tick_text(value), kSoft, kText, Anchor::centre);
    }
    canvas_.line({left_, bottom_}, {right_, bottom_}, kSoft);
  }

  void draw_band(const Series& s, Colour colour) {
    std::vector<Point> outline;
    for (std::size_t i = 0; i < s.high.size(); ++i)
      if (std::isfinite(s.high[i])) outline.push_back({at_x(s.x[i]), at_y(s.high[i])});
    for (std::size_t i = s.low.size(); i-- > 0;)
      if (std::isfinite(s.low[i])) outline.push_back({at_x(s.x[i]), at_y(s.low[i])});
    colour.a = 0.18;
    if (outline.size() > 2) canvas_.polygon(outline, colour);
  }

  // What lies beyond the axis is drawn at the plot's edge.
  void draw_raw(const Series& s, Colour colour) {
    std::vector<Point> points;
    for (std::size_t i = 0; i < s.raw_x.size(); ++i)
      points.push_back({at_x(s.raw_x[i]), std::clamp(at_y(s.raw_y[i]), top_, bottom_)});
    colour.a = 0.22;
    canvas_.path(points, colour, 1);
  }

  void draw_series(const Series& s, Colour colour) {
    std::vector<Point> points;
    for (std::size_t i = 0; i < s.x.size(); ++i) points.push_back({at_x(s.x[i]), at_y(s.y[i])});
    if (s.mark == Mark::line) return canvas_.path(points, colour, 1.8);
    if (s.mark == Mark::arrows) return draw_arrows(s, points, colour);
    colour.a = 0.8;
    for (const Point& p : points)
      if (std::isfinite(p.x) && std::isfinite(p.y)) canvas_.disc(p, kDot, colour);
  }

  void draw_arrows(const Series& s, const std::vector<Point>& from, Colour colour) {
    colour.a = 0.6;
    for (std::size_t i = 0; i < from.size(); ++i) {
      const Point to = {at_x(s.to_x[i]), at_y(s.to_y[i])};
      const double dx = to.x - from[i].x, dy = to.y - from[i].y, length = std::hypot(dx, dy);
      if (!std::isfinite(length) || length == 0) continue;
      const double head = std::min(kHead, length / 2), along_x = dx / length * head,
                   along_y = dy / length * head;
      const Point neck = {to.x - along_x, to.y - along_y};
      canvas_.line(from[i], neck, colour);
      canvas_.polygon(
          {to, {neck.x - along_y / 2, neck.y + along_x / 2}, {neck.x + along_y / 2, neck.y - along_x / 2}},
          colour);
    }
  }

  const LineChart& chart_;
  Canvas& canvas_;
  double width_;
  Scaling x_, y_;
  double left_ = 0, right_ = 0, top_ = 0, bottom_ = 0;  // of the plot
  std::vector<double> x_ticks_, y_ticks_;
  bool label_beside_ = true;
};

}  // namespace

Range shown_range(const LineChart& chart) {
  Range range = range_of(chart, &Series::y, &Series::low, &Series::high, &Series::to_y);
  for (const Series& s : chart.series) take_most(s.raw_y, range);
  return range;
}

Colour series_colour(const LineChart& chart, std::size_t index) {
  return palette::kSeries[chart.series[index].colour.value_or(index) % palette::kSeries.size()];
}

ChartLayout draw_chart(Canvas& canvas, const LineChart& chart, double width) {
  check(chart);
  return Plot(chart, canvas, width).draw();
}

Drawing draw(const LineChart& chart) {
  return draw_all([&](Canvas& canvas, double width) { return draw_chart(canvas, chart, width).size; },
                  chart.width);
}

}  // namespace torsor
