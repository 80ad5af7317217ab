#include "report/canvas.h"

#include <cairo-svg.h>
#include <cairo.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <regex>

#include "core/error.h"

namespace torsor {

struct Canvas::Surface {
  explicit Surface(cairo_surface_t* made) : surface(made), cairo(cairo_create(made)) {
    cairo_select_font_face(cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
    // A text is as wide on every surface, so that a layout fits all.
    cairo_font_options_t* options = cairo_font_options_create();
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_set_font_options(cairo, options);
    cairo_font_options_destroy(options);
  }
  ~Surface() {
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
  }
  Surface(const Surface&) = delete;
  Surface& operator=(const Surface&) = delete;

  // Completes what was drawn.
  void finish() {
    const cairo_status_t status = cairo_status(cairo);
    cairo_surface_finish(surface);
    const cairo_status_t end = status != CAIRO_STATUS_SUCCESS ? status : cairo_surface_status(surface);
    if (end != CAIRO_STATUS_SUCCESS) fail("a figure could not be drawn: {}", cairo_status_to_string(end));
  }

  cairo_surface_t* surface;
  cairo_t* cairo;
};

namespace {

constexpr double kPixelsPerUnit = 2;

void set_colour(cairo_t* cairo, const Colour& c) { cairo_set_source_rgba(cairo, c.r, c.g, c.b, c.a); }

cairo_status_t append(void* to, const unsigned char* bytes, unsigned int size) {
  try {
    static_cast<std::string*>(to)->append(reinterpret_cast<const char*>(bytes), size);
    return CAIRO_STATUS_SUCCESS;
  } catch (const std::exception&) {
    return CAIRO_STATUS_NO_MEMORY;
  }
}

Extent measured(const Draft& draft, double width) {
  Canvas::Surface surface(cairo_recording_surface_create(CAIRO_CONTENT_COLOR_ALPHA, nullptr));
  Canvas canvas(surface);
  const Extent size = draft(canvas, width);
  surface.finish();
  return size;
}

Sheet draw_sheet(const Draft& draft, double width) {
  Sheet sheet{measured(draft, width), ""};
  Canvas::Surface surface(
      cairo_svg_surface_create_for_stream(append, &sheet.svg, sheet.size.width, sheet.size.height));
  cairo_svg_surface_set_document_unit(surface.surface, CAIRO_SVG_UNIT_PX);
  Canvas canvas(surface);
  draft(canvas, width);
  surface.finish();
  // Cairo numbers the surfaces of a process; the same drawing shall be the same document.
  sheet.svg = std::regex_replace(sheet.svg, std::regex("\"surface[0-9]+\""), "\"surface\"");
  return sheet;
}

// Cairo's pixels are 32-bit numbers 0xAARRGGBB.
Image to_rgb(cairo_surface_t* surface) {
  cairo_surface_flush(surface);
  Image image =
      Image::blank(cairo_image_surface_get_width(surface), cairo_image_surface_get_height(surface), 3);
  const unsigned char* rows = cairo_image_surface_get_data(surface);
  const auto stride = static_cast<std::size_t>(cairo_image_surface_get_stride(surface));
  std::uint8_t* out = image.u8();
  for (std::int64_t y = 0; y < image.height; ++y)
    for (std::int64_t x = 0; x < image.width; ++x) {
      const auto pixel =
          reinterpret_cast<const std::uint32_t*>(rows + static_cast<std::size_t>(y) * stride)[x];
      for (const int shift : {16, 8, 0}) *out++ = static_cast<std::uint8_t>(pixel >> shift);
    }
  return image;
}

Image draw_image(const Draft& draft, double width, const Extent& size) {
  const auto pixels = [](double units) { return static_cast<int>(std::ceil(units * kPixelsPerUnit)); };
  Canvas::Surface surface(
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, pixels(size.width), pixels(size.height)));
  cairo_scale(surface.cairo, kPixelsPerUnit, kPixelsPerUnit);
  Canvas canvas(surface);
  canvas.rectangle({0, 0}, size.width + 1, size.height + 1, {1, 1, 1});
  draft(canvas, width);
  Image image = to_rgb(surface.surface);
  surface.finish();
  return image;
}

// Where the character that holds byte `at` ends.
std::size_t character_end(const std::string& text, std::size_t at) {
  do ++at;
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

}  // namespace

void Canvas::line(Point from, Point to, Colour colour, double width) { path({from, to}, colour, width); }

void Canvas::path(const std::vector<Point>& points, Colour colour, double width) {
  cairo_t* cairo = surface_.cairo;
  bool begun = false;
  cairo_new_path(cairo);
  for (const Point& p : points) {
    const bool there = std::isfinite(p.x) && std::isfinite(p.y);
    if (there && begun) cairo_line_to(cairo, p.x, p.y);
    if (there && !begun) cairo_move_to(cairo, p.x, p.y);
    begun = there;
  }
  set_colour(cairo, colour);
  cairo_set_line_width(cairo, width);
  cairo_stroke(cairo);
}

void Canvas::polygon(const std::vector<Point>& points, Colour fill) {
  cairo_t* cairo = surface_.cairo;
  cairo_new_path(cairo);
  for (const Point& p : points) cairo_line_to(cairo, p.x, p.y);
  cairo_close_path(cairo);
  set_colour(cairo, fill);
  cairo_fill(cairo);
}

void Canvas::rectangle(Point corner, double width, double height, Colour fill) {
  cairo_rectangle(surface_.cairo, corner.x, corner.y, width, height);
  set_colour(surface_.cairo, fill);
  cairo_fill(surface_.cairo);
}

void Canvas::disc(Point centre, double radius, Colour fill) {
  cairo_new_path(surface_.cairo);
  cairo_arc(surface_.cairo, centre.x, centre.y, radius, 0, 2 * std::numbers::pi);
  set_colour(surface_.cairo, fill);
  cairo_fill(surface_.cairo);
}

void Canvas::text(Point at, const std::string& text, Colour colour, double size, Anchor anchor,
                  double degrees) {
  cairo_t* cairo = surface_.cairo;
  const double width = anchor == Anchor::left ? 0 : text_width(text, size);
  cairo_save(cairo);
  cairo_translate(cairo, at.x, at.y);
  cairo_rotate(cairo, -degrees * std::numbers::pi / 180);
  cairo_move_to(cairo, anchor == Anchor::right ? -width : -width / 2, 0);
  set_colour(cairo, colour);
  cairo_set_font_size(cairo, size);
  cairo_show_text(cairo, text.c_str());
  cairo_restore(cairo);
}

void Canvas::moved(Point by, const std::function<void()>& draw) {
  cairo_save(surface_.cairo);
  cairo_translate(surface_.cairo, by.x, by.y);
  draw();
  cairo_restore(surface_.cairo);
}

double Canvas::text_width(const std::string& text, double size) {
  cairo_text_extents_t extents;
  cairo_set_font_size(surface_.cairo, size);
  cairo_text_extents(surface_.cairo, text.c_str(), &extents);
  return extents.x_advance;
}

std::vector<std::string> Canvas::wrapped(const std::string& text, double size, double width) {
  std::vector<std::string> lines;
  std::string line;
  const auto fits = [&](const std::string& candidate) { return text_width(candidate, size) <= width; };
  const auto end_line = [&] {
    if (!line.empty()) lines.push_back(std::move(line));
    line.clear();
  };
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t space = std::min(text.find(' ', start), text.size());
    const std::string word = text.substr(start, space - start);
    start = space + 1;
    const std::string longer = line.empty() ? word : line + " " + word;
    if (fits(longer)) {
      line = longer;
      continue;
    }
    end_line();
    for (std::size_t at = 0; at < word.size();) {
      const std::size_t end = character_end(word, at);
      const std::string character = word.substr(at, end - at);
      if (!line.empty() && !fits(line + character)) end_line();
      line += character;
      at = end;
    }
  }
  end_line();
  return lines;
}

double Canvas::paragraph(Point top, const std::string& text, double width, Colour colour, double size,
                         Anchor anchor) {
  double y = top.y;
  for (const std::string& line : wrapped(text, size, width)) {
    this->text({top.x, y + size}, line, colour, size, anchor);
    y += line_height(size);
  }
  return y - top.y;
}

double line_height(double size) { return std::ceil(1.3 * size); }

Sheets draw_sheets(const Draft& draft, double sheet_width) {
  return {draw_sheet(draft, sheet_width), draw_sheet(draft, kPhoneWidth)};
}

Drawing draw_all(const Draft& draft, double sheet_width) {
  Drawing drawing{draw_sheets(draft, sheet_width), {}};
  drawing.image = draw_image(draft, sheet_width, drawing.sheet.size);
  return drawing;
}

}  // namespace torsor
