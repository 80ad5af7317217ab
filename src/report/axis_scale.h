// Where the numbers of a chart's axis lie, and which of them are named.
#pragma once

#include <string>
#include <vector>

#include "report/chart.h"

namespace torsor {

/// The least and the largest of some numbers.
struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  void take(double value);  // passes over what is not finite
};

class Scaling {
 public:
  /// Throws Error naming the chart when a logarithmic axis meets a number that is not positive.
  Scaling(const Axis& axis, const Range& data, const std::string& chart);

  /// 0 at the low end, 1 at the high one.
  double part(double value) const;
  bool is_log() const { return log_; }
  double low() const { return low_; }
  double high() const { return high_; }
  /// Round numbers on the axis, about `count`; of a logarithmic one powers of ten, or 1, 2 and 5 times them
  /// where there are few.
  std::vector<double> tick_values(int count) const;

 private:
  double place(double value) const;
  void widen();
  void pad(const Axis& axis, const Range& data);

  bool log_;
  double low_ = 0, high_ = 1;
};

/// "0.25", "1000", "10⁻⁵".
std::string tick_text(double value);

}  // namespace torsor
