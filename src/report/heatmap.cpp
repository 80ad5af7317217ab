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
constexpr double kEdge = 10, kTitle = 13, kText = 11, kNumber = 9.5;
constexpr double kLargestCell = 34;

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

// "0.25", ".25" where that is too wide for the room, and nothing where that is too.
std::string number_text(Canvas& canvas, double value, double room) {
  std::string text = fmt::format("{:.2f}", value);
  if (canvas.text_width(text, kNumber) > room && text.starts_with("0.")) text.erase(0, 1);
  return canvas.text_width(text, kNumber) > room ? "" : text;
}

double widest(Canvas& canvas, const std::vector<std::string>& texts) {
  double width = 0;
  for (const std::string& text : texts) width = std::max(width, canvas.text_width(text, kText));
  return width;
}

// One form of a heat map: as wide as its cells need, at most as the room.
class Cells {
 public:
  Cells(const Heatmap& map, Canvas& canvas, double room) : map_(map), canvas_(canvas) {
    row_room_ = std::min(widest(canvas, map.rows), 0.35 * room);
    const auto rows = static_cast<double>(map.rows.size());
    const auto columns = static_cast<double>(std::max<std::size_t>(1, map.columns.size()));
    left_ = kEdge + (map.row_title.empty() ? 0 : line_height(kText)) + 4 + row_room_ + 6;
    cell_ = std::min(kLargestCell, (room - kEdge - left_) / columns);
    // One that is too long to stand beside the rows stands above them.
    title_beside_ = canvas.text_width(map.row_title, kText) <= cell_ * rows;
    right_ = left_ + cell_ * static_cast<double>(map.columns.size());
    const double needed =
        std::max(canvas.text_width(map.title, kTitle), canvas.text_width(map.column_title, kText));
    width_ = std::min(room, std::max(right_, needed + kEdge) + kEdge);
  }

  Extent draw() {
    top_ = kEdge + canvas_.paragraph({kEdge, kEdge}, map_.title, width_ - 2 * kEdge, kInk, kTitle) + 6;
    if (!title_beside_)
      top_ += canvas_.paragraph({kEdge, top_}, map_.row_title, width_ - 2 * kEdge, kInk, kText) + 6;
    draw_column_names();
    for (std::size_t r = 0; r < map_.rows.size(); ++r) draw_row(r);
    const double bottom = top_ + cell_ * static_cast<double>(map_.rows.size());
    const double middle = (left_ + right_) / 2, half = std::min(middle, width_ - middle) - kEdge;
    if (title_beside_)
      canvas_.text({kEdge + kText, (top_ + bottom) / 2}, map_.row_title, kInk, kText, Anchor::centre, 90);
    const double label =
        canvas_.paragraph({middle, bottom + 6}, map_.column_title, 2 * half, kInk, kText, Anchor::centre);
    return {width_, bottom + 6 + label + kEdge};
  }

 private:
  // Turned where a name is wider than its column.
  void draw_column_names() {
    const double wide = widest(canvas_, map_.columns);
    const bool turned = wide > cell_ - 2;
    top_ += turned ? wide : line_height(kText);
    for (std::size_t c = 0; c < map_.columns.size(); ++c) {
      const double middle = left_ + cell_ * (static_cast<double>(c) + 0.5);
      if (turned)
        canvas_.text({middle + 4, top_}, map_.columns[c], kInk, kText, Anchor::left, 90);
      else
        canvas_.text({middle, top_ - 2}, map_.columns[c], kInk, kText, Anchor::centre);
    }
    top_ += 4;
  }

  void draw_row(std::size_t r) {
    const double y = top_ + cell_ * static_cast<double>(r);
    const std::vector<std::string> name = canvas_.wrapped(map_.rows[r], kText, row_room_);
    double base = y + cell_ / 2 + 4 - line_height(kText) * (static_cast<double>(name.size()) - 1) / 2;
    for (const std::string& line : name) {
      canvas_.text({left_ - 6, base}, line, kInk, kText, Anchor::right);
      base += line_height(kText);
    }
    for (std::size_t c = 0; c < map_.columns.size(); ++c)
      draw_cell({left_ + cell_ * static_cast<double>(c), y}, map_.values[r][c]);
  }

  void draw_cell(Point corner, double value) {
    if (!std::isfinite(value)) return canvas_.rectangle(corner, cell_ - 1, cell_ - 1, kMissing);
    const double part = (value - map_.low) / (map_.high - map_.low);
    canvas_.rectangle(corner, cell_ - 1, cell_ - 1, shade(part));
    const Colour ink = part > 0.55 ? Colour{1, 1, 1} : kInk;
    canvas_.text({corner.x + (cell_ - 1) / 2, corner.y + cell_ / 2 + 3},
                 number_text(canvas_, value, cell_ - 3), ink, kNumber, Anchor::centre);
  }

  const Heatmap& map_;
  Canvas& canvas_;
  bool title_beside_ = true;
  double row_room_ = 0, cell_ = 0;
  double left_ = 0, right_ = 0, top_ = 0, width_ = 0;
};

}  // namespace

Drawing draw(const Heatmap& map) {
  check(map);
  return draw_all([&](Canvas& canvas, double room) { return Cells(map, canvas, room).draw(); });
}

}  // namespace torsor
