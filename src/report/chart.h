// Charts of numbers: lines with bands, points, heat maps. Each becomes a Drawing for pages and files.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "report/canvas.h"

namespace torsor {

enum class Mark { line, points, arrows };
enum class AxisScale { linear, log };

/// Numbers that are not finite are left out. With `low` and `high` a band is drawn around the line.
struct Series {
  std::string label;  // in the legend; "" = not there
  std::vector<double> x, y;
  Mark mark = Mark::line;
  std::vector<double> low = {}, high = {};  // as long as x, or empty
  // What the line is an average of, drawn faintly behind all lines. Of 50 and more the axis need not hold the
  // outermost hundredth on either side, which is drawn at its end.
  std::vector<double> raw_x = {}, raw_y = {};
  std::optional<std::size_t> colour = std::nullopt;  // of the palette, modulo its size; else by its position
  std::vector<double> to_x = {}, to_y = {};  // where Mark::arrows, which begin at x, y, end; else empty
};

/// What an axis shows. Limits that are NaN follow from the data; the others are widened where the data lie
/// beyond them.
struct Axis {
  std::string label;
  AxisScale scale = AxisScale::linear;
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
};

struct LineChart {
  std::string title;
  Axis x, y;
  std::vector<Series> series;
  double width = kSheetWidth, plot_height = 300;  // narrower on a phone
};

/// A matrix as coloured cells, the first row on top, each with its number (two decimals; none where the cells
/// are too narrow for it).
struct Heatmap {
  std::string title;
  std::string row_title, column_title;
  std::vector<std::string> rows, columns;
  std::vector<std::vector<double>> values;  // NaN: no such cell
  double low = 0, high = 1;                 // colours of the ends
};

/// Charts beside each other, in rows from left to right; one below the other on a phone.
struct ChartSheet {
  std::vector<LineChart> charts;  // their widths follow from the sheet's
  std::size_t columns = 2;
  double width = kSheetWidth;
  std::string note = "";  // below them
};

/// Title and legend stand above the plot, and all texts wrap, so that none is cut or lies on the data. Throws
/// Error naming the chart when lengths do not fit, or a logarithmic axis meets a number that is not positive.
Drawing draw(const LineChart& chart);
Drawing draw(const ChartSheet& sheet);
Drawing draw(const Heatmap& map);

/// Round numbers in [low, high], about `count` of them.
std::vector<double> ticks(double low, double high, int count);

}  // namespace torsor
