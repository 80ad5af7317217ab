// How many images there are.
#include <fmt/format.h>

#include <algorithm>

#include "doctor/finding.h"

namespace torsor {

namespace {

constexpr std::size_t kFewImages = 50;  // fewer are soon known by heart
constexpr std::size_t kUnequal = 10;    // times as many

std::vector<ImageFinding> find_numbers(const Survey& survey) {
  std::vector<ImageFinding> out;
  for (const SurveyedSet& set : survey.sets)
    if (set.split == Split::train && set.usable() < kFewImages)
      out.push_back({Level::info, "",
                     fmt::format("{} has {}: the discriminator soon knows so few by heart; more images help "
                                 "more than more steps",
                                 set.title, count_text(set.usable(), "usable image"))});
  const SurveyedSet *a = survey.find(Holds::domain_a, Split::train),
                    *b = survey.find(Holds::domain_b, Split::train);
  if (a == nullptr || b == nullptr) return out;
  const auto [few, many] = std::minmax({a->usable(), b->usable()});
  if (many >= kUnequal * std::max<std::size_t>(1, few))
    out.push_back(
        {Level::info, "",
         fmt::format("{} has {} and {} {}: an epoch has as many steps as the larger one has images, "
                     "and shows those of the smaller again and again",
                     a->title, count_text(a->usable(), "image"), b->title, b->usable())});
  return out;
}

}  // namespace

Check check_of_numbers() {
  return {"few images, and many more in one domain than in the other", find_numbers};
}

}  // namespace torsor
