// Points that move: panels side by side, played in the browser, with the last frame as a drawing for paper.
#pragma once

#include <string>
#include <vector>

#include "report/canvas.h"

namespace torsor {

/// A square panel; the same range on both axes.
struct AnimationPanel {
  std::string title;
  double low = -1, high = 1;
  std::vector<std::vector<Point>> guides = {};  // lines that stay
};

/// A point in one of the panels; its group chooses the colour.
struct AnimatedPoint {
  int panel = 0;
  Point at;
  int group = 0;
};

struct AnimationFrame {
  std::string label;
  std::vector<AnimatedPoint> points;
};

struct Animation {
  std::vector<AnimationPanel> panels;
  std::vector<std::string> groups;  // names, for the legend
  std::vector<AnimationFrame> frames;
};

/// One frame as a drawing. Throws Error when there is no such frame, panel or group.
Drawing draw(const Animation& animation, std::size_t frame);

/// A block of HTML that plays all frames, with a slider; where scripts do not run, the last frame.
std::string animation_html(const Animation& animation, const std::string& caption);

}  // namespace torsor
