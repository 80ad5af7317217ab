#include "report/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "core/error.h"
#include "core/files.h"
#include "image/codec.h"

namespace torsor {

namespace {

constexpr std::int64_t kSmallSide = 128;        // pictures below are shown enlarged
constexpr std::int64_t kMinCaptionWidth = 240;  // of captions under narrow pictures

constexpr const char* kStyle = R"css(
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --page: #fbfbfa; --card: #ffffff;
  --line: #e1e4e8; --pass: #1a7f4b; --fail: #b3352b; --note: #2f62b0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e7ec; --soft: #9aa5b3; --page: #14181d; --card: #1c2127;
  --line: #313841; --pass: #4cc38a; --fail: #f0857c; --note: #82aef2; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 3rem 1.25rem 5rem; max-width: 60rem; background: var(--page); color: var(--ink);
  font: 1.0625rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
header { margin-bottom: 2.5rem; border-bottom: 1px solid var(--line); padding-bottom: 1.25rem; }
h1 { font-size: 2rem; line-height: 1.2; letter-spacing: -0.015em; margin: 0; }
header p { color: var(--soft); margin: 0.5rem 0 0; }
h2 { font-size: 1.4rem; line-height: 1.3; letter-spacing: -0.01em; margin: 2.75rem 0 0.75rem; }
h3 { font-size: 1.1rem; margin: 2rem 0 0.5rem; }
p, ul { max-width: 44rem; margin: 0.75rem 0; }
.scroll { overflow-x: auto; margin: 1.25rem 0; }
table { border-collapse: collapse; font-size: 0.95rem; font-variant-numeric: tabular-nums; }
caption, figcaption { color: var(--soft); font-size: 0.9rem; text-align: left; padding: 0.4rem 0; }
th, td { padding: 0.4rem 1rem 0.4rem 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; border-bottom-width: 2px; }
.number { text-align: right; }
figure { margin: 1.25rem 0; min-width: 0; }
.figures { display: flex; flex-wrap: wrap; gap: 1.25rem; margin: 1.25rem 0; }
.figures figure { margin: 0; }
img { display: block; max-width: 100%; height: auto; border-radius: 4px; }
img.small { image-rendering: pixelated; }
img.drawing { background: #fff; padding: 4px; }
.animation div { position: relative; }
.animation canvas { position: absolute; left: 4px; top: 4px; width: calc(100% - 8px); height: calc(100% - 8px); }
.animation .ground, .animation p, .playing .still { display: none; }
.playing .ground, .playing p { display: block; }
.animation input { width: 50%; vertical-align: middle; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 0.8rem 1rem;
  overflow-x: auto; font: 0.9rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
aside { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--tone); border-radius: 6px;
  padding: 0.8rem 1.1rem; margin: 1.25rem 0; max-width: 46rem; }
aside strong span { color: var(--tone); margin-right: 0.6em; text-transform: uppercase; font-size: 0.8rem;
  letter-spacing: 0.06em; }
aside p { margin: 0.25rem 0 0; }
.pass, .agrees { --tone: var(--pass); } .fail, .disagrees { --tone: var(--fail); } .note { --tone: var(--note); }
@media print { .playing .still { display: block; } .playing .ground, .playing canvas, .playing p { display: none; }
  body { max-width: none; padding: 0; } aside, figure, tr { break-inside: avoid; } }
)css";

/// RFC 4648, section 4.
std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < left ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) text += k <= left ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

bool is_number(const std::string& cell) {
  return std::any_of(cell.begin(), cell.end(), [](unsigned char c) { return std::isdigit(c); }) &&
         cell.find_first_not_of("0123456789.,+-%eE °") == std::string::npos;
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

std::string table_row(const std::vector<std::string>& cells, const std::vector<char>& numbers,
                      const char* tag) {
  std::string row = "<tr>";
  for (std::size_t c = 0; c < cells.size(); ++c)
    row +=
        fmt::format("<{0}{1}>{2}</{0}>", tag, numbers[c] ? " class=\"number\"" : "", escape_html(cells[c]));
  return row + "</tr>\n";
}

std::string figure_html(const Figure& figure) {
  const Image& image = figure.image;
  const std::int64_t side = std::max(image.width, image.height);
  const bool small = side < kSmallSide;
  const std::int64_t factor = small ? (kSmallSide + side - 1) / side : 1;
  const std::string caption = escape_html(figure.caption);
  std::string out = fmt::format(
      "<figure style=\"max-width:{}px\"><img{} width=\"{}\" height=\"{}\" alt=\"{}\" "
      "src=\"data:image/png;base64,{}\">",
      std::max(kMinCaptionWidth, image.width * factor), small ? " class=\"small\"" : "", image.width * factor,
      image.height * factor, caption, base64(encode_image("png", image)));
  if (!caption.empty()) out += "<figcaption>" + caption + "</figcaption>";
  return out + "</figure>\n";
}

const char* word(Callout kind) {
  constexpr std::array<const char*, 5> kWords = {"pass", "fail", "agrees", "disagrees", "note"};
  return kWords[static_cast<std::size_t>(kind)];
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

std::string svg_data(const std::string& svg) { return "data:image/svg+xml;base64," + base64(svg); }

HtmlPage::HtmlPage(std::string title, std::string subtitle)
    : title_(std::move(title)), subtitle_(std::move(subtitle)) {}

void HtmlPage::heading(const std::string& text) { body_ += "<h2>" + escape_html(text) + "</h2>\n"; }
void HtmlPage::subheading(const std::string& text) { body_ += "<h3>" + escape_html(text) + "</h3>\n"; }
void HtmlPage::paragraph(const std::string& text) { body_ += "<p>" + escape_html(text) + "</p>\n"; }
void HtmlPage::preformatted(const std::string& text) { body_ += "<pre>" + escape_html(text) + "</pre>\n"; }

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
  body_ += "<div class=\"scroll\"><table>\n";
  if (!table.caption.empty()) body_ += "<caption>" + escape_html(table.caption) + "</caption>\n";
  body_ += "<thead>" + table_row(table.header, numbers, "th") + "</thead>\n<tbody>\n";
  for (const auto& row : table.rows) body_ += table_row(row, numbers, "td");
  body_ += "</tbody></table></div>\n";
}

void HtmlPage::figure(const Figure& figure) { body_ += figure_html(figure); }

// As a picture rather than inline: Cairo numbers the glyphs of every drawing from 0, and a page has one set
// of names.
void HtmlPage::drawing(const Drawing& drawing, const std::string& caption) {
  const std::string text = escape_html(caption);
  body_ += fmt::format(
      "<figure style=\"max-width:{0}px\"><img class=\"drawing\" width=\"{0}\" height=\"{1}\" alt=\"{2}\" "
      "src=\"{3}\"><figcaption>{2}</figcaption></figure>\n",
      std::ceil(drawing.width), std::ceil(drawing.height), text, svg_data(drawing.svg));
}

void HtmlPage::animation(const Animation& animation, const std::string& caption) {
  body_ += animation_html(animation, caption);
}

void HtmlPage::figures(const std::vector<Figure>& figures) {
  body_ += "<div class=\"figures\">\n";
  for (const Figure& figure : figures) body_ += figure_html(figure);
  body_ += "</div>\n";
}

void HtmlPage::callout(Callout kind, const std::string& title, const std::string& text) {
  body_ += fmt::format("<aside class=\"{0}\"><strong><span>{0}</span>{1}</strong><p>{2}</p></aside>\n",
                       word(kind), escape_html(title), escape_html(text));
}

std::string HtmlPage::html() const {
  const std::string title = escape_html(title_);
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  out += "<title>" + title + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n";
  out += "<header><h1>" + title + "</h1>";
  if (!subtitle_.empty()) out += "<p>" + escape_html(subtitle_) + "</p>";
  return out + "</header>\n<main>\n" + body_ + "</main>\n</body>\n</html>\n";
}

void HtmlPage::save(const std::filesystem::path& path) const { write_file_atomically(path, html()); }

}  // namespace torsor
