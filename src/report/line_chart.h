// A line chart as a part of something larger.
#pragma once

#include "report/axis_scale.h"
#include "report/chart.h"

namespace torsor {

/// Where things lie in one form of a chart, in its units.
struct ChartLayout {
  Extent size;
  double left = 0, right = 0, top = 0, bottom = 0;  // of the plot
  Scaling x;
};

/// Draws a chart of this width at the canvas's top left. Throws Error as draw() of LineChart does.
ChartLayout draw_chart(Canvas& canvas, const LineChart& chart, double width);

/// What the numbers of a chart's vertical axis have to hold; low > high where there are none.
Range shown_range(const LineChart& chart);

/// The colour of the series `index`.
Colour series_colour(const LineChart& chart, std::size_t index);

}  // namespace torsor
