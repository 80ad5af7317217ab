#include "doctor/planned_size.h"

#include <algorithm>

#include "train/config.h"

namespace torsor {

namespace {

constexpr std::int64_t kStepOfSides = 32;

// That each training set has; 0 where there is none.
std::int64_t usual_side(const Survey& survey) {
  std::int64_t out = 0;
  for (const SurveyedSet& set : survey.sets)
    if (const std::int64_t side = set.median_side(); set.split == Split::train && side > 0)
      out = out == 0 ? side : std::min(out, side);
  return out;
}

}  // namespace

std::int64_t crop_of_preset(const std::string& name) {
  return train_preset(name, *TrainConfig().model).at("crop_size");
}

std::string preset_of_sizes(const Survey& survey) {
  std::vector<std::string> names = train_presets();
  std::sort(names.begin(), names.end(),
            [](const std::string& x, const std::string& y) { return crop_of_preset(x) < crop_of_preset(y); });
  std::string out = names.front();
  for (const std::string& name : names)
    if (crop_of_preset(name) <= usual_side(survey)) out = name;
  return out;
}

std::int64_t planned_crop(const Survey& survey) {
  const std::int64_t crop = crop_of_preset(preset_of_sizes(survey)), side = usual_side(survey);
  if (side == 0 || side >= crop) return crop;
  return std::max(kStepOfSides, side / kStepOfSides * kStepOfSides);
}

}  // namespace torsor
