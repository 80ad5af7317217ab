// What the colours of a drawing mean, in lines of its own above it.
#pragma once

#include <string>
#include <vector>

#include "report/chart.h"

namespace torsor {

struct LegendEntry {
  std::string label;
  Colour colour;
  Mark mark = Mark::points;
};

/// Sets the entries side by side below `top`, in as many lines as `width` asks for; returns their height, 0
/// when there are none.
double draw_legend(Canvas& canvas, Point top, double width, const std::vector<LegendEntry>& entries);

}  // namespace torsor
