// Texts of drawings: none is cut by an edge, and none lies on the data.
#include "layout_support.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <regex>

#include "core/text.h"
#include "report/animation.h"
#include "report/chart.h"

namespace torsor {
namespace {

using ::testing::ElementsAre;
using testing::has_white_edge;
using ::testing::IsEmpty;

const std::string kLong =
    "a title that is much longer than any drawing is wide, as titles are that say under which circumstances "
    "something was measured, how often, and in which units";
const std::string kOneWord(300, 'w');

// All forms of a drawing hold their texts: the large one by its pixels, both by where their letters begin.
void expect_whole(const Drawing& drawing, const std::string& what) {
  EXPECT_TRUE(has_white_edge(drawing.image)) << what;
  for (const Sheet* sheet : {&drawing.sheet, &drawing.phone}) {
    const std::regex letter("<use [^>]*x=\"([-0-9.]+)\" y=\"([-0-9.]+)\"");
    int letters = 0;
    for (auto it = std::sregex_iterator(sheet->svg.begin(), sheet->svg.end(), letter);
         it != std::sregex_iterator(); ++it, ++letters) {
      const double x = std::stod((*it)[1]), y = std::stod((*it)[2]);
      EXPECT_TRUE(x >= 0 && x < sheet->size.width - 3 && y > 5 && y < sheet->size.height)
          << what << ": a letter at " << x << ", " << y;
    }
    EXPECT_GT(letters, 0) << what;
  }
  EXPECT_LE(drawing.phone.size.width, kPhoneWidth) << what;
}

LineChart chart_with(const std::string& text) {
  LineChart chart;
  chart.title = chart.x.label = chart.y.label = text;
  for (int i = 0; i < 5; ++i) {
    Series s{fmt::format("{} {}", i, text), {}, {}, i % 2 ? Mark::points : Mark::line};
    for (int k = 0; k <= 20; ++k) {
      s.x.push_back(1e6 + k);
      s.y.push_back(-123456 * k * (i + 1));
    }
    chart.series.push_back(s);
  }
  return chart;
}

TEST(Wrapping, BreaksAtSpacesAndInsideWordsOnlyWhereItMust) {
  draw_all(
      [](Canvas& canvas, double) {
        const double room = canvas.text_width("one two", 11) + 0.1;
        EXPECT_THAT(canvas.wrapped("one two six one", 11, room), ElementsAre("one two", "six one"));
        EXPECT_THAT(canvas.wrapped("", 11, room), IsEmpty());
        EXPECT_THAT(canvas.wrapped("  one ", 11, room), ElementsAre("one"));
        const std::vector<std::string> parts = canvas.wrapped("αβγδεζηθικλμνξοπρστυφχψω end", 11, room);
        EXPECT_GT(parts.size(), 2u);
        std::string all;
        for (const std::string& part : parts) {
          EXPECT_LE(canvas.text_width(part, 11), room);
          EXPECT_TRUE(is_utf8(part));
          all += part;
        }
        EXPECT_EQ(all, "αβγδεζηθικλμνξοπρστυφχψωend");
        EXPECT_THAT(canvas.wrapped("ab", 11, 1), ElementsAre("a", "b"));  // no room at all
        return Extent{20, 20};
      },
      20);
}

TEST(Layout, OfLineChartsKeepsAllTextsWhole) {
  for (const std::string& text : {std::string("short"), kLong, kOneWord})
    for (const double width : {740.0, 327.0, 200.0}) {
      LineChart chart = chart_with(text);
      chart.width = width;
      expect_whole(draw(chart), fmt::format("{} at {}", text.substr(0, 8), width));
    }
  LineChart logs = chart_with("log");
  logs.x.scale = AxisScale::log;
  logs.series.resize(1);
  for (double& x : logs.series[0].x) x = std::pow(10, x - 1e6 - 12);  // twenty decades
  expect_whole(draw(logs), "decades");
  expect_whole(draw(LineChart{"nothing", {"x"}, {"y"}, {}}), "no series");
}

TEST(Layout, OfSheetsOfChartsKeepsAllTextsWhole) {
  for (const std::size_t columns : {1, 2}) {
    ChartSheet sheet{{chart_with("short"), chart_with(kLong.substr(0, 60))}, columns};
    sheet.width = 360.0 * static_cast<double>(columns);
    sheet.note = kOneWord + " " + kLong;
    expect_whole(draw(sheet), fmt::format("{} columns", columns));
  }
  const ChartSheet beside{{chart_with("a"), chart_with("b")}, 2};
  const Drawing drawing = draw(beside);
  EXPECT_LT(drawing.sheet.size.height, draw(ChartSheet{beside.charts, 1}).sheet.size.height);
  EXPECT_GT(drawing.phone.size.height, 1.5 * drawing.phone.size.width) << "one below the other";
}

// Of a hundred values behind a line the single spike ends at the edge of the plot, and presses nothing flat.
TEST(Layout, OfValuesBehindALineEndsAtThePlot) {
  LineChart chart{"spike", {"x"}, {"y"}, {{"mean", {0, 100}, {1, 2}}}};
  for (int i = 0; i <= 100; ++i) {
    chart.series[0].raw_x.push_back(i);
    chart.series[0].raw_y.push_back(1 + 0.01 * i);
  }
  const Image calm = draw(chart).image;
  chart.series[0].raw_y[50] = 1e6;
  const Drawing drawing = draw(chart);
  expect_whole(drawing, "spike");
  ASSERT_EQ(drawing.image.height, calm.height);
  const std::int64_t column = calm.width / 4 * 3;  // away from the spike all is as it was
  for (std::int64_t y = 0; y < calm.height; ++y)
    ASSERT_EQ(std::memcmp(calm.u8() + 3 * (y * calm.width + column),
                          drawing.image.u8() + 3 * (y * calm.width + column), 3),
              0)
        << y;
}

// The chart below its legend is the chart without one.
TEST(Layout, OfLegendsTakesNothingFromThePlot) {
  LineChart named = chart_with("with a name"), nameless = named;
  for (Series& s : nameless.series) s.label.clear();
  const Image with = draw(named).image, without = draw(nameless).image;
  ASSERT_EQ(with.width, without.width);
  EXPECT_GT(with.height, without.height + 20);
  const std::int64_t rows = without.height - 2 * 40, bytes = rows * with.width * 3;  // less the title
  EXPECT_EQ(std::memcmp(with.u8() + with.samples() - bytes, without.u8() + without.samples() - bytes,
                        static_cast<std::size_t>(bytes)),
            0);
}

TEST(Layout, OfHeatmapsKeepsAllTextsWhole) {
  for (const std::string& text : {std::string("a"), kLong.substr(0, 60), kOneWord})
    for (const std::size_t columns : {1, 10, 40}) {
      Heatmap map;
      map.title = map.row_title = map.column_title = text;
      map.columns.assign(columns, columns > 10 ? "12" : text.substr(0, 20));
      map.rows.assign(12, text.substr(0, 30));
      map.values.assign(12, std::vector<double>(columns, 0.25));
      expect_whole(draw(map), fmt::format("{}, {} columns", text.substr(0, 8), columns));
    }
}

TEST(Layout, OfAnimationsKeepsAllTextsWhole) {
  Animation a;
  a.panels = {{kLong}, {"right"}, {kOneWord}};
  a.groups = {kLong, kOneWord};
  a.frames = {{kLong, {{0, {0, 0}, 0}}}};
  expect_whole(draw(a, 0), "long texts");
}

}  // namespace
}  // namespace torsor
