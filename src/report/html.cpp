#include "report/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "core/error.h"
#include "core/files.h"
#include "image/codec.h"
#include "report/embed.h"
#include "report/grid.h"
#include "report/page_scripts.h"
#include "report/page_style.h"

namespace torsor {

namespace {

constexpr std::int64_t kSmallSide = 256;        // pictures below are shown enlarged
constexpr std::int64_t kCellSide = 96;          // that an image of a row has at the least
constexpr std::int64_t kMinCaptionWidth = 240;  // of captions under narrow pictures
constexpr std::int64_t kWide = 900;           // pixels of a picture that a phone scrolls rather than shrinks
constexpr std::size_t kLongCell = 24;         // characters of a cell that needs room for some words
constexpr std::size_t kLongestInterval = 40;  // characters that stay in one line
// Of their width, what a phone shows encoded pictures at: three columns of a grid fit it.
constexpr double kOnPhone = 0.72;
constexpr std::int64_t kNarrowEnough = 480;  // pixels of an encoded picture that a phone shrinks

bool is_number(const std::string& cell) {
  return std::any_of(cell.begin(), cell.end(), [](unsigned char c) { return std::isdigit(c); }) &&
         cell.find_first_not_of("0123456789.,+-%eE °") == std::string::npos;
}

// "0.31 (0.28 to 0.35)", which reads badly in several lines.
bool is_interval(const std::string& cell) {
  return cell.find('(') != std::string::npos && cell.size() <= kLongestInterval &&
         cell.find_first_not_of("0123456789.,+-%eE °()to") == std::string::npos;
}

/// Whether every cell of the column that is not empty is a number, and at least one is.
bool is_number_column(const Table& table, std::size_t column) {
  bool any = false;
  for (const auto& row : table.rows) {
    if (row[column].empty()) continue;
    if (!is_number(row[column])) return false;
    any = true;
  }
  return any;
}

// Of texts alone, some of them sentences: no row reads better when its cells stand side by side.
bool is_prose(const Table& table, const std::vector<char>& numbers) {
  if (std::find(numbers.begin(), numbers.end(), 1) != numbers.end()) return false;
  for (const auto& row : table.rows)
    for (std::size_t c = 1; c < row.size(); ++c)
      if (row[c].size() > 2 * kLongCell) return true;
  return false;
}

// A header's labels are empty; so are those of cells that say by themselves what they are.
std::string table_row(const std::vector<std::string>& cells, const std::vector<char>& numbers,
                      const char* tag, const std::vector<std::string>& labels = {}) {
  std::string row = "<tr>";
  for (std::size_t c = 0; c < cells.size(); ++c) {
    const char* kind = numbers[c]                    ? " class=\"number\""
                       : is_interval(cells[c])       ? " class=\"whole\""
                       : cells[c].size() > kLongCell ? " class=\"long\""
                                                     : "";
    const std::string label = c < labels.size() && !labels[c].empty()
                                  ? fmt::format(" data-label=\"{}\"", escape_html(labels[c]))
                                  : "";
    row += fmt::format("<{0}{1}{2}>{3}</{0}>", tag, kind, label, escape_html(cells[c]));
  }
  return row + "</tr>\n";
}

// `kind`: attributes that say how a phone shows it.
std::string figure_html(const Embedded& picture, const std::string& text, const std::string& kind) {
  const std::int64_t side = std::max(picture.width, picture.height);
  const std::int64_t factor = (std::max(kSmallSide, side) + side - 1) / side;
  const std::string caption = escape_html(text);
  std::string out = fmt::format(
      "<figure style=\"max-width:{}px\"{}><img{} width=\"{}\" height=\"{}\" alt=\"{}\" src=\"{}\">",
      std::max(kMinCaptionWidth, picture.width * factor), kind, factor > 1 ? " class=\"small\"" : "",
      picture.width * factor, picture.height * factor, caption, picture.uri);
  if (!caption.empty()) out += "<figcaption>" + caption + "</figcaption>";
  return out + "</figure>\n";
}

std::string image_row_html(const ImageRow& row) {
  std::string images;
  for (std::size_t i = 0; i < row.images.size(); ++i)
    images += fmt::format("<img class=\"small\" width=\"{}\" height=\"{}\" alt=\"{} {}\" src=\"{}\">",
                          row.images[i].width, row.images[i].height, escape_html(row.label), i + 1,
                          data_uri("image/png", encode_image("png", row.images[i])));
  return fmt::format("<div><p>{}</p><div class=\"row\">{}</div></div>\n", escape_html(row.label), images);
}

std::string svg_data(const std::string& svg) { return data_uri("image/svg+xml", svg); }

const char* word(Callout kind) {
  constexpr std::array<const char*, 6> kWords = {"pass", "fail", "agrees", "disagrees", "note", "warning"};
  return kWords[static_cast<std::size_t>(kind)];
}

struct ToneLook {
  const char *kind, *sign;
};

ToneLook look_of(Tone tone) {
  constexpr std::array<ToneLook, 4> kLooks = {
      {{"good", "\u2713"}, {"caution", "!"}, {"bad", "\u2715"}, {"unknown", "?"}}};
  return kLooks[static_cast<std::size_t>(tone)];
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  return out;
}

// As pictures rather than inline: Cairo numbers the glyphs of every drawing from 0, and a page has one set of
// names.
std::string drawing_html(const Sheets& drawing, const std::string& alt) {
  const auto size = [](const Sheet& sheet) {
    return fmt::format("width=\"{}\" height=\"{}\"", std::ceil(sheet.size.width),
                       std::ceil(sheet.size.height));
  };
  return fmt::format(
      "<picture><source media=\"(max-width: 640px)\" {} srcset=\"{}\"><img class=\"drawing\" {} alt=\"{}\" "
      "src=\"{}\"></picture>",
      size(drawing.phone), svg_data(drawing.phone.svg), size(drawing.sheet), escape_html(alt),
      svg_data(drawing.sheet.svg));
}

HtmlPage::HtmlPage(std::string title, std::string lead, std::string details)
    : title_(std::move(title)), lead_(std::move(lead)), details_(std::move(details)) {}

void HtmlPage::heading(const std::string& text, const std::string& id) {
  const std::string mark = id.empty() ? "" : fmt::format(" id=\"{}\"", escape_html(id));
  body_ += fmt::format("<h2{}>{}</h2>\n", mark, escape_html(text));
}
void HtmlPage::subheading(const std::string& text) { body_ += "<h3>" + escape_html(text) + "</h3>\n"; }
void HtmlPage::paragraph(const std::string& text) { body_ += "<p>" + escape_html(text) + "</p>\n"; }
void HtmlPage::preformatted(const std::string& text) { body_ += "<pre>" + escape_html(text) + "</pre>\n"; }

void HtmlPage::command(const std::string& text) {
  has_commands_ = true;
  body_ += "<div class=\"command\"><pre>" + escape_html(text) + "</pre></div>\n";
}

void HtmlPage::list(const std::vector<std::string>& items) {
  body_ += "<ul>\n";
  for (const std::string& item : items) body_ += "<li>" + escape_html(item) + "</li>\n";
  body_ += "</ul>\n";
}

void HtmlPage::table(const Table& table) {
  for (std::size_t r = 0; r < table.rows.size(); ++r)
    if (table.rows[r].size() != table.header.size())
      fail("row {} of the table '{}' has {} cells and its header {}; give every row as many", r + 1,
           table.caption, table.rows[r].size(), table.header.size());
  std::vector<char> numbers;
  for (std::size_t c = 0; c < table.header.size(); ++c) numbers.push_back(is_number_column(table, c));
  const bool prose = is_prose(table, numbers);
  const std::string caption = escape_html(table.caption);
  body_ += "<figure>\n";
  if (!caption.empty()) body_ += "<figcaption>" + caption + "</figcaption>\n";
  const bool headed =
      std::any_of(table.header.begin(), table.header.end(), [](const auto& h) { return !h.empty(); });
  body_ += fmt::format("<div class=\"scroll\" tabindex=\"0\"><table{}>\n{}<tbody>\n",
                       prose ? " class=\"prose\"" : "",
                       headed ? "<thead>" + table_row(table.header, numbers, "th") + "</thead>\n" : "");
  for (const auto& row : table.rows)
    body_ += table_row(row, numbers, "td", prose ? table.header : std::vector<std::string>{});
  body_ += "</tbody></table></div></figure>\n";
}

void HtmlPage::figure(const Figure& figure) {
  const Image& image = figure.image;
  const std::string uri = data_uri("image/png", encode_image("png", image));
  body_ += figure_html({uri, image.width, image.height}, figure.caption,
                       image.width > kWide ? " class=\"wide\"" : "");
}

// The reader of a phone scrolls a picture of several columns: shrunk to its width it would show nothing.
void HtmlPage::figure(const Embedded& picture, const std::string& caption) {
  if (picture.width <= kNarrowEnough) {
    body_ += figure_html(picture, caption, "");
    return;
  }
  body_ += fmt::format("<div class=\"sheet\" tabindex=\"0\" style=\"--narrow:{:.0f}px\">{}</div>\n",
                       kOnPhone * static_cast<double>(picture.width), figure_html(picture, caption, ""));
}

void HtmlPage::image_rows(const std::vector<ImageRow>& rows, const std::string& caption) {
  if (rows.empty() || rows.front().images.empty()) fail("rows of images need at least one image");
  const Image& first = rows.front().images.front();
  body_ += fmt::format("<figure class=\"rows\" style=\"--cell:{}px\">\n",
                       first.width * grid_enlargement(first, {.min_cell = kCellSide}));
  if (!caption.empty()) body_ += "<figcaption>" + escape_html(caption) + "</figcaption>\n";
  for (const ImageRow& row : rows) body_ += image_row_html(row);
  body_ += "</figure>\n";
}

void HtmlPage::drawing(const Drawing& drawing, const std::string& caption) {
  body_ += fmt::format("<figure class=\"drawn\" style=\"max-width:{}px\">{}",
                       std::ceil(drawing.sheet.size.width) + 8, drawing_html(drawing, caption));
  if (!caption.empty()) body_ += "<figcaption>" + escape_html(caption) + "</figcaption>";
  body_ += "</figure>\n";
}

void HtmlPage::animation(const Animation& animation, const std::string& caption) {
  body_ += animation_html(animation, caption);
}

void HtmlPage::beside(const std::function<void()>& blocks) {
  body_ += "<div class=\"beside\">\n";
  blocks();
  body_ += "</div>\n";
}

void HtmlPage::callout(Callout kind, const std::string& title, const std::string& text) {
  body_ += fmt::format("<aside class=\"{0}\"><strong><span>{0}</span>{1}</strong><p>{2}</p></aside>\n",
                       word(kind), escape_html(title), escape_html(text));
}

void HtmlPage::banner(const Banner& banner) {
  const ToneLook look = look_of(banner.tone);
  const std::string word = escape_html(banner.word);
  body_ += fmt::format(
      "<section class=\"verdict {}\" aria-label=\"Verdict: {}\"><p class=\"word\"><span aria-hidden=\"true\">"
      "{}</span>{}</p><h2>{}</h2><p>{}</p></section>\n",
      look.kind, word, look.sign, word, escape_html(banner.headline), escape_html(banner.text));
}

void HtmlPage::jumps(const std::vector<Jump>& jumps) {
  body_ += "<nav aria-label=\"On this page\">";
  for (const Jump& jump : jumps)
    body_ += fmt::format("<a href=\"#{}\">{}</a>", escape_html(jump.id), escape_html(jump.text));
  body_ += "</nav>\n";
}

std::string HtmlPage::html() const {
  const std::string title = escape_html(title_);
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  out += "<title>" + title + "</title>\n<style>" + kPageStyle + "</style>\n</head>\n<body>\n";
  out += "<header><h1>" + title + "</h1>";
  if (!lead_.empty()) out += "<p class=\"lead\">" + escape_html(lead_) + "</p>";
  if (!details_.empty()) out += "<p class=\"details\">" + escape_html(details_) + "</p>";
  out += "</header>\n<main>\n" + body_ + "</main>\n";
  if (has_commands_) out += std::string("<script>") + kCopyScript + "</script>\n";
  return out + "</body>\n</html>\n";
}

void HtmlPage::save(const std::filesystem::path& path) const { write_file_atomically(path, html()); }

}  // namespace torsor
