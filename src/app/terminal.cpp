#include "app/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <clocale>
#include <cstdlib>
#include <cwchar>
#include <iostream>

namespace torsor::app {

namespace {

constexpr std::size_t kUsualWidth = 80;

int descriptor(Stream stream) { return stream == Stream::output ? STDOUT_FILENO : STDERR_FILENO; }

// The widths of characters are part of a locale; this one has Unicode's, whatever the user's is.
class UnicodeScope {
 public:
  UnicodeScope() : unicode_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (unicode_ != nullptr) before_ = ::uselocale(unicode_);
  }
  ~UnicodeScope() {
    if (unicode_ == nullptr) return;
    ::uselocale(before_);
    ::freelocale(unicode_);
  }
  UnicodeScope(const UnicodeScope&) = delete;
  UnicodeScope& operator=(const UnicodeScope&) = delete;

 private:
  locale_t unicode_;
  locale_t before_ = nullptr;
};

struct Glyph {
  std::string_view bytes;
  std::size_t columns = 0;
  bool printable = false;
};

// Of text that is not empty. A byte that is no character is shown as one column of '?'.
Glyph first_glyph(std::string_view text) {
  std::mbstate_t state{};
  wchar_t wide = 0;
  const std::size_t length = std::mbrtowc(&wide, text.data(), text.size(), &state);
  if (length == 0 || length > text.size()) return {text.substr(0, 1), 1, false};
  const int columns = ::wcwidth(wide);
  if (columns < 0) return {text.substr(0, length), 1, false};
  return {text.substr(0, length), static_cast<std::size_t>(columns), true};
}

}  // namespace

std::ostream& stream_of(Stream stream) { return stream == Stream::output ? std::cout : std::cerr; }

bool is_terminal(Stream stream) {
  const char* const kind = std::getenv("TERM");
  return ::isatty(descriptor(stream)) == 1 && (kind == nullptr || std::string_view(kind) != "dumb");
}

std::size_t terminal_width(Stream stream) {
  winsize size{};
  if (::ioctl(descriptor(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const char* const columns = std::getenv("COLUMNS");
  if (columns == nullptr) return kUsualWidth;
  const std::string_view text = columns;
  std::size_t width = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), width);
  return status == std::errc() && end == text.data() + text.size() && width > 0 ? width : kUsualWidth;
}

std::size_t display_width(std::string_view text) {
  const UnicodeScope unicode;
  std::size_t columns = 0;
  while (!text.empty()) {
    const Glyph glyph = first_glyph(text);
    columns += glyph.columns;
    text.remove_prefix(glyph.bytes.size());
  }
  return columns;
}

std::string fit(std::string_view text, std::size_t columns) {
  constexpr std::string_view kCut = "...";
  const bool whole = display_width(text) <= columns;
  const std::size_t room = whole ? columns : columns > kCut.size() ? columns - kCut.size() : 0;
  const UnicodeScope unicode;
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    const Glyph glyph = first_glyph(text);
    if (used + glyph.columns > room) break;
    out += glyph.printable ? glyph.bytes : "?";
    used += glyph.columns;
    text.remove_prefix(glyph.bytes.size());
  }
  return whole ? out : out + std::string(kCut.substr(0, columns));
}

std::string wrap(std::string_view text, std::size_t columns, std::size_t indent) {
  std::string out;
  std::size_t used = 0;
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    const std::size_t width = display_width(word);
    if (used > indent && used + 1 + width > columns) {
      out += "\n" + std::string(indent, ' ');
      used = indent;
    } else if (!first) {
      out += ' ';
      ++used;
    }
    first = false;
    out += word;
    used += width;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace torsor::app
