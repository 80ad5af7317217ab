// Colour profiles.
#include <fmt/format.h>

#include "doctor/finding.h"

namespace torsor {

namespace {

std::vector<ImageFinding> find_profiles(const Survey& survey) {
  std::vector<ImageFinding> out;
  for (std::size_t s = 0; s < survey.sets.size(); ++s) {
    const std::vector<ImagePlace> places =
        places_where(survey, s, [](const ImageRecord& image) { return image.has_profile; });
    if (!places.empty())
      out.push_back({Level::info, "",
                     fmt::format("{} with a colour profile ({}): their colours are converted to sRGB's",
                                 share_text(survey, s, places.size()), names_of(survey, places)),
                     places});
  }
  return out;
}

}  // namespace

Check check_of_profiles() { return {"colour profiles (ICC)", find_profiles}; }

}  // namespace torsor
