#include <algorithm>

#include "report/line_chart.h"
#include "report/palette.h"

namespace torsor {

namespace {

constexpr double kEdge = 10, kGap = 6;

// The charts that stand beside each other; returns the height of the highest.
double draw_row(Canvas& canvas, const ChartSheet& sheet, std::size_t first, std::size_t columns, double top,
                double width) {
  double height = 0;
  for (std::size_t i = first; i < std::min(first + columns, sheet.charts.size()); ++i)
    canvas.moved({static_cast<double>(i - first) * width, top},
                 [&] { height = std::max(height, draw_chart(canvas, sheet.charts[i], width).size.height); });
  return height;
}

Extent draw_sheet(Canvas& canvas, const ChartSheet& sheet, double width) {
  const std::size_t columns = width <= kPhoneWidth ? 1 : std::max<std::size_t>(1, sheet.columns);
  double y = kEdge;
  for (std::size_t first = 0; first < sheet.charts.size(); first += columns)
    y += draw_row(canvas, sheet, first, columns, y, width / static_cast<double>(columns)) + kGap;
  y += canvas.paragraph({kEdge, y}, sheet.note, width - 2 * kEdge, palette::kSoft);
  return {width, y + (sheet.note.empty() ? 0 : kEdge)};
}

}  // namespace

Drawing draw(const ChartSheet& sheet) {
  return draw_all([&](Canvas& canvas, double width) { return draw_sheet(canvas, sheet, width); },
                  sheet.width);
}

}  // namespace torsor
