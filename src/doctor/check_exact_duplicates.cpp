// Images that are equal in every pixel.
#include "doctor/duplicate_findings.h"

namespace torsor {

namespace {

std::vector<ImageFinding> find_equal_images(const Survey& survey) {
  std::vector<ImagePlace> places;
  std::vector<std::string> digests;
  for (std::size_t s = 0; s < survey.sets.size(); ++s)
    for (std::size_t i = 0; i < survey.sets[s].images.size(); ++i) {
      places.push_back({s, i});
      const ImageRecord& image = survey.sets[s].images[i];
      // Constant ones have a check of their own.
      digests.push_back(image.is_usable() && !image.is_constant ? image.digest : "");
    }
  return duplicate_findings(survey, places, equal_groups(digests), "identical", Level::warning);
}

}  // namespace

Check check_of_equal_images() {
  return {"images that are equal in every pixel, within a set and between sets", find_equal_images};
}

}  // namespace torsor
