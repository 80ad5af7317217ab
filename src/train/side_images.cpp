#include "train/side_images.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "data/anchored.h"
#include "data/conditioned.h"
#include "data/label_table.h"
#include "io/checksum.h"
#include "train/aligned_data.h"

namespace torsor {

namespace {

namespace fs = std::filesystem;

// An anchor fixes what the unpaired images leave open; who has more pairs has a paired task.
constexpr std::int64_t kMostAnchors = 50;
constexpr std::size_t kNamedWithoutLabel = 3;

// content_key() of all files of two sets, sorted, each once.
std::vector<std::string> keys_of(const ImageSet& a, const ImageSet& b) {
  std::set<std::string> keys;
  for (const ImageSet* set : {&a, &b})
    for (const fs::path& file : set->files()) keys.insert(content_key(read_file(file)));
  return {keys.begin(), keys.end()};
}

void add_anchors(const ImageIntake& intake, const SideData& wanted, OpenedImages& images) {
  const PairedFolders anchors = open_pairs_beside(intake, wanted.anchors_a, wanted.anchors_b, kMostAnchors);
  images.train = std::make_shared<AnchoredDataset>(images.train, anchors.images);
  images.anchor_pairs = anchors.a->size();
  images.anchors = keys_of(*anchors.a, *anchors.b);
  images.beside["anchors_a"] = digest_of(*anchors.a);
  images.beside["anchors_b"] = digest_of(*anchors.b);
}

void require_all_labelled(const std::vector<std::string>& without, const LabelTable& table,
                          const ImageSet& images) {
  if (without.empty()) return;
  const auto named = static_cast<std::ptrdiff_t>(std::min(kNamedWithoutLabel, without.size()));
  fail("{}: {} of {} training images in {} {} no label ({}{}); add a line name,label for each",
       table.source(), without.size(), images.size(), images.title(), without.size() == 1 ? "has" : "have",
       join({without.begin(), without.begin() + named}), without.size() > kNamedWithoutLabel ? ", ..." : "");
}

// Of a header that is none by its words, its class has no image.
void require_images_of_all(const std::set<std::string>& found, const LabelTable& table) {
  for (const LabelTable::Row& row : table.rows())
    if (!found.contains(row.label))
      fail(
          "{}:{}: no training image is of the class '{}'; leave the class out of both tables (a header is "
          "the line name,label)",
          table.source(), row.line, printable(row.label));
}

ClassesByName classes_of(const ImageSet& images, const LabelTable& table,
                         const std::vector<std::string>& classes, LogSink& log) {
  if (table.classes() != classes)
    fail("{}: its classes are {}, those of the run {}; give the table that it began with", table.source(),
         printable(join(table.classes())), printable(join(classes)));
  ClassesByName out;
  std::vector<std::string> without;
  std::set<std::string> found, used;
  for (std::int64_t i = 0; i < images.size(); ++i) {
    const std::string name = images.name(i);
    const LabelTable::Row* const row = table.find(name);
    if (row == nullptr) {
      without.push_back(name);
      continue;
    }
    found.insert(row->label);
    used.insert(row->name);
    out[name] = std::lower_bound(classes.begin(), classes.end(), row->label) - classes.begin();
  }
  require_all_labelled(without, table, images);
  require_images_of_all(found, table);
  if (used.size() < table.rows().size())
    log.notice(fmt::format("{}: {} of its {} labels are of no training image", table.source(),
                           table.rows().size() - used.size(), table.rows().size()));
  return out;
}

Json digest_of_classes(const ClassesByName& classes) {
  Checksum sum;
  for (const auto& [name, label] : classes) {
    sum.update(name.data(), name.size() + 1);
    sum.update(&label, sizeof label);
  }
  return {{"count", classes.size()}, {"digest", sum.hex()}};
}

void add_labels(const ImageIntake& intake, const SideData& wanted, OpenedImages& images) {
  const auto of = [&](const ImageSet& set, const std::string& table) {
    return classes_of(set, LabelTable(table), wanted.classes, intake.log());
  };
  const ClassesByName a = of(*images.source_a, wanted.labels_a), b = of(*images.source_b, wanted.labels_b);
  images.train = std::make_shared<ConditionedDataset>(images.train, a, b);
  images.beside["labels_a"] = digest_of_classes(a);
  images.beside["labels_b"] = digest_of_classes(b);
}

}  // namespace

void add_side_data(const ImageIntake& intake, const SideData& wanted, OpenedImages& images) {
  if (wanted.has_labels()) add_labels(intake, wanted, images);
  if (wanted.has_anchors()) add_anchors(intake, wanted, images);
}

}  // namespace torsor
