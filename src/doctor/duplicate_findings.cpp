#include "doctor/duplicate_findings.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace torsor {

namespace {

using Places = std::vector<ImagePlace>;

// "a.png = b.png, c.png = d.png and 4 groups more".
std::string examples_of(const Survey& survey, const Places& places, const Groups& groups) {
  constexpr std::size_t kShown = 3;
  std::vector<std::string> out;
  const auto name = [&](std::size_t i) { return survey.sets[places[i].set].images[places[i].image].name; };
  for (std::size_t i = 0; i < std::min(kShown, groups.size()); ++i)
    out.push_back(name(groups[i][0]) + " = " + name(groups[i][1]));
  return join(out) +
         (groups.size() > kShown ? fmt::format(" and {} groups more", groups.size() - kShown) : "");
}

Places all_of(const Places& places, const Groups& groups) {
  Places out;
  for (const std::vector<std::size_t>& group : groups)
    for (const std::size_t i : group) out.push_back(places[i]);
  return out;
}

std::size_t count_in(const Places& places, std::size_t set) {
  return static_cast<std::size_t>(
      std::count_if(places.begin(), places.end(), [&](const ImagePlace& place) { return place.set == set; }));
}

}  // namespace

ComparedImages compared_images(const Survey& survey) {
  ComparedImages out;
  for (std::size_t s = 0; s < survey.sets.size(); ++s)
    for (std::size_t i = 0; i < survey.sets[s].images.size(); ++i) {
      const ImageRecord& image = survey.sets[s].images[i];
      if (!image.is_usable() || image.is_constant) continue;
      out.places.push_back({s, i});
      out.images.push_back({s, image.digest, image.hash});
    }
  return out;
}

std::vector<ImageFinding> duplicate_findings(const Survey& survey, const Places& places,
                                             const GroupsBySets& alike_images, const std::string& alike,
                                             Level between_domains) {
  std::vector<ImageFinding> out;
  for (const auto& [sets, groups] : alike_images) {
    const Places members = all_of(places, groups);
    const SurveyedSet &x = survey.sets[sets[0]], &y = survey.sets[sets[1]];
    const std::string examples = examples_of(survey, places, groups);
    if (sets[0] == sets[1])
      out.push_back({Level::warning, "",
                     fmt::format("{} in {} among {} images ({}): keep one of each, or hold them out together",
                                 count_text(groups.size(), "group") + " of " + alike + " images", x.title,
                                 members.size(), examples),
                     members});
    else if (x.split != y.split)
      out.push_back(
          {Level::warning, "",
           fmt::format("{} of {} {} to images of {} ({}): a test with them flatters; remove them "
                       "from one of the two",
                       count_text(count_in(members, sets[1]), "image"), y.title, alike, x.title, examples),
           members});
    else
      out.push_back(
          {between_domains, "",
           fmt::format("{} of {} {} to images of {} ({}): unless they belong to both domains, "
                       "remove them from one",
                       count_text(count_in(members, sets[1]), "image"), y.title, alike, x.title, examples),
           members});
  }
  return out;
}

}  // namespace torsor
