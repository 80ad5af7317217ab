// The losses and metrics of runs as charts: of one, of several over each other, or of several side by side.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/options.h"
#include "report/chart.h"
#include "runs/run_record.h"

namespace torsor {

/// The line of a scalar: its moving average over `span` steps, with the values behind it; a span of 0 shows
/// the values themselves. Thinned to what a chart of half a page can show.
Series averaged_line(const ScalarSeries& logged, const std::string& label, double span);

struct PlotOptions {
  std::string scalars;
  std::optional<std::int64_t> average;
  std::string layout = "overlay";
  bool log_y = false;

  void describe(OptionSet& o);
};

/// Charts of about half a page's width, and how many of them stand in a row.
struct RunCharts {
  std::vector<LineChart> charts;
  std::size_t columns = 2;
};

/// "overlay": of one run a chart for each kind of scalar (cycle_a and cycle_b together), of several one for
/// each scalar with a line for each run. "beside": a row for each kind and in it a chart for each run, with
/// the same axes, so that their steadiness can be compared. Lines are moving averages with the values behind
/// them; of scalars with few values these themselves. Throws UsageError, naming the scalars there are, when a
/// pattern fits none, and Error when no run has logged any.
RunCharts run_charts(const std::vector<RunRecord>& runs, const PlotOptions& options);

/// Names of the scalars that the patterns of --scalars choose; by default all but the learning rate.
std::vector<std::string> chosen_scalars(const std::vector<RunRecord>& runs, const PlotOptions& options);

/// Values of the chosen scalars that were not finite, a sentence each: "run: cycle_a was not finite at 3 of
/// 500 logged steps, first at step 120".
std::vector<std::string> gaps(const std::vector<RunRecord>& runs, const PlotOptions& options);

/// All charts as one picture. Throws as run_charts().
Drawing plot_runs(const std::vector<RunRecord>& runs, const PlotOptions& options);

}  // namespace torsor
