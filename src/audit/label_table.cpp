#include "audit/label_table.h"

#include <map>

#include "core/error.h"
#include "data/label_table.h"

namespace torsor {

namespace {

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

void place_label(NamedLabels& out, const LabelTable::Row& row, std::size_t image) {
  if (out.lines[image] != 0)
    fail("{}:{}: the image '{}' has a label already, in line {}", out.source, row.line, printable(row.name),
         out.lines[image]);
  out.labels[image] = row.label;
  out.lines[image] = row.line;
  --out.without_label;
}

}  // namespace

NamedLabels read_label_table(const std::filesystem::path& table, const std::vector<std::string>& names) {
  NamedLabels out;
  out.source = table.string();
  out.labels.resize(names.size());
  out.lines.resize(names.size(), 0);
  out.without_label = std::ssize(names);
  const ImageNames images(names);
  const LabelTable stored(table);
  const std::vector<LabelTable::Row>& rows = stored.rows();
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
