// Images that look alike: resized, compressed again, neighbouring frames and slices.
#include "doctor/duplicate_findings.h"

namespace torsor {

namespace {

std::vector<ImageFinding> find_near_duplicates(const Survey& survey) {
  const ComparedImages compared = compared_images(survey);
  return duplicate_findings(survey, compared.places, near_groups(compared.images), "nearly identical",
                            Level::info);
}

}  // namespace

Check check_of_near_duplicates() {
  return {
      "images that look alike: at most 6 of 64 bits of the perceptual hash differ, and brightness at 16x16 "
      "pixels correlates with 0.98 or more",
      find_near_duplicates};
}

}  // namespace torsor
