#include "report/chart_view.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "report/embed.h"
#include "report/html.h"
#include "report/line_chart.h"
#include "report/page_scripts.h"

namespace torsor {

namespace {

// Four digits are what a readout shows; more would only make the page larger.
Json short_number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return std::stod(fmt::format("{:.4g}", value));
}

Json series_json(const LineChart& chart, std::size_t index) {
  const Series& s = chart.series[index];
  const Colour c = series_colour(chart, index);
  Json x = Json::array(), y = Json::array();
  for (std::size_t i = 0; i < s.x.size(); ++i) {
    if (!std::isfinite(s.y[i])) continue;
    x.push_back(s.x[i]);
    y.push_back(short_number(s.y[i]));
  }
  return {{"label", s.label},
          {"colour", fmt::format("rgb({:.0f},{:.0f},{:.0f})", 255 * c.r, 255 * c.g, 255 * c.b)},
          {"x", x},
          {"y", y}};
}

Json frame_json(const ChartLayout& at) {
  return {{"width", at.size.width},
          {"left", at.left},
          {"right", at.right},
          {"top", at.top},
          {"bottom", at.bottom}};
}

}  // namespace

std::string chart_html(const LineChart& chart, const std::string& x_name) {
  std::array<std::optional<ChartLayout>, 2> layouts;  // on a screen, on a phone
  const Sheets sheets = draw_sheets(
      [&](Canvas& canvas, double width) {
        const ChartLayout layout = draw_chart(canvas, chart, width);
        layouts[width == kPhoneWidth ? 1 : 0].emplace(layout);
        return layout.size;
      },
      chart.width);
  Json data = {{"name", x_name},
               {"low", layouts[0]->x.low()},
               {"high", layouts[0]->x.high()},
               {"log", layouts[0]->x.is_log()},
               {"frames", {frame_json(*layouts[0]), frame_json(*layouts[1])}},
               {"series", Json::array()}};
  for (std::size_t i = 0; i < chart.series.size(); ++i)
    if (!chart.series[i].label.empty()) data["series"].push_back(series_json(chart, i));
  return fmt::format(
      "<figure class=\"chart\" style=\"max-width:{}px\"><div class=\"plot\">{}<span "
      "class=\"cursor\"></span></div><div class=\"readout\"></div><script>{}{});</script></figure>\n",
      std::ceil(chart.width) + 8, drawing_html(sheets, chart.title), kChartScript, script_json(data));
}

}  // namespace torsor
