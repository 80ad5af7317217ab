#include "audit/label_table.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "core/error.h"
#include "core/files.h"

namespace torsor {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Reads the fields of one record after the other.
class LabelScanner {
 public:
  LabelScanner(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  bool done() const { return at_ >= text_.size(); }
  std::int64_t line() const { return line_; }

  std::vector<std::string> record() {
    std::vector<std::string> fields = {field()};
    while (take(',')) fields.push_back(field());
    if (!done() && !take_line_end())
      refuse("a quoted field is followed by other characters than a comma or the line's end");
    return fields;
  }

  [[noreturn]] void refuse(const std::string& what, std::int64_t line = 0) const {
    fail("{}:{}: {}", source_, line > 0 ? line : line_, what);
  }

 private:
  bool take(char wanted) {
    if (done() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  bool take_line_end() {
    const std::size_t before = at_;
    take('\r');
    if (take('\n')) {
      ++line_;
      return true;
    }
    at_ = before;
    return false;
  }

  std::string field() { return take('"') ? quoted() : plain(); }

  std::string plain() {
    const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    std::string out(text_.substr(at_, end - at_));
    if (out.find('"') != std::string::npos)
      refuse(
          "a quote inside a field without quotes; put the whole field into quotes and double those inside");
    at_ = end;
    return out;
  }

  std::string quoted() {
    const std::int64_t begin = line_;
    std::string out;
    for (; !done(); ++at_) {
      if (text_[at_] == '"' && text_.substr(at_, 2) != "\"\"") {
        ++at_;
        return out;
      }
      if (text_[at_] == '"') ++at_;  // of two
      if (text_[at_] == '\n') ++line_;
      out += text_[at_];
    }
    refuse("a quote that begins here is never closed", begin);
  }

  std::string_view text_;
  const std::string& source_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
};

std::string stem_of(const std::string& name) {
  return std::filesystem::path(name).replace_extension().generic_string();
}

// The images of a name, with and without extension.
class ImageNames {
 public:
  explicit ImageNames(const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      whole_[names[i]] = i;
      stems_[stem_of(names[i])].push_back(i);
    }
  }

  /// None, one, or several of which no one is meant.
  std::vector<std::size_t> find(const std::string& name) const {
    if (const auto exact = whole_.find(name); exact != whole_.end()) return {exact->second};
    const auto stem = stems_.find(name);
    return stem == stems_.end() ? std::vector<std::size_t>{} : stem->second;
  }

 private:
  std::map<std::string, std::size_t> whole_;
  std::map<std::string, std::vector<std::size_t>> stems_;
};

void place_label(NamedLabels& out, const LabelRow& row, std::size_t image) {
  if (out.lines[image] != 0)
    fail("{}:{}: the image '{}' has a label already, in line {}", out.source, row.line, printable(row.name),
         out.lines[image]);
  out.labels[image] = row.label;
  out.lines[image] = row.line;
  --out.without_label;
}

}  // namespace

std::vector<LabelRow> parse_label_table(const std::string& text, const std::string& source) {
  std::string_view body = text;
  if (body.starts_with(kByteOrderMark)) body.remove_prefix(kByteOrderMark.size());
  LabelScanner scanner(body, source);
  std::vector<LabelRow> out;
  while (!scanner.done()) {
    const std::int64_t line = scanner.line();
    std::vector<std::string> fields = scanner.record();
    if (fields.size() != 2)
      scanner.refuse(fmt::format("expected name,label and found {} field{}", fields.size(),
                                 fields.size() == 1 ? "" : "s"),
                     line);
    if (fields[0].empty()) scanner.refuse("the name is empty", line);
    if (fields[1].empty())
      scanner.refuse("the label is empty; leave out the line of an image without a label", line);
    if (!is_utf8(fields[0]) || !is_utf8(fields[1]))
      scanner.refuse("the line is not UTF-8; save the table in that encoding", line);
    out.push_back({std::move(fields[0]), std::move(fields[1]), line});
  }
  return out;
}

NamedLabels read_label_table(const std::filesystem::path& table, const std::vector<std::string>& names) {
  NamedLabels out;
  out.source = table.string();
  out.labels.resize(names.size());
  out.lines.resize(names.size(), 0);
  out.without_label = std::ssize(names);
  const ImageNames images(names);
  const std::vector<LabelRow> rows = parse_label_table(read_file(table), out.source);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::vector<std::size_t> found = images.find(rows[i].name);
    if (found.size() > 1)
      fail("{}:{}: {} images are called '{}' but for their extensions; name them with these", out.source,
           rows[i].line, found.size(), printable(rows[i].name));
    if (found.size() == 1) place_label(out, rows[i], found.front());
    if (found.empty() && i > 0 && out.without_image++ == 0) out.first_without_image = rows[i].line;
  }
  if (out.without_label == std::ssize(names))
    fail("{}:1: none of its {} rows names an image; expected lines name,label with names such as '{}'",
         out.source, rows.size(), names.empty() ? "" : printable(names.front()));
  return out;
}

}  // namespace torsor
