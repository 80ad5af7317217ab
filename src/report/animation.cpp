#include "report/animation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/json.h"
#include "report/animation_script.h"
#include "report/embed.h"
#include "report/html.h"
#include "report/legend.h"
#include "report/palette.h"

namespace torsor {

namespace {

constexpr double kEdge = 10, kGap = 24, kTitle = 12, kSmallestSide = 260;
constexpr double kDot = 0.0115, kOpacity = 0.75;  // radius, of a panel's side

void check(const Animation& a, std::size_t frame) {
  if (frame >= a.frames.size())
    fail("the animation has {} frames and no frame {}", a.frames.size(), frame + 1);
  for (const AnimatedPoint& p : a.frames[frame].points)
    if (p.panel < 0 || p.panel >= std::ssize(a.panels) || p.group < 0 || p.group >= std::ssize(a.groups) ||
        p.group >= std::ssize(palette::kSeries))
      fail("the animation's frame '{}' has a point in panel {} and group {}; there are {} and {}",
           a.frames[frame].label, p.panel, p.group, a.panels.size(), a.groups.size());
}

// The place of a point in its panel, as parts of the side; y downwards.
Point part_of(const AnimationPanel& panel, Point p) {
  const double scale = 1 / (panel.high - panel.low);
  return {(p.x - panel.low) * scale, (panel.high - p.y) * scale};
}

class Still {
 public:
  Still(const Animation& a, const AnimationFrame& frame, Canvas& canvas, double width)
      : a_(a), frame_(frame), canvas_(canvas), width_(width) {
    const auto side_of = [&](std::size_t columns) {
      return (width - 2 * kEdge - kGap * static_cast<double>(columns - 1)) / static_cast<double>(columns);
    };
    columns_ = std::max<std::size_t>(1, a.panels.size());
    while (columns_ > 1 && side_of(columns_) < kSmallestSide) --columns_;
    side_ = side_of(columns_);
  }

  Extent draw() {
    double y = kEdge;
    y += canvas_.paragraph({kEdge, y}, frame_.label, width_ - 2 * kEdge, palette::kInk, kTitle) + 4;
    std::vector<LegendEntry> entries;
    for (std::size_t g = 0; g < a_.groups.size(); ++g) entries.push_back({a_.groups[g], palette::kSeries[g]});
    y += draw_legend(canvas_, {kEdge, y}, width_ - 2 * kEdge, entries) + 8;
    for (std::size_t first = 0; first < a_.panels.size(); first += columns_) y = draw_row(first, y) + 10;
    return {width_, y};
  }

 private:
  double left_of(std::size_t panel) const {
    return kEdge + static_cast<double>(panel % columns_) * (side_ + kGap);
  }

  // The panels from `first` on that stand beside each other; returns where they end.
  double draw_row(std::size_t first, double top) {
    const std::size_t end = std::min(first + columns_, a_.panels.size());
    double titles = 0;
    for (std::size_t i = first; i < end; ++i)
      titles = std::max(titles, canvas_.paragraph({left_of(i) + side_ / 2, top}, a_.panels[i].title, side_,
                                                  palette::kInk, kTitle, Anchor::centre));
    for (std::size_t i = first; i < end; ++i) draw_panel(i, {left_of(i), top + titles + 4});
    return top + titles + 4 + side_;
  }

  void draw_panel(std::size_t index, Point corner) {
    const AnimationPanel& panel = a_.panels[index];
    const auto placed = [&](Point p) {
      const Point part = part_of(panel, p);
      return Point{corner.x + part.x * side_, corner.y + part.y * side_};
    };
    const double right = corner.x + side_, bottom = corner.y + side_;
    canvas_.path({corner, {right, corner.y}, {right, bottom}, {corner.x, bottom}, corner}, palette::kGrid, 1);
    for (const auto& guide : panel.guides) {
      std::vector<Point> line;
      for (const Point& p : guide) line.push_back(placed(p));
      canvas_.path(line, palette::kGrid, 1.5);
    }
    for (const AnimatedPoint& p : frame_.points) {
      if (static_cast<std::size_t>(p.panel) != index) continue;
      Colour colour = palette::kSeries[static_cast<std::size_t>(p.group)];
      colour.a = kOpacity;
      canvas_.disc(placed(p.at), kDot * side_, colour);
    }
  }

