// Figures that answer to pointer and keyboard: what they hold for their scripts and without these. What they
// do is tried in a browser by tests/cli/test_report.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/error.h"
#include "report/chart_view.h"
#include "report/slides.h"

namespace torsor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Embedded picture(std::uint8_t grey) {
  Image image = Image::blank(8, 4, 3);
  std::fill(image.bytes.begin(), image.bytes.end(), grey);
  return embed(image);
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Embedding, ChoosesTheFormThatIsMuchShorter) {
  Image noise = Image::blank(64, 64, 3);
  std::uint32_t state = 1;
  for (std::uint8_t& byte : noise.bytes)
    byte = static_cast<std::uint8_t>((state = state * 1664525 + 7) >> 24);
  EXPECT_THAT(embed(noise, 50).uri, HasSubstr("data:image/jpeg;base64,"));
  EXPECT_THAT(picture(7).uri, HasSubstr("data:image/png;base64,"));
  EXPECT_EQ(data_uri("text/plain", "Man"), "data:text/plain;base64,TWFu");
  EXPECT_EQ(script_json({{"a", "</script>"}}), "{\"a\":\"<\\/script>\"}");
}

TEST(Slides, ShowTheLastWithoutAScript) {
  const std::string html = slides_html({{"step <1>", picture(1)}, {"step 2", picture(2)}}, "a & b");
  EXPECT_EQ(count(html, "<img hidden"), 1u);
  EXPECT_LT(html.find("<img hidden"), html.find("alt=\"step 2\""));
  EXPECT_THAT(html, HasSubstr("alt=\"step &lt;1&gt;\""));
  EXPECT_THAT(html, HasSubstr("<figcaption>a &amp; b</figcaption>"));
  EXPECT_THROW(slides_html({}, ""), Error);
}

TEST(Comparisons, ShowTheFirstWithoutAScript) {
  const Comparison one{"image 1", picture(1), picture(2), picture(3)},
      two{"image 2", picture(4), picture(5), picture(6)};
  const std::string html = comparisons_html({one, two}, {"in", "out", "difference"}, "");
  for (const Embedded& p : {one.before, one.after, one.difference})
    EXPECT_EQ(count(html, p.uri), 2u) << "in the still picture and in the script's data";
  EXPECT_EQ(count(html, two.after.uri), 1u);
  EXPECT_THROW(comparisons_html({}, {}, ""), Error);
}

TEST(ChartView, HoldsTheFiniteValuesOfNamedSeries) {
  LineChart chart{"losses", {"step"}, {"loss"}, {}};
  chart.series = {{"d_a", {1, 2, 3}, {0.123456, std::numeric_limits<double>::quiet_NaN(), 2}},
                  {"", {1, 2, 3}, {1, 1, 1}}};
  const std::string html = chart_html(chart, "step");
  EXPECT_THAT(html, HasSubstr("\"x\":[1.0,3.0],\"y\":[0.1235,2.0]"));
  EXPECT_EQ(count(html, "\"label\""), 1u);
  EXPECT_THAT(html, HasSubstr("alt=\"losses\""));
  EXPECT_THAT(chart_html({"none", {"x"}, {"y"}, {}}, "step"), HasSubstr("\"series\":[]"));
}

}  // namespace
}  // namespace torsor
