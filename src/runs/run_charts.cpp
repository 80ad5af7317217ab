#include "runs/run_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/text.h"
#include "core/word_list.h"
#include "report/line_chart.h"

namespace torsor {

namespace {

constexpr std::size_t kStretches = 220, kPoints = 300;  // of a chart of half a page
constexpr double kWidth = 450, kHeight = 210;
constexpr const char* kOverlay = "overlay";
constexpr const char* kBeside = "beside";

// * stands for any characters, ? for one.
bool fits(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] == '*')
    return fits(pattern.substr(1), name) || (!name.empty() && fits(pattern, name.substr(1)));
  return !name.empty() && (pattern[0] == '?' || pattern[0] == name[0]) &&
         fits(pattern.substr(1), name.substr(1));
}

std::vector<std::string> all_scalars(const std::vector<RunRecord>& runs) {
  std::vector<std::string> names;
  for (const RunRecord& run : runs)
    for (const ScalarSeries& s : run.log.scalars)
      if (std::find(names.begin(), names.end(), s.name) == names.end()) names.push_back(s.name);
  return names;
}

// "cycle_a" and "cycle_b" are of one kind, "cycle".
std::string kind_of(const std::string& scalar) {
  for (const std::string_view end : {"_a_to_b", "_b_to_a", "_a", "_b"})
    if (scalar.size() > end.size() && scalar.ends_with(end))
      return scalar.substr(0, scalar.size() - end.size());
  return scalar;
}

struct Kind {
  std::string name;
  std::vector<std::string> scalars;

  std::string title() const {
    for (const auto& [kind, words] :
         {std::pair{"d", "discriminators (d)"}, std::pair{"g", "generators (g)"},
          std::pair{"idt", "identity (idt)"}, std::pair{kLearningRate, "learning rate"}})
      if (name == kind) return words;
    return name;
  }
};

std::vector<Kind> kinds_of(const std::vector<std::string>& scalars) {
  std::vector<Kind> kinds;
  for (const std::string& scalar : scalars) {
    const std::string name = kind_of(scalar);
    const auto it = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& k) { return k.name == name; });
    (it == kinds.end() ? kinds.emplace_back(Kind{name, {}}) : *it).scalars.push_back(scalar);
  }
  return kinds;
}

// What a logarithmic axis has no place for is left out.
ScalarSeries placed(ScalarSeries s, const PlotOptions& options) {
  if (options.log_y)
    for (double& value : s.values)
      if (!(value > 0)) value = std::numeric_limits<double>::quiet_NaN();
  return s;
}

Series line_of(const ScalarSeries& logged, const std::string& label, std::size_t colour,
               const PlotOptions& options) {
  const bool is_setting = logged.name == kLearningRate;  // its corners are no noise
  const double span = is_setting        ? 0
                      : options.average ? static_cast<double>(*options.average)
                                        : default_span(logged);
  Series s = averaged_line(placed(logged, options), label, span);
  s.colour = colour;
  return s;
}

LineChart empty_chart(const std::string& title, const PlotOptions& options) {
  LineChart chart;
  chart.title = title;
  chart.x.label = "step";
  chart.y.scale = options.log_y ? AxisScale::log : AxisScale::linear;
  chart.width = kWidth;
  chart.plot_height = kHeight;
  return chart;
}

LineChart chart_of_kind(const RunRecord& run, const Kind& kind, const std::string& title,
                        const PlotOptions& options) {
  LineChart chart = empty_chart(title, options);
  for (std::size_t i = 0; i < kind.scalars.size(); ++i)
    if (const ScalarSeries* s = run.log.find(kind.scalars[i]))
      chart.series.push_back(line_of(*s, s->name, i, options));
  return chart;
}

LineChart chart_of_scalar(const std::vector<RunRecord>& runs, const std::string& scalar,
                          const PlotOptions& options) {
  LineChart chart = empty_chart(scalar, options);
  for (std::size_t i = 0; i < runs.size(); ++i)
    if (const ScalarSeries* s = runs[i].log.find(scalar))
      chart.series.push_back(line_of(*s, runs[i].name, i, options));
  return chart;
}

void share_axes(std::vector<LineChart>& row) {
  Range x, y;
  for (const LineChart& chart : row) {
    for (const Series& s : chart.series)
      for (const double step : s.x) x.take(step);
    const Range own = shown_range(chart);
    y.take(own.low);
    y.take(own.high);
  }
  for (LineChart& chart : row) {
    chart.x.low = x.low, chart.x.high = x.high;
    chart.y.low = y.low, chart.y.high = y.high;
    if (!(x.low <= x.high)) chart.x = {chart.x.label};
    if (!(y.low <= y.high)) chart.y = {chart.y.label, chart.y.scale};
  }
}

