#include "doctor/domain_comparison.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "data/image_features.h"

namespace torsor {

namespace {

using FeatureRows = std::vector<std::vector<double>>;

const std::string& label_of(const std::string& feature) {
  static const std::map<std::string, std::string> labels = {
      {"mean_y", "brightness"},
      {"std_y", "contrast"},
      {"mean_p", "colour, green to red"},
      {"std_p", "variety of green and red"},
      {"mean_q", "colour, blue to yellow"},
      {"std_q", "variety of blue and yellow"},
      {"detail_1", "sharpness: detail of single pixels"},
      {"detail_2", "detail at half the size"},
      {"detail_4", "detail at a quarter of the size"},
      {"detail_8", "detail at an eighth of the size"},
      {"lean_1", "upright edges more than level ones"},
      {"lean_4", "the same at a quarter of the size"},
      {"flat", "flat areas"},
      {"colour_edges", "edges of colour"},
      {"skew_1", "bright spots more than dark ones"},
      {"skew_2", "the same at half the size"},
      {"skew_4", "the same at a quarter of the size"},
      {"top", "upper half brighter than the lower"},
      {"centre", "centre brighter than the rim"}};
  const auto found = labels.find(feature);
  return found == labels.end() ? feature : found->second;
}

void add_rows(const SurveyedSet* set, std::vector<double> ImageRecord::*features, FeatureRows& rows) {
  if (set == nullptr) return;
  for (const ImageRecord& image : set->images)
    if (image.is_usable() && !(image.*features).empty()) rows.push_back(image.*features);
}

std::vector<double> column(const FeatureRows& rows, std::size_t feature) {
  std::vector<double> out;
  for (const std::vector<double>& row : rows) out.push_back(row[feature]);
  std::sort(out.begin(), out.end());
  return out;
}

double mean_of_values(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double variance_of(const std::vector<double>& values) {
  const double mean = mean_of_values(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum / static_cast<double>(values.size() - 1);
}

// Of sorted values: the share of pairs in which b is larger, equal ones counting as a half.
double share_above(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (const double value : b) {
    const auto [low, high] = std::equal_range(a.begin(), a.end(), value);
    sum += static_cast<double>(low - a.begin()) + static_cast<double>(high - low) / 2;
  }
  return sum / (static_cast<double>(a.size()) * static_cast<double>(b.size()));
}

FeatureComparison compared(const ImageFeature& feature, const std::vector<double>& a,
                           const std::vector<double>& b) {
  FeatureComparison out{feature.name, label_of(feature.name)};
  out.mean_a = mean_of_values(a);
  out.mean_b = mean_of_values(b);
  const double deviation = std::sqrt((variance_of(a) + variance_of(b)) / 2 + feature.floor * feature.floor);
  out.difference = (out.mean_b - out.mean_a) / deviation;
  out.above = share_above(a, b);
  return out;
}

}  // namespace

std::vector<FeatureComparison> DomainComparison::differing() const {
  std::vector<FeatureComparison> out;
  for (const FeatureComparison& feature : features)
    if (std::abs(feature.above - 0.5) > chance) out.push_back(feature);
  std::stable_sort(out.begin(), out.end(), [](const FeatureComparison& x, const FeatureComparison& y) {
    return std::abs(x.difference) > std::abs(y.difference);
  });
  return out;
}

std::optional<DomainComparison> compare_domains(const Survey& survey) {
  FeatureRows a, b;
  add_rows(survey.find(Holds::domain_a, Split::train), &ImageRecord::features, a);
  add_rows(survey.find(Holds::domain_b, Split::train), &ImageRecord::features, b);
  if (a.empty() && b.empty()) {
    add_rows(survey.find(Holds::pairs, Split::train), &ImageRecord::features, a);
    add_rows(survey.find(Holds::pairs, Split::train), &ImageRecord::partner_features, b);
  }
  if (std::min(a.size(), b.size()) < 2) return std::nullopt;
  DomainComparison out;
  out.images_a = static_cast<std::int64_t>(a.size());
  out.images_b = static_cast<std::int64_t>(b.size());
  const auto n = static_cast<double>(a.size()), m = static_cast<double>(b.size());
  out.chance = 3 * std::sqrt((n + m + 1) / (12 * n * m));  // of Mann and Whitney's statistic
  for (std::size_t i = 0; i < image_feature_list().size(); ++i)
    out.features.push_back(compared(image_feature_list()[i], column(a, i), column(b, i)));
  return out;
}

}  // namespace torsor