  const Animation& a_;
  const AnimationFrame& frame_;
  Canvas& canvas_;
  double width_, side_ = 0;
  std::size_t columns_ = 1;
};

std::string css_colour(const Colour& c, double opacity) {
  return fmt::format("rgba({:.0f},{:.0f},{:.0f},{})", 255 * c.r, 255 * c.g, 255 * c.b, opacity);
}

Json rounded(const AnimationPanel& panel, Point p) {
  const Point part = part_of(panel, p);
  return {std::round(part.x * 1e4) / 1e4, std::round(part.y * 1e4) / 1e4};
}

// What the script needs; places are parts of a panel's side: {"frames": [{"label", "points": [[panel, x, y,
// group, ...]]}], "guides": [by panel: [line: [[x, y]]]], "colours", "ground", "dot", "poster"}.
Json script_data(const Animation& a) {
  Json colours = Json::array(), guides = Json::array(), frames = Json::array();
  for (const Colour& c : palette::kSeries) colours.push_back(css_colour(c, kOpacity));
  for (const AnimationPanel& panel : a.panels) {
    Json lines = Json::array();
    for (const auto& guide : panel.guides) {
      Json line = Json::array();
      for (const Point& p : guide) line.push_back(rounded(panel, p));
      lines.push_back(line);
    }
    guides.push_back(lines);
  }
  for (std::size_t i = 0; i < a.frames.size(); ++i) {
    check(a, i);
    Json points = Json::array();
    for (const AnimatedPoint& p : a.frames[i].points) {
      const Json at = rounded(a.panels[static_cast<std::size_t>(p.panel)], p.at);
      for (const Json& number : {Json(p.panel), at[0], at[1], Json(p.group)}) points.push_back(number);
    }
    frames.push_back({{"label", a.frames[i].label}, {"points", points}});
  }
  return {{"colours", colours}, {"ground", css_colour(palette::kGrid, 1)},
          {"guides", guides},   {"frames", frames},
          {"dot", kDot},        {"poster", a.poster}};
}

// The panels that the script draws on, with their titles and the legend as texts of the page.
std::string player_html(const Animation& a) {
  std::string html = "<div class=\"player\"><ul class=\"legend\">";
  for (std::size_t g = 0; g < a.groups.size(); ++g)
    html += fmt::format("<li><i style=\"background:{}\"></i>{}</li>", css_colour(palette::kSeries[g], 1),
                        escape_html(a.groups[g]));
  html += "</ul><div class=\"panels\">";
  for (const AnimationPanel& panel : a.panels)
    html += fmt::format("<div><p>{}</p><canvas></canvas></div>", escape_html(panel.title));
  return html +
         "</div><div class=\"controls\"><button type=\"button\">Play</button>"
         "<input type=\"range\" min=\"0\" value=\"0\" aria-label=\"frame\"><output></output></div></div>";
}

}  // namespace

Drawing draw(const Animation& a, std::size_t frame) {
  check(a, frame);
  return draw_all(
      [&](Canvas& canvas, double width) { return Still(a, a.frames[frame], canvas, width).draw(); });
}

std::string animation_html(const Animation& a, const std::string& caption) {
  const Drawing poster = draw(a, a.poster);
  return fmt::format(
      "<figure class=\"animation\" style=\"max-width:{}px\"><div class=\"still\">{}</div>{}"
      "<figcaption>{}</figcaption><script>{}{});</script></figure>\n",
      std::ceil(poster.sheet.size.width), drawing_html(poster, caption), player_html(a), escape_html(caption),
      kAnimationScript, script_json(script_data(a)));
}

}  // namespace torsor
