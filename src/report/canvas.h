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

  /// What `draw` draws is moved by `by`.
  void moved(Point by, const std::function<void()>& draw);

  /// Lines of at most `width`, broken at spaces, and inside a word only where it alone is wider.
  std::vector<std::string> wrapped(const std::string& text, double size, double width);
  /// Sets the text, wrapped to `width`, below `top` (of its left end, or centre for Anchor::centre); returns
  /// the height that it takes, 0 for none.
  double paragraph(Point top, const std::string& text, double width, Colour colour, double size = 11,
                   Anchor anchor = Anchor::left);

 private:
  Surface& surface_;
};

/// The height of a line of text, in whole units.
double line_height(double size);

struct Extent {
  double width = 0, height = 0;
};

/// One layout of a drawing.
struct Sheet {
  Extent size;      // user units, shown as CSS pixels
  std::string svg;  // a whole document
};

/// What a page shows: `sheet`, and `phone` where it is narrow.
struct Sheets {
  Sheet sheet, phone;
};

/// A picture in all its forms.
struct Drawing : Sheets {
  Image image;  // of `sheet`: u8 RGB, twice as many pixels, on white
};

inline constexpr double kSheetWidth = 740, kPhoneWidth = 327;  // a page's column, with and without room

/// Draws from the top left into a width, and returns the size that it took; called for each form, and before
/// it, since only the texts' extents say how high a drawing is.
using Draft = std::function<Extent(Canvas&, double width)>;

/// Throws Error when Cairo fails.
Sheets draw_sheets(const Draft& draft, double sheet_width = kSheetWidth);
Drawing draw_all(const Draft& draft, double sheet_width = kSheetWidth);

}  // namespace torsor
