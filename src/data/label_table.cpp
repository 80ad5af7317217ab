#include "data/label_table.h"

#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "image/codec.h"

namespace torsor {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// The fields of a table, line by line.
class TableReader {
 public:
  TableReader(std::string_view text, const std::string& source) : text_(text), source_(source) {
    if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
  }

  std::int64_t line() const { return started_at_; }

  /// The next line's fields; empty at the end.
  std::vector<std::string> next() {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) skip();
    started_at_ = line_;
    std::vector<std::string> fields;
    while (at_ < text_.size()) {
      fields.push_back(text_[at_] == '"' ? quoted() : plain());
      if (at_ == text_.size() || text_[at_] != ',') break;
      if (++at_ == text_.size()) fields.emplace_back();
    }
    if (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r')
      fail("{}:{}: text behind the quote that ends a field; quotes within one are doubled", source_, line_);
    return fields;
  }

 private:
  void skip() {
    if (text_[at_] == '\n') ++line_;
    ++at_;
  }

  std::string plain() {
    const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    std::string out(text_.substr(at_, end - at_));
    at_ = end;
    return out;
  }

  std::string quoted() {
    std::string out;
    for (++at_; at_ < text_.size(); skip()) {
      if (text_[at_] == '"' && (at_ + 1 == text_.size() || text_[at_ + 1] != '"')) {
        ++at_;
        return out;
      }
      if (text_[at_] == '"') ++at_;
      out += text_[at_];
    }
    fail("{}:{}: a field begins with a quote that does not end", source_, started_at_);
  }

  std::string_view text_;
  const std::string& source_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1, started_at_ = 1;
};

bool is_header(const std::vector<std::string>& fields) {
  return lower(fields[0]) == "name" && lower(fields[1]) == "label";
}

}  // namespace

LabelTable::LabelTable(const std::filesystem::path& file) : source_(file.string()) {
  const std::string text = read_file(file);
  if (!is_utf8(text)) fail("{}: is no table of labels: its text is not UTF-8", source_);
  TableReader reader(text, source_);
  bool first = true;
  for (std::vector<std::string> fields = reader.next(); !fields.empty(); fields = reader.next()) {
    if (fields.size() != 2)
      fail("{}:{}: has {} fields, expected two: name,label", source_, reader.line(), fields.size());
    if (std::exchange(first, false) && is_header(fields)) continue;
    if (fields[0].empty() || fields[1].empty())
      fail("{}:{}: its {} is empty; expected name,label", source_, reader.line(),
           fields[0].empty() ? "name" : "label");
    const auto [there, added] = places_.emplace(fields[0], rows_.size());
    if (!added)
      fail("{}:{}: the name '{}' stands in line {} already; keep one", source_, reader.line(),
           printable(fields[0]), rows_[there->second].line);
    rows_.push_back({std::move(fields[0]), std::move(fields[1]), reader.line()});
  }
  if (rows_.empty()) fail("{}: holds no label; expected a line name,label for each image", source_);
}

const LabelTable::Row* LabelTable::find(const std::string& image) const {
  auto found = places_.find(image);
  std::filesystem::path name(image);
  if (found == places_.end() && has_image_extension(name))
    found = places_.find(name.replace_extension().string());
  return found == places_.end() ? nullptr : &rows_[found->second];
}

std::vector<std::string> LabelTable::classes() const {
  std::set<std::string> out;
  for (const Row& row : rows_) out.insert(row.label);
  return {out.begin(), out.end()};
}

}  // namespace torsor
