// A number of a training over its steps.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace torsor {

/// `steps` ascend; a value that was not finite is NaN.
struct ScalarSeries {
  std::string name;
  std::vector<double> steps, values;

  std::size_t size() const { return steps.size(); }
};

/// At each step the mean of the finite values that are at most span / 2 steps away on either side (fewer at
/// the ends); NaN where there is none. A span of 0 gives the values themselves.
ScalarSeries moving_average(const ScalarSeries& series, double span);

/// A twentieth of the steps that the series covers; 0, for no average, of fewer than 60 values.
double default_span(const ScalarSeries& series);

/// About as many points as a plot has columns: of each stretch of steps the least and the largest value, in
/// their order, so that every spike is there. Values that are not finite are left out.
ScalarSeries thinned_to_extremes(const ScalarSeries& series, std::size_t stretches);

/// Every k-th value and the last, at most `most` (2 or more) of them.
ScalarSeries thinned(const ScalarSeries& series, std::size_t most);

}  // namespace torsor
