// Images of a single colour.
#include <fmt/format.h>

#include "doctor/finding.h"

namespace torsor {

namespace {

std::vector<ImageFinding> find_constant_images(const Survey& survey) {
  std::vector<ImageFinding> out;
  for (std::size_t s = 0; s < survey.sets.size(); ++s) {
    const std::vector<ImagePlace> places =
        places_where(survey, s, [](const ImageRecord& image) { return image.is_constant; });
    if (!places.empty())
      out.push_back({Level::warning, "",
                     fmt::format("{} of a single colour ({}): there is nothing to translate; remove them",
                                 share_text(survey, s, places.size()), names_of(survey, places)),
                     places});
  }
  return out;
}

}  // namespace

Check check_of_constant_images() { return {"images of a single colour", find_constant_images}; }

}  // namespace torsor
