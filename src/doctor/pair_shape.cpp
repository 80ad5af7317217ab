#include "doctor/pair_shape.h"

#include <algorithm>

namespace torsor {

namespace {

constexpr double kNearlyAll = 0.9;

bool is_pair_shaped(const ImageRecord& image) {
  return image.width * 10 >= image.height * 16 && image.width * 10 <= image.height * 24;
}

}  // namespace

std::size_t pair_shaped(const SurveyedSet& set) {
  return static_cast<std::size_t>(
      std::count_if(set.images.begin(), set.images.end(),
                    [](const ImageRecord& image) { return image.is_usable() && is_pair_shaped(image); }));
}

bool looks_paired(const SurveyedSet& set) {
  const std::size_t count = pair_shaped(set);
  return count > 0 && static_cast<double>(count) >= kNearlyAll * static_cast<double>(set.usable());
}

const SurveyedSet* pairs_to_train_on(const Survey& survey) {
  for (const Holds domain : {Holds::domain_a, Holds::domain_b})
    if (survey.find(domain, Split::train) != nullptr) return nullptr;
  const SurveyedSet* pairs = survey.find(Holds::pairs, Split::train);
  return pairs != nullptr && looks_paired(*pairs) ? pairs : nullptr;
}

}  // namespace torsor
