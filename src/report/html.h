// Pages that explain a result: one HTML file that holds its pictures and style and loads nothing from
// elsewhere.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "image/image.h"
#include "report/animation.h"
#include "report/canvas.h"

namespace torsor {

/// Cells as they should read; a header of empty cells is not shown. Columns whose cells are all numbers (with
/// % or ° too) are set flush right.
struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  // each as long as the header
  std::string caption;
};

/// A picture of any size; small ones are shown enlarged by a whole factor with hard pixel edges.
struct Figure {
  Image image;          // u8 or u16
  std::string caption;  // also what screen readers say
};

/// Images of one size that belong together; the same place in every row is the same example.
struct ImageRow {
  std::string label;
  std::vector<Image> images;  // u8 or u16
};

enum class Callout { pass, fail, agrees, disagrees, note, warning };

/// How a verdict looks.
enum class Tone { good, caution, bad, unknown };

/// What a page has to say first, in large letters on a coloured ground.
struct Banner {
  Tone tone = Tone::unknown;
  std::string word;      // "Red": the verdict for those who do not see its colour
  std::string headline;  // what it means, in a few words
  std::string text;      // why
};

/// A heading that a page jumps to.
struct Jump {
  std::string text, id;
};

struct Embedded;

/// Collects blocks in reading order. All texts are plain: characters with a meaning in HTML are escaped.
class HtmlPage {
 public:
  /// `lead`: one sentence for a stranger, the first thing on the page; `details`: when and how it was made.
  explicit HtmlPage(std::string title, std::string lead = "", std::string details = "");

  /// `id`: what jumps() names, a word of small letters.
  void heading(const std::string& text, const std::string& id = "");
  void subheading(const std::string& text);
  void paragraph(const std::string& text);
  void list(const std::vector<std::string>& items);
  void preformatted(const std::string& text);  // configurations
  /// A command line, with a button that copies it; where scripts do not run, the text alone.
  void command(const std::string& text);
  /// Scrolls by itself where the page is narrow; one of texts alone is set as a list there. Throws Error
  /// naming the first row that is not as long as the header.
  void table(const Table& table);
  void figure(const Figure& figure);
  /// The same of a picture that is encoded already. A large one scrolls on a phone, so that the cells of a
  /// grid stay large enough to be seen.
  void figure(const Embedded& picture, const std::string& caption);
  /// Labelled rows, their images enlarged by a whole factor with hard pixel edges. A phone shows the first
  /// three of each row, so that they stay large and all rows in sight. Throws Error when there is no image.
  void image_rows(const std::vector<ImageRow>& rows, const std::string& caption);
  /// As SVG, in the form that fits the page.
  void drawing(const Drawing& drawing, const std::string& caption);
  void animation(const Animation& animation, const std::string& caption);
  /// Markup that one of the *_html functions made.
  void insert(const std::string& html) { body_ += html; }
  /// What `blocks` adds stands side by side, and wraps where the page is narrow.
  void beside(const std::function<void()>& blocks);
  /// A set-off box, marked by colour and by a word, so that it reads without colour too.
  void callout(Callout kind, const std::string& title, const std::string& text);
  /// Marked by colour, by a sign and by its word.
  void banner(const Banner& banner);
  /// Links to headings of this page.
  void jumps(const std::vector<Jump>& jumps);

  std::string html() const;
  /// Writes the page atomically; the folder must exist. Throws Error naming the path.
  void save(const std::filesystem::path& path) const;

 private:
  std::string title_, lead_, details_, body_;
  bool has_commands_ = false;
};

/// The drawing's forms as one <picture> that needs no file and chooses by the page's width.
std::string drawing_html(const Sheets& drawing, const std::string& alt);

/// `text` with & < > " ' written as character references.
std::string escape_html(std::string_view text);

}  // namespace torsor
