// Grey among colour.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "doctor/finding.h"

namespace torsor {

namespace {

// That most images have.
std::int64_t usual_colours(const SurveyedSet& set) {
  std::map<std::int64_t, std::int64_t> counts;
  for (const ImageRecord& image : set.images)
    if (image.is_usable()) ++counts[image.colours()];
  const auto most = std::max_element(counts.begin(), counts.end(),
                                     [](const auto& x, const auto& y) { return x.second < y.second; });
  return most == counts.end() ? 0 : most->first;
}

std::string channels_text(std::int64_t channels) {
  return channels == 1 ? "one channel" : fmt::format("{} channels", channels);
}

void find_other_channels(const Survey& survey, std::size_t s, std::vector<ImageFinding>& out) {
  const std::int64_t usual = usual_colours(survey.sets[s]);
  std::map<std::int64_t, std::vector<ImagePlace>> others;
  for (const ImagePlace& place :
       places_where(survey, s, [&](const ImageRecord& image) { return image.colours() != usual; }))
    others[survey.sets[s].images[place.image].colours()].push_back(place);
  for (const auto& [channels, places] : others)
    out.push_back({Level::warning, "",
                   fmt::format("{} with {}, where the others have {} ({}): a training converts them; remove "
                               "them unless they belong to the domain",
                               share_text(survey, s, places.size()), channels_text(channels), usual,
                               names_of(survey, places)),
                   places});
}

void find_colourless(const Survey& survey, std::size_t s, std::vector<ImageFinding>& out) {
  const SurveyedSet& set = survey.sets[s];
  const std::vector<ImagePlace> grey =
      places_where(survey, s, [](const ImageRecord& i) { return i.is_colourless; });
  const std::string letter = letter_of(set);
  const std::string flag = letter.empty() ? "--channels-a or --channels-b" : "--channels-" + letter;
  if (grey.empty()) {
    if (usual_colours(set) == 1 && set.split == Split::train)
      out.push_back({Level::info, "",
                     fmt::format("{} holds grey images, which a training makes three equal channels of; {} 1 "
                                 "keeps one",
                                 set.title, flag)});
  } else if (grey.size() == set.usable()) {
    out.push_back({Level::info, "",
                   fmt::format("{} grey, stored as colours; {} 1 trains on one channel",
                               share_text(survey, s, grey.size()), flag)});
  } else {
    out.push_back({Level::warning, "",
                   fmt::format("{} grey, though stored as colours ({}): remove them unless they belong to "
                               "the domain",
                               share_text(survey, s, grey.size()), names_of(survey, grey)),
                   grey});
  }
}

std::vector<ImageFinding> find_channels(const Survey& survey) {
  std::vector<ImageFinding> out;
  for (std::size_t s = 0; s < survey.sets.size(); ++s) {
    find_other_channels(survey, s, out);
    find_colourless(survey, s, out);
  }
  return out;
}

}  // namespace

Check check_of_channels() {
  return {"grey among colour images, other numbers of channels than the rest has", find_channels};
}

}  // namespace torsor
