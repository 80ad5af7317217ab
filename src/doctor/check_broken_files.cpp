// Files that a training could not read.
#include <fmt/format.h>

#include "doctor/finding.h"

namespace torsor {

namespace {

std::vector<ImageFinding> find_broken_files(const Survey& survey) {
  std::vector<ImageFinding> out;
  for (std::size_t s = 0; s < survey.sets.size(); ++s) {
    std::vector<ImagePlace> broken;
    for (std::size_t i = 0; i < survey.sets[s].images.size(); ++i)
      if (!survey.sets[s].images[i].is_usable()) broken.push_back({s, i});
    if (broken.empty()) continue;
    out.push_back({Level::warning, "",
                   fmt::format("{} cannot be used: {} (the first: {}); repair or remove what is broken, or "
                               "train with --skip-bad",
                               share_text(survey, s, broken.size()), names_of(survey, broken),
                               survey.sets[s].images[broken.front().image].problem),
                   broken});
  }
  return out;
}

}  // namespace

Check check_of_broken_files() {
  return {"files that cannot be read, and images that cannot be trained with", find_broken_files};
}

}  // namespace torsor
