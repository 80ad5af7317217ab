// What tells A from B, and what should not.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "doctor/domain_comparison.h"
#include "doctor/finding.h"

namespace torsor {

namespace {

constexpr double kOtherScale = 1.5;  // times as large

void find_other_sizes(const Survey& survey, std::vector<ImageFinding>& out) {
  const SurveyedSet *a = survey.find(Holds::domain_a, Split::train),
                    *b = survey.find(Holds::domain_b, Split::train);
  if (a == nullptr || b == nullptr || a->usable() == 0 || b->usable() == 0) return;
  const bool a_is_larger = a->median_side() > b->median_side();
  const SurveyedSet &larger = a_is_larger ? *a : *b, &smaller = a_is_larger ? *b : *a;
  const double ratio = static_cast<double>(larger.median_side()) / static_cast<double>(smaller.median_side());
  if (ratio > kOtherScale)
    out.push_back({Level::warning, "",
                   fmt::format("the images of {} are {:.2g} times as large as those of {} ({} against {} "
                               "pixels): after resizing they differ in sharpness, which a discriminator "
                               "learns first; resize those of {} to the same size",
                               larger.title, ratio, smaller.title, larger.median_side(),
                               smaller.median_side(), larger.title)});
}

// "B has more brightness (0.61 against 0.43, more in 92 % of pairs)".
std::string difference_text(const FeatureComparison& f) {
  const bool more = f.difference > 0;
  return fmt::format("{} ({} in B: {:.3g} against {:.3g}; so in {:.0f} % of pairs)", f.label,
                     more ? "more" : "less", f.mean_b, f.mean_a, 100 * (more ? f.above : 1 - f.above));
}

void say_differences(const Survey& survey, std::vector<ImageFinding>& out) {
  constexpr std::size_t kShown = 3;
  const auto comparison = compare_domains(survey);
  if (!comparison) return;
  const std::vector<FeatureComparison> differing = comparison->differing();
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < std::min(kShown, differing.size()); ++i)
    texts.push_back(difference_text(differing[i]));
  out.push_back({Level::info, "",
                 texts.empty()
                     ? fmt::format("no feature tells B from A beyond chance ({} and {} images): the "
                                   "domains may be one, or differ in what these features do not see",
                                   comparison->images_a, comparison->images_b)
                     : "what tells B from A most: " + join(texts, "; ")});
}

std::vector<ImageFinding> find_domains(const Survey& survey) {
  std::vector<ImageFinding> out;
  find_other_sizes(survey, out);
  say_differences(survey, out);
  return out;
}

}  // namespace

Check check_of_domains() {
  return {"brightness, colour, sharpness and other features of A against B, sizes that differ", find_domains};
}

}  // namespace torsor
