// Sizes that differ, and what squaring them does.
#include <fmt/format.h>

#include <algorithm>

#include "doctor/finding.h"

namespace torsor {

namespace {

constexpr double kSqueezed = 1.5;  // times as wide as high, or the other way round

double stretch_of(const SurveyedSet& set, const ImageRecord& image) {
  const double width = static_cast<double>(image.width) / (set.holds == Holds::pairs ? 2 : 1);
  const auto height = static_cast<double>(image.height);
  return std::max(width / height, height / width);
}

void say_sizes(const SurveyedSet& set, std::vector<ImageFinding>& out) {
  const ImageRecord *least = nullptr, *most = nullptr;
  const auto area = [](const ImageRecord* image) { return image->width * image->height; };
  bool differ = false;
  for (const ImageRecord& image : set.images) {
    if (!image.is_usable()) continue;
    differ = differ || (least != nullptr && (image.width != least->width || image.height != least->height));
    if (least == nullptr || area(&image) < area(least)) least = &image;
    if (most == nullptr || area(&image) > area(most)) most = &image;
  }
  if (differ)
    out.push_back({Level::info, "",
                   fmt::format("{} has images of several sizes, from {}x{} ({}) to {}x{} ({}); a training "
                               "resizes them to one",
                               set.title, least->width, least->height, least->name, most->width, most->height,
                               most->name)});
}

std::vector<ImageFinding> find_shapes(const Survey& survey) {
  std::vector<ImageFinding> out;
  for (std::size_t s = 0; s < survey.sets.size(); ++s) {
    const SurveyedSet& set = survey.sets[s];
    say_sizes(set, out);
    const std::vector<ImagePlace> long_ones =
        places_where(survey, s, [&](const ImageRecord& image) { return stretch_of(set, image) > kSqueezed; });
    if (!long_ones.empty())
      out.push_back(
          {Level::info, "",
           fmt::format("{} more than {:g} times as wide as high, or the other way round ({}): they "
                       "are squeezed into squares; --preprocess scale_width_and_crop keeps shapes",
                       share_text(survey, s, long_ones.size()), kSqueezed, names_of(survey, long_ones)),
           long_ones});
  }
  return out;
}

}  // namespace

Check check_of_shapes() { return {"sizes and shapes that differ", find_shapes}; }

}  // namespace torsor
