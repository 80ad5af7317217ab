// Charts: what is drawn lies where the numbers say, in all forms.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "image/codec.h"
#include "layout_support.h"
#include "report/chart.h"
#include "report/html.h"
#include "test_support.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::error_of;
using testing::has_white_edge;
using ::testing::HasSubstr;

std::array<int, 3> pixel(const Image& image, double x, double y) {  // in user units
  const auto at = static_cast<std::int64_t>(2 * y) * image.width + static_cast<std::int64_t>(2 * x);
  const std::uint8_t* p = image.u8() + 3 * at;
  return {p[0], p[1], p[2]};
}

// Distinct colours other than greys that a picture holds.
std::size_t coloured(const Image& image) {
  std::size_t count = 0;
  for (std::int64_t i = 0; i < image.width * image.height; ++i) {
    const std::uint8_t* p = image.u8() + 3 * i;
    count += std::max({p[0], p[1], p[2]}) - std::min({p[0], p[1], p[2]}) > 25 ? 1 : 0;
  }
  return count;
}

// The place, in user units, of the first pixel (by rows) below `top` of which `is` holds.
Point first_pixel(const Image& image, const std::function<bool(const std::array<int, 3>&)>& is,
                  double top = 0) {
  for (double y = top; 2 * y < static_cast<double>(image.height); y += 0.5)
    for (double x = 0; 2 * x < static_cast<double>(image.width); x += 0.5)
      if (is(pixel(image, x, y))) return {x, y};
  ADD_FAILURE() << "no such pixel";
  return {};
}

LineChart simple() {
  LineChart chart;
  chart.title = "Loss";
  chart.x.label = "step";
  chart.y.label = "value";
  chart.series = {{"cycle", {0, 1, 2}, {3, 2, 1}}};
  return chart;
}

