// Colour profiles.
#include <fmt/format.h>

#include <algorithm>

#include "doctor/finding.h"

namespace torsor {

namespace {

constexpr std::size_t kNamesShown = 5;

std::string name_of(const ImageRecord& image) {
  return image.profile.empty() ? "one without a name" : image.profile;
}

// "Adobe RGB (1998) (7), Display P3 (5) and 2 more": those of most images first.
std::string profiles_text(const Survey& survey, const std::vector<ImagePlace>& places) {
  TextCounts counts;
  for (const ImagePlace& place : places) ++counts[name_of(survey.sets[place.set].images[place.image])];
  std::vector<std::pair<std::string, std::int64_t>> order(counts.begin(), counts.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& x, const auto& y) { return x.second > y.second; });
  std::string out;
  for (std::size_t i = 0; i < std::min(kNamesShown, order.size()); ++i)
    out += fmt::format("{}{} ({})", i == 0 ? "" : ", ", order[i].first, order[i].second);
  return order.size() > kNamesShown ? fmt::format("{} and {} more", out, order.size() - kNamesShown) : out;
}

std::vector<ImageFinding> find_profiles(const Survey& survey) {
  std::vector<ImageFinding> out;
  for (std::size_t s = 0; s < survey.sets.size(); ++s) {
    const std::vector<ImagePlace> places =
        places_where(survey, s, [](const ImageRecord& image) { return image.has_profile; });
    if (!places.empty())
      out.push_back({Level::info, "",
                     fmt::format("{} with a colour profile, {} (the first: {}): their colours are "
                                 "converted to sRGB's",
                                 share_text(survey, s, places.size()), profiles_text(survey, places),
                                 names_of(survey, {places.front()})),
                     places});
  }
  return out;
}

}  // namespace

Check check_of_profiles() { return {"colour profiles (ICC)", find_profiles}; }

}  // namespace torsor
