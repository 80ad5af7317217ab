// Images that are equal in every pixel.
#include "doctor/duplicate_findings.h"

namespace torsor {

namespace {

std::vector<ImageFinding> find_equal_images(const Survey& survey) {
  const ComparedImages compared = compared_images(survey);
  return duplicate_findings(survey, compared.places, equal_groups(compared.images), "identical",
                            Level::warning);
}

}  // namespace

Check check_of_equal_images() {
  return {"images that are equal in every pixel, within a set and between sets", find_equal_images};
}

}  // namespace torsor
