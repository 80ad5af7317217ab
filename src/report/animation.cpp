#include "report/animation.h"

#include <fmt/format.h>

#include <cmath>

#include "core/error.h"
#include "core/json.h"
#include "report/html.h"
#include "report/palette.h"

namespace torsor {

namespace {

constexpr double kSide = 300, kGap = 24, kTop = 54, kBottom = 12;
constexpr double kDot = 3.5, kOpacity = 0.75;

double left_of(std::size_t panel) { return kGap + static_cast<double>(panel) * (kSide + kGap); }

// The place of a point of a panel; y upwards.
Point placed(const AnimationPanel& panel, std::size_t index, Point p) {
  const double scale = kSide / (panel.high - panel.low);
  return {left_of(index) + (p.x - panel.low) * scale, kTop + (panel.high - p.y) * scale};
}

double width_of(const Animation& a) { return left_of(a.panels.size()); }

void check(const Animation& a, const AnimationFrame& frame) {
  for (const AnimatedPoint& p : frame.points)
    if (p.panel < 0 || p.panel >= std::ssize(a.panels) || p.group < 0 || p.group >= std::ssize(a.groups) ||
        p.group >= std::ssize(palette::kSeries))
      fail("the animation's frame '{}' has a point in panel {} and group {}; there are {} and {}",
           frame.label, p.panel, p.group, a.panels.size(), a.groups.size());
}

void draw_panel(Canvas& canvas, const Animation& a, std::size_t index) {
  const AnimationPanel& panel = a.panels[index];
  canvas.text({left_of(index) + kSide / 2, kTop - 8}, panel.title, palette::kInk, 12, Anchor::centre);
  const double left = left_of(index), right = left + kSide, bottom = kTop + kSide;
  canvas.path({{left, kTop}, {right, kTop}, {right, bottom}, {left, bottom}, {left, kTop}}, palette::kGrid,
              1);
  for (const auto& guide : panel.guides) {
    std::vector<Point> line;
    for (const Point& p : guide) line.push_back(placed(panel, index, p));
    canvas.path(line, palette::kGrid, 1.5);
  }
}

// What the script needs, in pixels: {"frames": [{"label", "points": [x, y, group, ...]}], "colours": [...]}.
Json script_data(const Animation& a) {
  Json colours = Json::array(), frames = Json::array();
  for (const Colour& c : palette::kSeries)
    colours.push_back(
        fmt::format("rgba({:.0f},{:.0f},{:.0f},{})", 255 * c.r, 255 * c.g, 255 * c.b, kOpacity));
  for (const AnimationFrame& frame : a.frames) {
    check(a, frame);
    Json numbers = Json::array();
    for (const AnimatedPoint& p : frame.points) {
      const auto panel = static_cast<std::size_t>(p.panel);
      const Point at = placed(a.panels[panel], panel, p.at);
      numbers.push_back(std::round(at.x * 10) / 10);
      numbers.push_back(std::round(at.y * 10) / 10);
      numbers.push_back(p.group);
    }
    frames.push_back({{"label", frame.label}, {"points", numbers}});
  }
  return {{"colours", colours}, {"frames", frames}, {"dot", kDot}};
}

// The still lies behind a transparent canvas, on which the script draws the points.
constexpr const char* kScript = R"js(
(function (box, data) {
  var canvas = box.querySelector("canvas"), slider = box.querySelector("input");
  var button = box.querySelector("button"), label = box.querySelector("output");
  var context = canvas.getContext("2d"), scale = window.devicePixelRatio || 1, timer = null;
  canvas.width = canvas.clientWidth * scale;
  canvas.height = canvas.clientHeight * scale;
  var unit = canvas.width / Number(canvas.dataset.width);
  function show(index) {
    var frame = data.frames[index], p = frame.points;
    context.clearRect(0, 0, canvas.width, canvas.height);
    for (var i = 0; i < p.length; i += 3) {
      context.fillStyle = data.colours[p[i + 2]];
      context.beginPath();
      context.arc(p[i] * unit, p[i + 1] * unit, data.dot * unit, 0, 7);
      context.fill();
    }
    slider.value = index;
    label.textContent = frame.label;
  }
  function stop() { clearInterval(timer); timer = null; button.textContent = "Play"; }
  function play() {
    if (Number(slider.value) >= data.frames.length - 1) show(0);
    button.textContent = "Pause";
    timer = setInterval(function () {
      var next = Number(slider.value) + 1;
      if (next >= data.frames.length) stop(); else show(next);
    }, 90);
  }
  button.onclick = function () { if (timer) stop(); else play(); };
  slider.oninput = function () { stop(); show(Number(slider.value)); };
  slider.max = data.frames.length - 1;
  box.classList.add("playing");
  show(data.frames.length - 1);
})(document.currentScript.parentNode, )js";

}  // namespace

Drawing draw(const Animation& a, std::size_t frame) {
  if (frame > a.frames.size())
    fail("the animation has {} frames and no frame {}", a.frames.size(), frame + 1);
  if (frame < a.frames.size()) check(a, a.frames[frame]);
  return draw_both(width_of(a), kTop + kSide + kBottom, [&](Canvas& canvas) {
    double at = kGap;
    for (std::size_t g = 0; g < a.groups.size(); ++g) {
      canvas.disc({at + 4, 16}, 4, palette::kSeries[g]);
      canvas.text({at + 13, 20}, a.groups[g], palette::kInk, 11);
      at += 32 + canvas.text_width(a.groups[g], 11);
    }
    for (std::size_t i = 0; i < a.panels.size(); ++i) draw_panel(canvas, a, i);
    if (frame == a.frames.size()) return;
    for (const AnimatedPoint& p : a.frames[frame].points) {
      const auto panel = static_cast<std::size_t>(p.panel);
      Colour colour = palette::kSeries[static_cast<std::size_t>(p.group)];
      colour.a = kOpacity;
      canvas.disc(placed(a.panels[panel], panel, p.at), kDot, colour);
    }
  });
}

std::string animation_html(const Animation& a, const std::string& caption) {
  if (a.frames.empty()) fail("an animation needs a frame");
  const Drawing last = draw(a, a.frames.size() - 1), empty = draw(a, a.frames.size());
  const auto picture = [](const Drawing& d, const char* kind) {
    return fmt::format("<img class=\"drawing {}\" width=\"{}\" height=\"{}\" alt=\"\" src=\"{}\">", kind,
                       std::ceil(d.width), std::ceil(d.height), svg_data(d.svg));
  };
  // A closing tag inside the data would end the script; JSON may write / as \/.
  std::string data = script_data(a).dump();
  for (std::size_t at = 0; (at = data.find("</", at)) != std::string::npos; at += 3)
    data.replace(at, 2, "<\\/");
  return fmt::format(
      "<figure class=\"animation\" style=\"max-width:{}px\"><div>{}{}<canvas "
      "data-width=\"{}\"></canvas></div>"
      "<p><button>Play</button> <input type=\"range\" min=\"0\" value=\"0\" aria-label=\"frame\"> "
      "<output></output></p><figcaption>{}</figcaption><script>{}{});</script></figure>\n",
      std::ceil(last.width), picture(last, "still"), picture(empty, "ground"), last.width,
      escape_html(caption), kScript, data);
}

}  // namespace torsor
