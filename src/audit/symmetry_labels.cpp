#include "audit/symmetry_labels.h"

#include <ATen/ATen.h>

#include <cmath>
#include <set>

namespace torsor {

namespace {

constexpr double kCoinWidth = 1.96;  // standard errors of a 95 % interval

// Groups of images by class.
std::vector<std::int64_t> groups_of_classes(const at::Tensor& labels, const std::vector<std::int64_t>& groups,
                                            std::size_t classes) {
  std::vector<std::set<std::int64_t>> seen(classes);
  const at::Tensor of_images = labels.contiguous();
  for (std::int64_t i = 0; i < of_images.numel(); ++i) {
    const std::int64_t label = of_images.data_ptr<std::int64_t>()[i];
    if (label >= 0) seen[static_cast<std::size_t>(label)].insert(groups[static_cast<std::size_t>(i)]);
  }
  std::vector<std::int64_t> out;
  for (const auto& groups_of_class : seen) out.push_back(std::ssize(groups_of_class));
  return out;
}

bool equally_frequent(std::int64_t p, std::int64_t q) {
  return std::abs(static_cast<double>(p - q)) <= kCoinWidth * std::sqrt(static_cast<double>(p + q));
}

Json exchangeable(const std::vector<std::string>& classes, const at::Tensor& labels,
                  const std::vector<std::int64_t>& groups) {
  const std::vector<std::int64_t> counts = groups_of_classes(labels, groups, classes.size());
  Json out = Json::array();
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (counts[i] == 0) continue;
    Json with = Json::array();
    for (std::size_t k = 0; k < classes.size(); ++k)
      if (k != i && counts[k] > 0 && equally_frequent(counts[i], counts[k])) with.push_back(classes[k]);
    out.push_back({{"class", classes[i]}, {"count", counts[i]}, {"exchangeable", with}});
  }
  return out;
}

}  // namespace

Json exchangeable_classes(const AuditLabels& labels, const AuditImages& a, const AuditImages& b) {
  return {{"a", exchangeable(labels.classes, labels.a, a.groups)},
          {"b", exchangeable(labels.classes, labels.b, b.groups)}};
}

}  // namespace torsor
