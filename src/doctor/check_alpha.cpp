// Transparency.
#include <fmt/format.h>

#include "doctor/finding.h"

namespace torsor {

namespace {

std::vector<ImageFinding> find_alpha(const Survey& survey) {
  std::vector<ImageFinding> out;
  for (std::size_t s = 0; s < survey.sets.size(); ++s) {
    const std::vector<ImagePlace> places =
        places_where(survey, s, [](const ImageRecord& image) { return image.has_alpha; });
    if (!places.empty())
      out.push_back(
          {Level::info, "",
           fmt::format("{} with an alpha channel ({}): a training leaves it out, translate keeps it",
                       share_text(survey, s, places.size()), names_of(survey, places)),
           places});
  }
  return out;
}

}  // namespace

Check check_of_alpha() { return {"alpha channels", find_alpha}; }

}  // namespace torsor
