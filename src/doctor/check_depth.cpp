// Sample types.
#include <fmt/format.h>

#include "doctor/finding.h"

namespace torsor {

namespace {

// What a training takes for black and white, where it has to be decided.
void say_range(const SurveyedSet& set, std::vector<ImageFinding>& out) {
  const std::string letter = letter_of(set);
  if (set.range.type == PixelType::u8 || set.split != Split::train) return;
  out.push_back({Level::info, "",
                 fmt::format("{} has {} samples, of which a training takes {:g} as black and {:g} as white; "
                             "--black-{} and --white-{} set others",
                             set.title, depth_text(set.range.type), set.range.black_level, set.range.white,
                             letter.empty() ? "a" : letter, letter.empty() ? "a" : letter)});
}

std::vector<ImageFinding> find_depths(const Survey& survey) {
  std::vector<ImageFinding> out;
  for (std::size_t s = 0; s < survey.sets.size(); ++s) {
    const SurveyedSet& set = survey.sets[s];
    for (const PixelType type : {PixelType::u8, PixelType::u16}) {
      if (type == set.range.type) continue;
      const std::vector<ImagePlace> places =
          places_where(survey, s, [&](const ImageRecord& image) { return image.type == type; });
      if (places.empty()) continue;
      out.push_back({Level::warning, "",
                     fmt::format("{} with {} samples, others with {} ones ({}): one white does not fit both; "
                                 "convert them to one depth",
                                 share_text(survey, s, places.size()), depth_text(type),
                                 depth_text(set.range.type), names_of(survey, places)),
                     places});
    }
    say_range(set, out);
  }
  return out;
}

}  // namespace

Check check_of_depth() { return {"8-bit, 16-bit and float samples in one set", find_depths}; }

}  // namespace torsor
