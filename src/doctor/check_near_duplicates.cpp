// Images that look alike: resized, compressed again, neighbouring frames and slices.
#include <set>

#include "doctor/duplicate_findings.h"

namespace torsor {

namespace {

// Of equal images the first stands for all.
std::vector<ImageFinding> find_near_duplicates(const Survey& survey) {
  std::vector<ImagePlace> places;
  std::vector<const ImageHash*> hashes;
  std::set<std::string> seen;
  for (std::size_t s = 0; s < survey.sets.size(); ++s)
    for (std::size_t i = 0; i < survey.sets[s].images.size(); ++i) {
      const ImageRecord& image = survey.sets[s].images[i];
      if (!image.is_usable() || image.is_constant || !seen.insert(image.digest).second) continue;
      places.push_back({s, i});
      hashes.push_back(&image.hash);
    }
  return duplicate_findings(survey, places, near_groups(hashes), "nearly identical", Level::info);
}

}  // namespace

Check check_of_near_duplicates() {
  return {
      "images that look alike: at most 6 of 64 bits of the perceptual hash differ, and brightness at 16x16 "
      "pixels correlates with 0.98 or more",
      find_near_duplicates};
}

}  // namespace torsor
