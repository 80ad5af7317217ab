#include "doctor/duplicate_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "core/text.h"

namespace torsor {

namespace {

using Cluster = std::vector<ImagePlace>;

// By the two sets that share images, which may be one: those of each group.
using Shared = std::map<std::array<std::size_t, 2>, std::vector<Cluster>>;

Shared by_sets(const std::vector<ImagePlace>& places, const Groups& groups) {
  Shared out;
  for (const std::vector<std::size_t>& group : groups) {
    std::map<std::size_t, Cluster> members;
    for (const std::size_t i : group) members[places[i].set].push_back(places[i]);
    for (auto x = members.begin(); x != members.end(); ++x) {
      if (x->second.size() > 1) out[{x->first, x->first}].push_back(x->second);
      for (auto y = std::next(x); y != members.end(); ++y) {
        Cluster both = x->second;
        both.insert(both.begin() + 1, y->second.begin(), y->second.end());  // one of each set comes first
        out[{x->first, y->first}].push_back(both);
      }
    }
  }
  return out;
}

// "a.png = b.png, c.png = d.png and 4 groups more".
std::string examples_of(const Survey& survey, const std::vector<Cluster>& clusters) {
  constexpr std::size_t kShown = 3;
  std::vector<std::string> out;
  const auto name = [&](const ImagePlace& place) { return survey.sets[place.set].images[place.image].name; };
  for (std::size_t i = 0; i < std::min(kShown, clusters.size()); ++i)
    out.push_back(name(clusters[i][0]) + " = " + name(clusters[i][1]));
  return join(out) +
         (clusters.size() > kShown ? fmt::format(" and {} groups more", clusters.size() - kShown) : "");
}

std::vector<ImagePlace> all_of(const std::vector<Cluster>& clusters) {
  std::vector<ImagePlace> out;
  for (const Cluster& cluster : clusters) out.insert(out.end(), cluster.begin(), cluster.end());
  return out;
}

std::size_t count_in(const std::vector<ImagePlace>& places, std::size_t set) {
  return static_cast<std::size_t>(
      std::count_if(places.begin(), places.end(), [&](const ImagePlace& place) { return place.set == set; }));
}

}  // namespace

std::vector<ImageFinding> duplicate_findings(const Survey& survey, const std::vector<ImagePlace>& places,
                                             const Groups& groups, const std::string& alike,
                                             Level between_domains) {
  std::vector<ImageFinding> out;
  for (const auto& [sets, clusters] : by_sets(places, groups)) {
    const std::vector<ImagePlace> members = all_of(clusters);
    const SurveyedSet &x = survey.sets[sets[0]], &y = survey.sets[sets[1]];
    const std::string examples = examples_of(survey, clusters);
    if (sets[0] == sets[1])
      out.push_back({Level::warning, "",
                     fmt::format("{} in {} among {} images ({}): keep one of each, or hold them out together",
                                 count_text(clusters.size(), "group") + " of " + alike + " images", x.title,
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
