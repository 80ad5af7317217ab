#include "runs/run_charts.h"

#include <cmath>

#include "run_folder.h"

namespace torsor::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A hundred lines; `level` is the mean of the losses, which alternate around it.
RunRecord logged(const std::string& name, double level) {
  RunRecord run{RunDirectory(name), name, Json::object(), {}, {}, {}, {}, {}};
  for (const std::string scalar : {"d_a", "d_b", "g_a_to_b", "lr"}) {
    ScalarSeries s{scalar, {}, {}};
    for (int i = 1; i <= 100; ++i) {
      s.steps.push_back(20 * i);
      s.values.push_back(level + (i % 2 == 0 ? 1 : -1));
    }
    run.log.scalars.push_back(s);
  }
  return run;
}

std::vector<std::string> titles(const RunCharts& charts) {
  std::vector<std::string> out;
  for (const LineChart& chart : charts.charts) out.push_back(chart.title);
  return out;
}

PlotOptions choosing(const std::string& scalars, const std::string& layout = "overlay") {
  PlotOptions options;
  options.scalars = scalars;
  options.layout = layout;
  return options;
}

TEST(RunCharts, OfOneRunGatherScalarsOfAKind) {
  const RunCharts charts = run_charts({logged("one", 5)}, {});
  EXPECT_THAT(titles(charts), ElementsAre("discriminators (d)", "generators (g)"));
  ASSERT_EQ(charts.charts[0].series.size(), 2u);
  const Series& s = charts.charts[0].series[1];
  EXPECT_EQ(s.label, "d_b");
  EXPECT_NEAR(s.y[50], 5, 0.25);  // the average
  EXPECT_NEAR(std::abs(s.raw_y[50] - 5), 1, 1e-9);
}

TEST(RunCharts, OfSeveralRunsLieOverEachOtherInOneColourEach) {
  RunRecord second = logged("two", 9);
  std::erase_if(second.log.scalars, [](const ScalarSeries& s) { return s.name == "d_a"; });
  const RunCharts charts = run_charts({logged("one", 5), second}, choosing("d_*"));
  EXPECT_THAT(titles(charts), ElementsAre("d_a", "d_b"));
  EXPECT_EQ(charts.charts[0].series.size(), 1u);
  EXPECT_EQ(charts.charts[1].series[1].label, "two");
  EXPECT_EQ(charts.charts[1].series[1].colour, 1u);
}

TEST(RunCharts, BesideEachOtherHaveTheSameAxes) {
  const RunCharts charts = run_charts({logged("one", 5), logged("two", 9)}, choosing("d_?,g*", "beside"));
  EXPECT_THAT(titles(charts), ElementsAre("one: discriminators (d)", "two: discriminators (d)",
                                          "one: generators (g)", "two: generators (g)"));
  EXPECT_EQ(charts.columns, 2u);
  EXPECT_EQ(charts.charts[0].y.low, charts.charts[1].y.low);
  EXPECT_NEAR(charts.charts[0].y.low, 4, 1e-9);
  EXPECT_NEAR(charts.charts[0].y.high, 10, 1e-9);
}

TEST(RunCharts, ChooseByPatternsAndNameWhatThereIs) {
  const std::vector<RunRecord> runs = {logged("one", 5)};
  EXPECT_THAT(chosen_scalars(runs, {}), ElementsAre("d_a", "d_b", "g_a_to_b"));
  EXPECT_THAT(chosen_scalars(runs, choosing("lr,*_b")), ElementsAre("lr", "d_b", "g_a_to_b"));
  EXPECT_THAT(error_of<UsageError>([&] { chosen_scalars(runs, choosing("d_c")); }),
              ::testing::AllOf(HasSubstr("did you mean"), HasSubstr("g_a_to_b")));
  EXPECT_THAT(error_of([&] { chosen_scalars({RunFolder().read()}, {}); }),
              HasSubstr("nothing has been logged"));
}

TEST(RunCharts, SayWhereValuesWereNotFinite) {
  RunRecord run = logged("one", 5);
  run.log.scalars[0].values[7] = run.log.scalars[0].values[9] = std::nan("");
  EXPECT_THAT(gaps({run}, {}),
              ElementsAre("one: d_a was not finite at 2 of 100 logged steps, first at step 160"));
  EXPECT_GT(plot_runs({run}, {}).image.height, plot_runs({logged("one", 5)}, {}).image.height);
}

TEST(RunCharts, OnALogarithmicAxisLeaveOutWhatHasNoPlaceThere) {
  PlotOptions options;
  options.log_y = true;
  EXPECT_NO_THROW(plot_runs({logged("one", 0)}, options));
  options.average = 0;
  const Series s = run_charts({logged("one", 0)}, options).charts[0].series[0];
  EXPECT_TRUE(s.raw_x.empty());
  EXPECT_TRUE(std::isnan(s.y[0]) && s.y[1] == 1);
}

}  // namespace
}  // namespace torsor::testing