TEST(Ticks, AreRoundAndInside) {
  EXPECT_THAT(ticks(0, 10, 5), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(ticks(-1, 1, 4), ElementsAre(-1, -0.5, 0, 0.5, 1));
  const std::vector<double> small = ticks(0.00031, 0.00079, 5);
  ASSERT_FALSE(small.empty());
  EXPECT_GE(small.front(), 0.00031);
  EXPECT_LE(small.back(), 0.00079 * 1.0001);
}

TEST(Ticks, EndWhereNumbersDifferInTheirLastBitsAlone) {
  const double low = 0.7, high = std::nextafter(low, 1);
  EXPECT_LE(ticks(low, high, 5).size(), 20U);
  LineChart chart;
  chart.title = "Constant";
  chart.y.low = low;
  chart.series = {{"", {0, 1, 2}, {low, high, low}}};
  EXPECT_GT(draw(chart).image.width, 0);
}

TEST(CanvasDrawing, PutsColoursWhereItIsTold) {
  const Drawing drawing = draw_all(
      [](Canvas& canvas, double width) {
        canvas.rectangle({0, 0}, 20, 20, {1, 0, 0});
        canvas.disc({30, 10}, 5, {0, 0, 1});
        canvas.path({{22, 2}, {std::nan(""), 3}, {38, 2}}, {0, 1, 0}, 2);  // a gap: no line
        return Extent{width, 20};
      },
      40);
  EXPECT_EQ(drawing.image.width, 80);
  EXPECT_EQ(drawing.image.height, 40);
  EXPECT_EQ(pixel(drawing.image, 10, 10), (std::array<int, 3>{255, 0, 0}));
  EXPECT_EQ(pixel(drawing.image, 30, 10), (std::array<int, 3>{0, 0, 255}));
  EXPECT_EQ(pixel(drawing.image, 30, 2), (std::array<int, 3>{255, 255, 255}));
  for (const Sheet& sheet : {drawing.sheet, drawing.phone})
    EXPECT_THAT(sheet.svg, AllOf(HasSubstr("<svg"), HasSubstr("</svg>")));
  EXPECT_EQ(drawing.phone.size.width, kPhoneWidth);
}

TEST(CanvasDrawing, TextHasAWidthAndLeavesInk) {
  double narrow = 0, wide = 0;
  const Drawing drawing = draw_all(
      [&](Canvas& canvas, double width) {
        narrow = canvas.text_width("i");
        wide = canvas.text_width("a long text");
        canvas.text({5, 20}, "a long text", {0, 0, 0});
        return Extent{width, 30};
      },
      200);
  EXPECT_GT(narrow, 0);
  EXPECT_GT(wide, 5 * narrow);
  std::size_t dark = 0;
  for (std::int64_t i = 0; i < drawing.image.samples(); ++i) dark += drawing.image.u8()[i] < 100 ? 1 : 0;
  EXPECT_GT(dark, 200u);
}

TEST(LineCharts, ShowTheirSeriesAndStayInTheirFrame) {
  LineChart chart = simple();
  const Drawing one = draw(chart);
  EXPECT_GT(coloured(one.image), 300u);
  chart.series[0].low = {2.5, 1.5, 0.5};
  chart.series[0].high = {3.5, 2.5, 1.5};
  EXPECT_GT(coloured(draw(chart).image), 4 * coloured(one.image));  // the band
  chart.series = {{"dots", {0, 1, 2}, {3, std::nan(""), 1}, Mark::points}};
  EXPECT_GT(coloured(draw(chart).image), 50u);
  // Falling numbers fall: the line's left end is above its right end.
  chart.series = {{"", {0, 1}, {1, 0}}};
  const Image image = draw(chart).image;
  std::int64_t left = 0, right = 0;
  for (std::int64_t y = 60; y < image.height - 60; ++y) {
    if (pixel(image, 85, static_cast<double>(y) / 2)[0] < 60) left = y;
    if (pixel(image, 690, static_cast<double>(y) / 2)[0] < 60) right = y;
  }
  EXPECT_GT(left, 0);
  EXPECT_GT(right, left + 200);
}

TEST(LineCharts, DrawArrowsFromEachPointToItsEnd) {
  LineChart chart = simple();
  Series arrows{"moves", {0, 1}, {0, 0}, Mark::arrows};
  arrows.to_x = {0, 5};  // the first stays where it is
  arrows.to_y = {0, 1};
  chart.series = {arrows};
  const Drawing drawing = draw(chart);
  EXPECT_GT(coloured(drawing.image), 300u);
  EXPECT_TRUE(has_white_edge(drawing.image)) << "the axes hold the ends";
  chart.series[0].to_y.pop_back();
  EXPECT_THAT(error_of([&] { draw(chart); }), AllOf(HasSubstr("'moves'"), HasSubstr("ends")));
  chart.series = {{"points", {0}, {0}, Mark::points}};
  chart.series[0].to_x = {1};
  EXPECT_THAT(error_of([&] { draw(chart); }), HasSubstr("'points'"));
}

TEST(LineCharts, WidenFixedLimitsThatTheDataExceed) {
  LineChart chart = simple();
  chart.y.low = 0, chart.y.high = 1;  // the data go up to 3
  EXPECT_TRUE(has_white_edge(draw(chart).image));
  EXPECT_GT(coloured(draw(chart).image), 300u);
}

TEST(LineCharts, HaveLogarithmicAxesAndSurviveWhatIsFlatOrEmpty) {
  LineChart chart = simple();
  chart.y.scale = AxisScale::log;
  chart.series[0].y = {1000, 10, 0.1};
  EXPECT_GT(coloured(draw(chart).image), 300u);
  chart.series[0].y = {1, 0, 1};
  EXPECT_THAT(error_of([&] { draw(chart); }), AllOf(HasSubstr("'Loss'"), HasSubstr("logarithmic")));
  chart = simple();
  chart.series[0].y = {5, 5, 5};
  EXPECT_GT(coloured(draw(chart).image), 300u);
  chart.series.clear();
  EXPECT_EQ(coloured(draw(chart).image), 0u);
}

TEST(LineCharts, OfUnequalLengthsAreRefusedByName) {
  LineChart chart = simple();
  chart.series[0].y.pop_back();
  EXPECT_THAT(error_of([&] { draw(chart); }), AllOf(HasSubstr("'Loss'"), HasSubstr("'cycle'")));
  chart = simple();
  chart.series[0].low = {1};
  EXPECT_THAT(error_of([&] { draw(chart); }), HasSubstr("'cycle'"));
}

TEST(Heatmaps, AreDarkWhereTheNumbersAreHigh) {
  Heatmap map;
  map.title = "Confusion";
  map.rows = map.columns = {"0", "1"};
  map.values = {{1, 0}, {std::nan(""), 0.5}};
  const Drawing drawing = draw(map);
  constexpr double kCell = 34;
  const auto [x, y] = first_pixel(drawing.image, [](const auto& p) { return p[0] < 40 && p[2] > p[0] + 60; });
  EXPECT_GT(pixel(drawing.image, x + kCell, y)[0], 230);
  const auto missing = pixel(drawing.image, x, y + kCell);
  EXPECT_EQ(missing[0], missing[2]);  // grey
  EXPECT_LT(missing[0], 245);
  map.values.pop_back();
  EXPECT_THAT(error_of([&] { draw(map); }), HasSubstr("'Confusion'"));
}

Animation two_frames() {
  Animation a;
  a.panels = {{"left", -1, 1, {{{-1, 0}, {1, 0}}}}, {"right"}};
  a.groups = {"early", "late"};
  a.frames = {{"step 0", {{0, {0, 0}, 0}}}, {"step 1 </script>", {{1, {0.5, -0.5}, 1}}}};
  return a;
}

TEST(Animations, DrawTheirPointsWhereTheyAre) {
  const Drawing first = draw(two_frames(), 0), second = draw(two_frames(), 1);
  const auto below_legend = [](const Image& image, auto is) { return first_pixel(image, is, /*top=*/75); };
  const auto blue = below_legend(first.image, [](const auto& p) { return p[2] > p[0] + 60; });
  const auto orange = below_legend(second.image, [](const auto& p) { return p[0] > p[2] + 60; });
  // Panels of 348 units from 10 and 382; y upwards.
  EXPECT_NEAR(blue.x, 10 + 174, 4);
  EXPECT_NEAR(orange.x, 382 + 261, 4);
  EXPECT_NEAR(orange.y - blue.y, 87, 2);
  // On a phone one below the other.
  EXPECT_GT(first.phone.size.height, 2 * first.phone.size.width - 40);
}

TEST(Animations, CannotBeEndedByTheirOwnTexts) {
  const std::string html = animation_html(two_frames(), "Moves <b>");
  EXPECT_EQ(html.find("</script>"), html.rfind("</script>"));
  EXPECT_THAT(html, AllOf(HasSubstr("step 0"), HasSubstr("Moves &lt;b&gt;"), HasSubstr("class=\"still\"")));
}

TEST(Animations, OpenAtThePoster) {
  Animation a = two_frames();
  for (const std::size_t poster : {0, 1}) {
    a.poster = poster;
    const std::string html = animation_html(a, "");
    EXPECT_THAT(html, HasSubstr(fmt::format("\"poster\":{}", poster)));
    EXPECT_THAT(html, HasSubstr("<div class=\"still\">" + drawing_html(draw(a, poster), "") + "</div>"));
  }
  a.poster = 2;
  EXPECT_THAT(error_of([&] { animation_html(a, ""); }), HasSubstr("2 frames"));
}

TEST(Animations, RefusePointsOfNoPanelOrGroup) {
  Animation a = two_frames();
  a.frames[1].points[0].panel = 2;
  EXPECT_THAT(error_of([&] { animation_html(a, ""); }), HasSubstr("step 1"));
  a = two_frames();
  a.frames[0].points[0].group = -1;
  EXPECT_THAT(error_of([&] { draw(a, 0); }), HasSubstr("step 0"));
  EXPECT_THROW(draw(two_frames(), 3), Error);
  a.frames.clear();
  EXPECT_THROW(animation_html(a, ""), Error);
}

TEST(Pages, HoldDrawingsAsPicturesForScreenAndPhone) {
  HtmlPage page("Title");
  page.drawing(draw(simple()), "A <caption>");
  EXPECT_THAT(page.html(),
              AllOf(HasSubstr("<source media=\"(max-width: 640px)\" width=\"327\""),
                    HasSubstr("<img class=\"drawing\" width=\"740\""), HasSubstr("A &lt;caption&gt;")));
}

}  // namespace
}  // namespace torsor
