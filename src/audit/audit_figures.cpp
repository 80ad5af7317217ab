#include "audit/audit_figures.h"

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "image/codec.h"
#include "report/embed.h"

namespace torsor {

namespace {

constexpr int kFigureQuality = 92;           // of those that are much smaller as JPEG; the PNG is in figures/
constexpr std::int64_t kBesideAtMost = 420;  // pixels of pictures that stand beside each other

}  // namespace

AuditFigures::AuditFigures(const Json& parts, fs::path out) : out_(std::move(out)) { learn(parts); }

// Parts may keep the figures of a direction or domain with its numbers.
void AuditFigures::learn(const Json& value) {
  if (!value.is_structured()) return;
  if (value.is_object() && value.contains("file") && value.contains("caption")) {
    known_[value.at("file")] = {value.at("caption"), value.value("width", std::int64_t(0))};
    return;
  }
  for (const Json& inner : value) learn(inner);
}

void AuditFigures::show_one(const std::string& file, HtmlPage& page) {
  const fs::path path = out_ / file;
  std::error_code ec;
  if (!fs::is_regular_file(path, ec))
    fail("{}: this picture of the audit is gone, and the page needs it; run the audit again", path.string());
  const std::string bytes = read_file(path);
  const auto known = known_.find(file);
  page.figure(embed(decode_image(bytes, path.string()), bytes, kFigureQuality),
              known == known_.end() ? file : known->second.caption);
}

std::size_t AuditFigures::show(const std::vector<std::string>& files, HtmlPage& page) {
  std::vector<std::string> fresh;
  bool small = true;
  for (const std::string& file : files) {
    if (!shown_.insert(file).second) continue;
    fresh.push_back(file);
    const auto known = known_.find(file);
    small = small && known != known_.end() && known->second.width <= kBesideAtMost;
  }
  const auto show_all = [&] {
    for (const std::string& file : fresh) show_one(file, page);
  };
  if (small && fresh.size() > 1)
    page.beside(show_all);
  else
    show_all();
  return files.size() - fresh.size();
}

}  // namespace torsor
