#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <set>

#include "audit/label_images.h"
#include "audit/label_regression.h"
#include "audit/label_table.h"
#include "audit/labels.h"
#include "core/error.h"
#include "core/files.h"
#include "io/checksum.h"

namespace torsor {

namespace {

constexpr std::int64_t kLeastOfClass = 5;  // images: one for each fold of the cross-validation

// What the classifier of one domain's labels is made of, and what is known of it.
struct LabelledDomain {
  at::Tensor labels;    // [N], -1 for none
  at::Tensor held_out;  // [N]
  std::shared_ptr<const LabelRegression> regression;
  ValueRange range;
  double accuracy = 0;
};

void say_what_is_missing(const NamedLabels& table, LogSink& log) {
  if (table.without_label > 0)
    log.warning(fmt::format("{}: {} of {} images have no label", table.source, table.without_label,
                            table.labels.size()));
  if (table.without_image > 0)
    log.warning(fmt::format("{}: {} rows name no image of the folder, first in line {}", table.source,
                            table.without_image, table.first_without_image));
}

// Images of each class, and the line of its first.
struct ClassCount {
  std::int64_t images = 0, line = 0;
};

std::map<std::string, ClassCount> counted_classes(const NamedLabels& table) {
  std::map<std::string, ClassCount> out;
  for (std::size_t i = 0; i < table.labels.size(); ++i) {
    if (table.lines[i] == 0) continue;
    ClassCount& count = out[table.labels[i]];
    count.line = count.images++ == 0 ? table.lines[i] : std::min(count.line, table.lines[i]);
  }
  return out;
}

void check_class(const std::string& name, const NamedLabels& table, const NamedLabels& other) {
  const ClassCount here = counted_classes(table)[name];
  if (here.images >= kLeastOfClass) return;
  if (here.images == 0)
    fail(
        "{}:{}: the class '{}' has no image in {}; both tables need at least {} of each class, since a "
        "classifier cannot recognise what it has never seen",
        other.source, counted_classes(other)[name].line, printable(name), table.source, kLeastOfClass);
  fail("{}:{}: the class '{}' has {} image{}; a class needs at least {}", table.source, here.line,
       printable(name), here.images, here.images == 1 ? "" : "s", kLeastOfClass);
}

std::vector<std::string> classes_of(const NamedLabels& a, const NamedLabels& b) {
  std::set<std::string> names;
  for (const NamedLabels* table : {&a, &b})
    for (const auto& [name, count] : counted_classes(*table)) names.insert(name);
  std::vector<std::string> out(names.begin(), names.end());
  for (const NamedLabels* table : {&a, &b})
    if (const auto counts = counted_classes(*table); counts.size() < 2)
      fail("{}:{}: all labelled images are of the class '{}'; expected two classes or more", table->source,
           counts.begin()->second.line, printable(counts.begin()->first));
  for (const std::string& name : out) {
    check_class(name, a, b);
    check_class(name, b, a);
  }
  if (std::ssize(out) > kMostLabelClasses)
    fail("{} and {}: have {} classes; an audit takes at most {}", a.source, b.source, out.size(),
         kMostLabelClasses);
  return out;
}

at::Tensor class_numbers(const NamedLabels& table, const std::vector<std::string>& classes) {
  std::vector<std::int64_t> out;
  for (std::size_t i = 0; i < table.labels.size(); ++i)
    out.push_back(table.lines[i] == 0
                      ? -1
                      : std::lower_bound(classes.begin(), classes.end(), table.labels[i]) - classes.begin());
  return at::tensor(out, at::kLong);
}

at::Tensor features_of(const at::Tensor& values, const ValueRange& range, const FeatureExtractor& extractor) {
  return by_previews(values, range, [&](std::span<const Image> batch) { return extractor.features(batch); });
}

LabelledDomain learn_labels(const AuditImages& images, const NamedLabels& table,
                            const std::vector<std::string>& classes, const FeatureExtractor& extractor) {
  const auto count = std::ssize(classes);
  LabelledDomain out;
  out.range = label_range(images);
  out.labels = class_numbers(table, classes);
  const at::Tensor all = features_of(images.values, out.range, extractor);
  const at::Tensor places = at::nonzero(out.labels >= 0).flatten();
  const at::Tensor rows = all.index_select(0, places), known = out.labels.index_select(0, places);
  std::vector<std::int64_t> groups;
  for (std::int64_t i = 0; i < places.numel(); ++i)
    groups.push_back(images.groups[static_cast<std::size_t>(places[i].item<std::int64_t>())]);
  out.regression = std::make_shared<const LabelRegression>(rows, known, count);
  const at::Tensor tested = held_out_classes(rows, known, groups, count);
  out.accuracy = (tested == known).to(at::kDouble).mean().item<double>();
  out.held_out = out.regression->predict(all).index_copy(0, places, tested);
  return out;
}

}  // namespace

AuditLabels labels_by_tables(const std::filesystem::path& labels_a, const std::filesystem::path& labels_b,
                             const AuditImages& a, const AuditImages& b,
                             std::shared_ptr<const FeatureExtractor> extractor, LogSink& log) {
  const NamedLabels table_a = read_label_table(labels_a, a.names),
                    table_b = read_label_table(labels_b, b.names);
  say_what_is_missing(table_a, log);
  say_what_is_missing(table_b, log);
  AuditLabels out;
  out.classes = classes_of(table_a, table_b);
  const LabelledDomain of_a = learn_labels(a, table_a, out.classes, *extractor),
                       of_b = learn_labels(b, table_b, out.classes, *extractor);
  out.a = of_a.labels;
  out.b = of_b.labels;
  out.held_out_a = of_a.held_out;
  out.held_out_b = of_b.held_out;
  out.accuracy_a = of_a.accuracy;
  out.accuracy_b = of_b.accuracy;
  out.without_label_a = table_a.without_label;
  out.without_label_b = table_b.without_label;
  out.digest = content_key(content_key(read_file(labels_a)) + content_key(read_file(labels_b)));
  out.source = fmt::format(
      "a logistic regression of {} features, fitted to {} and {}; right for {:.0f} % of the images of A and "
      "{:.0f} % of those of B that it had not learnt",
      extractor->name(), labels_a.string(), labels_b.string(), 100 * of_a.accuracy, 100 * of_b.accuracy);
  out.classify = [extractor, of_a, of_b](const at::Tensor& values, const std::string& domain) {
    const LabelledDomain& labelled = domain == "a" ? of_a : of_b;
    return labelled.regression->predict(features_of(values, labelled.range, *extractor));
  };
  return out;
}

}  // namespace torsor
