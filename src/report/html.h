// Pages that explain a result: one HTML file that holds its pictures and style and loads nothing from
// elsewhere.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "image/image.h"
#include "report/animation.h"
#include "report/canvas.h"

namespace torsor {

/// Cells as they should read. Columns whose cells are all numbers (with % or ° too) are set flush right.
struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  // each as long as the header
  std::string caption;
};

/// A picture of any size; sides under 128 pixels are shown enlarged by a whole factor with hard pixel edges.
struct Figure {
  Image image;          // u8 or u16
  std::string caption;  // also what screen readers say
};

enum class Callout { pass, fail, agrees, disagrees, note };

/// Collects blocks in reading order. All texts are plain: characters with a meaning in HTML are escaped.
class HtmlPage {
 public:
  explicit HtmlPage(std::string title, std::string subtitle = "");

  void heading(const std::string& text);
  void subheading(const std::string& text);
  void paragraph(const std::string& text);
  void list(const std::vector<std::string>& items);
  void preformatted(const std::string& text);  // commands, configurations
  /// Throws Error naming the first row that is not as long as the header.
  void table(const Table& table);
  void figure(const Figure& figure);
  /// A drawing as SVG.
  void drawing(const Drawing& drawing, const std::string& caption);
  void animation(const Animation& animation, const std::string& caption);
  /// Side by side, wrapping where the page is narrow.
  void figures(const std::vector<Figure>& figures);
  /// A set-off box, marked by colour and by a word, so that it reads without colour too.
  void callout(Callout kind, const std::string& title, const std::string& text);

  std::string html() const;
  /// Writes the page atomically; the folder must exist. Throws Error naming the path.
  void save(const std::filesystem::path& path) const;

 private:
  std::string title_, subtitle_, body_;
};

/// A drawing as the address of a picture that needs no file.
std::string svg_data(const std::string& svg);

/// `text` with & < > " ' written as character references.
std::string escape_html(std::string_view text);

}  // namespace torsor
