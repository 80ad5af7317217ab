// Images that are to a large part black or white.
#include <fmt/format.h>

#include "doctor/finding.h"

namespace torsor {

namespace {

constexpr double kMuchBackground = 0.4;  // of the pixels of half of the images

std::vector<ImageFinding> find_background(const Survey& survey) {
  std::vector<ImageFinding> out;
  for (const SurveyedSet& set : survey.sets)
    for (const auto& [name, share] :
         {std::pair{"black", &ImageRecord::black_share}, std::pair{"white", &ImageRecord::white_share}}) {
      const double median = median_of(set.sorted(share));
      if (median >= kMuchBackground)
        out.push_back({Level::info, "",
                       fmt::format("{}: much of an image is {} (in half of them {:.0f} % of the pixels or "
                                   "more), so that averages over whole images flatter; evaluate takes --mask",
                                   set.title, name, 100 * median)});
    }
  return out;
}

}  // namespace

Check check_of_empty_background() {
  return {"images that are to a large part black or white", find_background};
}

}  // namespace torsor
