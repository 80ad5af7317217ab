// Points that move: panels beside each other (one below the other on a phone), played in the browser.
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
  std::size_t poster = 0;  // the frame that shows the point: what a reader sees before playing, and on paper
};

/// One frame as a drawing. Throws Error when there is no such frame, panel or group.
Drawing draw(const Animation& animation, std::size_t frame);

/// A block of HTML that opens at the poster and plays all frames, with a slider for mouse, touch and
/// keyboard; where scripts do not run, the poster. Throws Error as draw() does.
std::string animation_html(const Animation& animation, const std::string& caption);

}  // namespace torsor
