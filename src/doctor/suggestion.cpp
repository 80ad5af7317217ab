#include "doctor/suggestion.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/shell.h"
#include "core/text.h"
#include "data/data_source.h"
#include "doctor/pair_shape.h"
#include "doctor/planned_size.h"
#include "train/config.h"

namespace torsor {

namespace {

constexpr double kLongest = 3 * 24 * 3600;  // seconds that one waits for a result

bool is_broken(const Survey& survey) {
  return std::any_of(survey.sets.begin(), survey.sets.end(), [](const SurveyedSet& set) {
    return set.usable() < set.images.size() && set.split == Split::train;
  });
}

// Whether all images of a training set are grey, however they are stored.
bool is_grey(const SurveyedSet& set) {
  return set.usable() > 0 && std::all_of(set.images.begin(), set.images.end(), [](const ImageRecord& image) {
           return !image.is_usable() || image.is_colourless || image.colours() == 1;
         });
}

std::string channel_words(const SurveyedSet& set) {
  const bool is_both = set.holds == Holds::pairs || (set.holds == Holds::images && set.folder.empty());
  if (is_both) return " --channels-a 1 --channels-b 1";
  return set.holds == Holds::domain_b ? " --channels-b 1" : " --channels-a 1";
}

std::string preset_to_use(const Survey& survey, const std::vector<PresetCost>& costs) {
  const std::int64_t crop = crop_of_preset(preset_of_sizes(survey));
  std::vector<std::string> names = train_presets();
  std::string out = *std::min_element(names.begin(), names.end(), [](const auto& x, const auto& y) {
    return crop_of_preset(x) < crop_of_preset(y);
  });
  for (const PresetCost& cost : costs)
    if (cost.crop <= crop && cost.crop > crop_of_preset(out) && cost.fits && cost.seconds() <= kLongest)
      out = cost.name;
  return out;
}

std::string data_words(const Survey& survey, const DataPlace& place) {
  if (place.data.empty()) return "--a " + shell_word(place.a) + " --b " + shell_word(place.b);
  const bool is_whole =
      pairs_to_train_on(survey) != nullptr || survey.find(Holds::domain_a, Split::train) != nullptr ||
      survey.find(Holds::domain_b, Split::train) != nullptr || survey.sets.front().folder.empty();
  if (is_whole) return "--data " + shell_word(place.data);
  const SurveyedSet* misread = survey.find(Holds::pairs, Split::train);  // other images, by its name
  return "--a " + shell_word(misread == nullptr ? place.data : misread->folder.string()) + " --b FOLDER_OF_B";
}

// Smaller images than the preset's, and its ratio of load to crop size.
std::string size_words(const Survey& survey, const std::string& preset) {
  const std::int64_t planned = planned_crop(survey), crop = crop_of_preset(preset);
  if (planned >= crop) return "";
  return fmt::format(" --load-size {} --crop-size {}", planned * 9 / 8, planned);
}

std::string name_of_run(const DataPlace& place) {
  if (place.data.empty()) return folder_name(place.a) + "-" + folder_name(place.b);
  if (is_drawn(place.data)) return place.data.substr(place.data.find(':') + 1);
  return folder_name(place.data);
}

}  // namespace

std::string suggested_command(const Survey& survey, const DataPlace& place,
                              const std::vector<PresetCost>& costs) {
  const std::string preset = preset_to_use(survey, costs);
  std::string out = "torsor train " + data_words(survey, place);
  if (pairs_to_train_on(survey) != nullptr) out += " --model pix2pix";
  for (const SurveyedSet& set : survey.sets)
    if (set.split == Split::train && is_grey(set)) out += channel_words(set);
  if (place.pages == PageUse::channels) out += " --pages channels";
  if (place.pages == PageUse::slices) out += " --pages slices";
  if (is_broken(survey)) out += " --skip-bad";
  return out + " --preset " + preset + size_words(survey, preset) + " --out " +
         shell_word("runs/" + name_of_run(place));
}

}  // namespace torsor
