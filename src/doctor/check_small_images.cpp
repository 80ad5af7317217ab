// Images that are enlarged to be trained with.
#include <fmt/format.h>

#include "doctor/finding.h"
#include "doctor/planned_size.h"

namespace torsor {

namespace {

std::vector<ImageFinding> find_small_images(const Survey& survey) {
  const std::int64_t crop = planned_crop(survey);
  std::vector<ImageFinding> out;
  for (std::size_t s = 0; s < survey.sets.size(); ++s) {
    const SurveyedSet& set = survey.sets[s];
    const std::vector<ImagePlace> places =
        places_where(survey, s, [&](const ImageRecord& image) { return set.smaller_side(image) < crop; });
    if (!places.empty())
      out.push_back({Level::warning, "",
                     fmt::format("{} smaller than {} pixels, the size suggested for training ({}): they are "
                                 "enlarged and blurred; remove them or train at a smaller --crop-size",
                                 share_text(survey, s, places.size()), crop, names_of(survey, places)),
                     places});
  }
  return out;
}

}  // namespace

Check check_of_small_images() { return {"images that will be upscaled", find_small_images}; }

}  // namespace torsor
