// A chart in a page that tells its values under the pointer, a finger or the arrow keys.
#pragma once

#include <string>

#include "report/chart.h"

namespace torsor {

/// The chart as a figure. Below it stand the values at the chosen place, of each series the nearest one, at
/// first those at the end; `x_name` names that place ("step"). Where scripts do not run it is a picture.
/// Throws Error as draw() does.
std::string chart_html(const LineChart& chart, const std::string& x_name);

}  // namespace torsor
