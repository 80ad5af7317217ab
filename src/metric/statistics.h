// Intervals and tests for the numbers of experiments.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace torsor {

struct Interval {
  double low = 0, high = 0;
};

/// The 97.5 % point of Student's t; degrees of freedom are rounded down. Throws Error for fewer than 1.
double student_t(double degrees);

/// Mean and its 95 % interval by Student's t; one value has no interval (infinite ends). Throws Error for
/// none.
struct MeanInterval {
  double mean = 0;
  Interval interval;
};
MeanInterval mean_interval(const std::vector<double>& values);

/// Wilson's 95 % interval for a share of `successes` in `trials`. Throws Error when trials < 1.
Interval share_interval(std::int64_t successes, std::int64_t trials);

/// |mean of exp(i angle)|: 0 for angles all round, 1 for one angle. Throws Error for none.
double resultant_length(const std::vector<double>& angles);

/// Probability that angles (radians) from a uniform circle come out at least as far from uniform (Rayleigh's
/// test, with the correction in Zar, Biostatistical Analysis, eq. 27.4). Throws Error for none.
double rayleigh_p(const std::vector<double>& angles);

/// "0.912 (0.853 to 0.971)".
std::string interval_text(double value, const Interval& interval);

/// The mean of values with its interval, without one of a single value, "-" of none.
std::string mean_text(const std::vector<double>& values);

}  // namespace torsor
