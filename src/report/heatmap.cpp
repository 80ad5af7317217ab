#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "report/chart.h"
#include "report/palette.h"

namespace torsor {

namespace {

using palette::kInk;
constexpr Colour kMissing{0.93, 0.93, 0.93};
constexpr double kCell = 30, kTop = 52, kMargin = 14;

// From white to dark blue, evenly in lightness.
Colour shade(double part) {
  constexpr std::array<Colour, 5> kStops = {
      {{0.97, 0.98, 1.0}, {0.78, 0.86, 0.94}, {0.42, 0.68, 0.84}, {0.13, 0.44, 0.71}, {0.03, 0.19, 0.42}}};
  const double at = std::clamp(part, 0.0, 1.0) * (kStops.size() - 1);
  const auto i = std::min(static_cast<std::size_t>(at), kStops.size() - 2);
  const double t = at - static_cast<double>(i);
  const auto mix = [t](double a, double b) { return a + t * (b - a); };
  return {mix(kStops[i].r, kStops[i + 1].r), mix(kStops[i].g, kStops[i + 1].g),
          mix(kStops[i].b, kStops[i + 1].b)};
}

void check(const Heatmap& map) {
  bool fits = map.values.size() == map.rows.size() && map.low < map.high;
  for (const auto& row : map.values) fits = fits && row.size() == map.columns.size();
  if (!fits)
    fail("the heat map '{}' needs a number for each of its {} rows and {} columns, and low below high",
         map.title, map.rows.size(), map.columns.size());
}

void draw_cell(Canvas& canvas, Point corner, double value, double part) {
  if (!std::isfinite(value)) return canvas.rectangle(corner, kCell - 1, kCell - 1, kMissing);
  canvas.rectangle(corner, kCell - 1, kCell - 1, shade(part));
  const Colour ink = part > 0.55 ? Colour{1, 1, 1} : kInk;
  canvas.text({corner.x + kCell / 2, corner.y + kCell / 2 + 3.5}, fmt::format("{:.2f}", value), ink, 9.5,
              Anchor::centre);
}

}  // namespace

Drawing draw(const Heatmap& map) {
  check(map);
  std::size_t longest = 0;
  for (const std::string& row : map.rows) longest = std::max(longest, row.size());
  const double left = kMargin + 22 + 6.5 * static_cast<double>(longest);
  const double right = left + kCell * static_cast<double>(map.columns.size());
  const double bottom = kTop + kCell * static_cast<double>(map.rows.size());
  const double width = std::max(right + kMargin, left + 7.0 * static_cast<double>(map.title.size()));
  return draw_both(width, bottom + 28, [&](Canvas& canvas) {
    canvas.text({left, 20}, map.title, kInk, 12.5);
    for (std::size_t c = 0; c < map.columns.size(); ++c)
      canvas.text({left + kCell * (static_cast<double>(c) + 0.5), kTop - 7}, map.columns[c], kInk, 10,
                  Anchor::centre);
    for (std::size_t r = 0; r < map.rows.size(); ++r) {
      const double y = kTop + kCell * static_cast<double>(r);
      canvas.text({left - 7, y + kCell / 2 + 3.5}, map.rows[r], kInk, 10, Anchor::right);
      for (std::size_t c = 0; c < map.columns.size(); ++c)
        draw_cell(canvas, {left + kCell * static_cast<double>(c), y}, map.values[r][c],
                  (map.values[r][c] - map.low) / (map.high - map.low));
    }
    canvas.text({(left + right) / 2, bottom + 18}, map.column_title, kInk, 11, Anchor::centre);
    canvas.text({14, (kTop + bottom) / 2}, map.row_title, kInk, 11, Anchor::centre, 90);
  });
}

}  // namespace torsor