std::vector<LineChart> charts_beside(const std::vector<RunRecord>& runs, const std::vector<Kind>& kinds,
                                     const PlotOptions& options) {
  std::vector<LineChart> out;
  for (const Kind& kind : kinds) {
    std::vector<LineChart> row;
    for (const RunRecord& run : runs)
      row.push_back(chart_of_kind(run, kind, fmt::format("{}: {}", run.name, kind.title()), options));
    share_axes(row);
    out.insert(out.end(), row.begin(), row.end());
  }
  return out;
}

}  // namespace

Series averaged_line(const ScalarSeries& logged, const std::string& label, double span) {
  const ScalarSeries line = thinned(moving_average(logged, span), kPoints);
  Series s{label, line.steps, line.values};
  if (span > 0) {
    const ScalarSeries raw = thinned_to_extremes(logged, kStretches);
    s.raw_x = raw.steps;
    s.raw_y = raw.values;
  }
  return s;
}

void PlotOptions::describe(OptionSet& o) {
  o.add("scalars", scalars,
        "which losses and metrics, by names or patterns: cycle_a, d_*, lr [all but the learning rate]");
  o.add(
       "average", average,
       "steps that the moving average spans, 0 = none [a twentieth of the run; none of fewer than 60 values]")
      .at_least(0);
  o.add("layout", layout,
        "of several runs: overlay: over each other, a chart for each scalar; beside: each run in a column of "
        "its own, with the same axes")
      .choices({kOverlay, kBeside});
  o.add("log_y", log_y, "a logarithmic axis; values of 0 and less are left out");
}

std::vector<std::string> chosen_scalars(const std::vector<RunRecord>& runs, const PlotOptions& options) {
  const std::vector<std::string> known = all_scalars(runs);
  if (known.empty())
    fail("{}: nothing has been logged yet; a line is written every --log-every steps",
         runs.front().directory.log().string());
  std::vector<std::string> out;
  const auto add = [&](const std::string& name) {
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  };
  if (options.scalars.empty())
    for (const std::string& name : known)
      if (name != kLearningRate) add(name);
  for (const std::string& pattern : words_of(options.scalars)) {
    const std::size_t before = out.size();
    bool any = false;
    for (const std::string& name : known)
      if (fits(pattern, name)) add(name), any = true;
    if (!any && out.size() == before)
      fail_usage("--scalars {}: no such loss or metric{} (one of {})", printable(pattern),
                 did_you_mean(pattern, known), join(known));
  }
  return out;
}

std::vector<std::string> gaps(const std::vector<RunRecord>& runs, const PlotOptions& options) {
  std::vector<std::string> out;
  for (const RunRecord& run : runs)
    for (const std::string& name : chosen_scalars(runs, options)) {
      const ScalarSeries* s = run.log.find(name);
      if (s == nullptr) continue;
      const auto missing = [](double v) { return !std::isfinite(v); };
      const auto count = std::count_if(s->values.begin(), s->values.end(), missing);
      if (count == 0) continue;
      const auto first = std::find_if(s->values.begin(), s->values.end(), missing) - s->values.begin();
      out.push_back(fmt::format("{}: {} was not finite at {} of {} logged steps, first at step {}", run.name,
                                name, count, s->size(), s->steps[static_cast<std::size_t>(first)]));
    }
  return out;
}

RunCharts run_charts(const std::vector<RunRecord>& runs, const PlotOptions& options) {
  const std::vector<std::string> scalars = chosen_scalars(runs, options);
  RunCharts out;
  if (options.layout == kBeside) {
    out.charts = charts_beside(runs, kinds_of(scalars), options);
    out.columns = runs.size();
  } else if (runs.size() == 1) {
    for (const Kind& kind : kinds_of(scalars))
      out.charts.push_back(chart_of_kind(runs.front(), kind, kind.title(), options));
  } else {
    for (const std::string& scalar : scalars) out.charts.push_back(chart_of_scalar(runs, scalar, options));
  }
  out.columns = std::min(out.columns, out.charts.size());
  return out;
}

Drawing plot_runs(const std::vector<RunRecord>& runs, const PlotOptions& options) {
  RunCharts charts = run_charts(runs, options);
  const std::vector<std::string> missing = gaps(runs, options);
  ChartSheet sheet{std::move(charts.charts), charts.columns, kWidth * static_cast<double>(charts.columns)};
  sheet.note = join(missing, ". ");
  return draw(sheet);
}

}  // namespace torsor
