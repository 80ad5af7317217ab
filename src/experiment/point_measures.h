// What translators of points turned out to be: how well they meet their target, and what they cost.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiment/point_game.h"
#include "report/html.h"

namespace torsor {

/// A start counts where its translations miss the target by at most this share, see missed_share().
inline constexpr double kMostMissed = 0.05;

/// Fresh points of a problem, and the costs between them that all arms share.
struct PointTest {
  at::Tensor x, y;               // [n,d] float32, whose costs are computed
  at::Tensor between, from, to;  // [n,n] float64, means of squares over coordinates
  at::Tensor many_x, many_y;     // [4n,d] float32, by which it is seen how well a target is met
  double width = 0;              // median |y - y'|
  double shrunk = 0;             // the discrepancy of the target from itself at half its width
  double unrelated = 0;          // mean |y - y'|
  double inputs_apart = 0;       // mean |x - x'|
  std::optional<double> least;   // as of PointProblem
};
PointTest draw_point_test(const PointProblem& problem, std::int64_t count, std::uint64_t seed);

/// How far translations [m,d] of many_x are from the target: the squared maximum mean discrepancy (Gretton et
/// al. 2012; unbiased, so that it can come out below 0; Gaussian kernels of 1/8, 1/4, 1/2 and 1 times the
/// median distance), as a share of that of the target shrunk to half its width. Fresh points of the target
/// have up to 0.015, the target at nine tenths of its width 0.02 to 0.05. Infinite for points that are not
/// finite.
double missed_share(const PointTest& test, const at::Tensor& made);

/// {"problem", "arm", "runs": [{"miss", "cost", "own", "gap", "cycle" (mean |F(G(x)) - x| over the inputs'
/// mean |x - x'|; null without a way back), "straightness", "largest_share" (of the block energy; both null
/// without residuals), "increasing" (of a map of the line, else null), "error_<truth>" of each of the
/// problem's truths: mean |G(x) - T(x)| over the target's mean |y - y'|}], "apart"}; cost, own and gap as
/// `torsor transport` has them, the gap by the formula for the least cost where there is one; "apart": mean
/// |G_i(x) - G_j(x)| over all two starts that meet the target, as a share of the target's mean |y - y'|; null
/// for fewer than two.
Json measure_points(const PointProblem& problem, const PointArm& arm, const PointTranslators& translators,
                    const PointTest& test);

/// The row of a problem and an arm. Throws std::logic_error where there is none.
const Json& point_row(const Json& rows, const std::string& problem, const std::string& arm);

/// A number of the starts of a row that meet the target; those where it is null are left out.
std::vector<double> met_values(const Json& row, const std::string& key);
/// How many starts meet it.
std::int64_t starts_met(const Json& row);
/// The least number of them that is judged by.
inline constexpr std::int64_t kLeastStarts = 4;
inline bool has_starts(const Json& row) { return starts_met(row) >= kLeastStarts; }

/// One line a row: how many starts meet the target, and what those cost. `keys` of runs are added at the end.
Table point_table(const Json& rows, const std::vector<std::pair<std::string, std::string>>& keys = {});

}  // namespace torsor
