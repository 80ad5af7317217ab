#include "report/legend.h"

#include <algorithm>

#include "report/palette.h"

namespace torsor {

namespace {

constexpr double kText = 11, kSwatch = 18, kAfterSwatch = 6, kBetween = 18;

void draw_swatch(Canvas& canvas, Point left, const LegendEntry& entry) {
  if (entry.mark != Mark::points)
    canvas.line(left, {left.x + kSwatch, left.y}, entry.colour, 2);
  else
    canvas.disc({left.x + kSwatch / 2, left.y}, 3, entry.colour);
}

}  // namespace

double draw_legend(Canvas& canvas, Point top, double width, const std::vector<LegendEntry>& entries) {
  const double room = width - kSwatch - kAfterSwatch;  // of a label
  double x = top.x, y = top.y, line = 0;
  for (const LegendEntry& entry : entries) {
    const double wide = kSwatch + kAfterSwatch + std::min(room, canvas.text_width(entry.label, kText));
    if (x > top.x && x + wide > top.x + width) {
      x = top.x;
      y += line;
      line = 0;
    }
    draw_swatch(canvas, {x, y + line_height(kText) / 2}, entry);
    line = std::max(
        line, canvas.paragraph({x + kSwatch + kAfterSwatch, y}, entry.label, room, palette::kInk, kText));
    x += wide + kBetween;
  }
  return y + line - top.y;
}

}  // namespace torsor
