// Drawing in user units, once for SVG and for PNG, by Cairo.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "image/image.h"

namespace torsor {

struct Point {
  double x = 0, y = 0;
};

/// Red, green, blue and opacity in [0, 1].
struct Colour {
  double r = 0, g = 0, b = 0, a = 1;
};

enum class Anchor { left, centre, right };

/// Origin at the top left, y downwards. Texts are set in the system's sans-serif.
class Canvas {
 public:
  struct Surface;
  explicit Canvas(Surface& surface) : surface_(surface) {}

  void line(Point from, Point to, Colour colour, double width = 1);
  /// Through all points; gaps where one is not finite.
  void path(const std::vector<Point>& points, Colour colour, double width = 1.5);
  void polygon(const std::vector<Point>& points, Colour fill);
  void rectangle(Point corner, double width, double height, Colour fill);
  void disc(Point centre, double radius, Colour fill);
  /// `at` is on the text's base line; `degrees` turn it counter-clockwise.
  void text(Point at, const std::string& text, Colour colour, double size = 11, Anchor anchor = Anchor::left,
            double degrees = 0);
  double text_width(const std::string& text, double size = 11);

 private:
  Surface& surface_;
};

/// A picture in both of its forms.
struct Drawing {
  double width = 0, height = 0;  // user units, shown as CSS pixels
  std::string svg;               // a whole document
  Image image;                   // u8 RGB, twice as many pixels, on white
};

/// Runs `draw` for each form. Throws Error when Cairo fails.
Drawing draw_both(double width, double height, const std::function<void(Canvas&)>& draw);

}  // namespace torsor
