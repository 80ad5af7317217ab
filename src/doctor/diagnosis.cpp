#include "doctor/diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/version.h"
#include "core/word_list.h"
#include "doctor/checks.h"
#include "doctor/suggestion.h"
#include "train/config.h"

namespace torsor {

namespace {

std::string size_text(const ImageRecord& image) { return fmt::format("{}x{}", image.width, image.height); }
std::string channel_text(const ImageRecord& image) { return std::to_string(image.channels); }
std::string channels_in_words(const ImageRecord& image) {
  return count_text(static_cast<std::size_t>(image.channels), "channel");
}
std::string depth_of(const ImageRecord& image) { return depth_text(image.type); }

Json side_json(const std::vector<std::int64_t>& sides) {
  if (sides.empty()) return nullptr;
  return {{"least", sides.front()}, {"median", median_of(sides)}, {"most", sides.back()}};
}

const char* holds_word(Holds holds) {
  return holds == Holds::domain_a   ? "a"
         : holds == Holds::domain_b ? "b"
         : holds == Holds::pairs    ? "pairs"
                                    : "images";
}

Json set_json(const SurveyedSet& set) {
  const auto with = [&](bool ImageRecord::*property) {
    return std::count_if(set.images.begin(), set.images.end(),
                         [&](const ImageRecord& image) { return image.is_usable() && image.*property; });
  };
  return {{"title", set.title},
          {"folder", set.folder.string()},
          {"holds", holds_word(set.holds)},
          {"split", set.split == Split::train ? "train" : "test"},
          {"images", set.images.size()},
          {"broken", set.images.size() - set.usable()},
          {"width", side_json(set.sorted(&ImageRecord::width))},
          {"height", side_json(set.sorted(&ImageRecord::height))},
          {"channels", counts_of(set, channel_text)},
          {"depth", counts_of(set, depth_of)},
          {"black", set.range.black_level},
          {"white", set.range.white},
          {"alpha", with(&ImageRecord::has_alpha)},
          {"profiles", with(&ImageRecord::has_profile)},
          {"constant", with(&ImageRecord::is_constant)},
          {"colourless", with(&ImageRecord::is_colourless)}};
}

Json finding_json(const Survey& survey, const ImageFinding& finding) {
  Json files = Json::array();
  for (const ImagePlace& place : finding.places) files.push_back(file_of(survey, place));
  return {{"level", finding.level == Level::warning ? "warning" : "info"},
          {"id", finding.id},
          {"text", finding.text},
          {"files", files}};
}

Json comparison_of(const DomainComparison& comparison) {
  Json features = Json::array();
  for (const FeatureComparison& f : comparison.features)
    features.push_back({{"name", f.name},
                        {"label", f.label},
                        {"mean_a", f.mean_a},
                        {"mean_b", f.mean_b},
                        {"difference", f.difference},
                        {"above", f.above}});
  return {{"images_a", comparison.images_a},
          {"images_b", comparison.images_b},
          {"chance", comparison.chance},
          {"features", features}};
}

Json cost_json(const PresetCost& cost) {
  return {{"name", cost.name},   {"crop_size", cost.crop},    {"seconds_a_step", cost.seconds_a_step},
          {"steps", cost.steps}, {"seconds", cost.seconds()}, {"bytes", cost.bytes},
          {"fits", cost.fits}};
}

}  // namespace

void DoctorOptions::describe(OptionSet& o) {
  o.add("max_images", max_images, "look at the first that many images of each set; 0 = all")
      .at_least(0)
      .common();
  o.add("pages", pages, "of TIFFs: images, channels or slices, as for train").choices(page_uses());
  o.add("presets", presets,
        "whose time and memory is measured, with commas between; none = no trial [all of them: " +
            join(train_presets(), ",") + "]")
      .common();
}

std::vector<std::string> DoctorOptions::presets_to_measure() const {
  if (presets.empty()) return train_presets();
  if (presets == "none") return {};
  std::vector<std::string> out = words_of(presets);
  const std::vector<std::string> known = train_presets();
  for (const std::string& name : out)
    if (std::find(known.begin(), known.end(), name) == known.end())
      fail_usage("--presets: unknown preset '{}'{} (none, or some of {})", printable(name),
                 did_you_mean(name, known), join(known));
  return out;
}

std::size_t Diagnosis::warnings() const {
  return static_cast<std::size_t>(
      std::count_if(findings.begin(), findings.end(),
                    [](const ImageFinding& finding) { return finding.level == Level::warning; }));
}

Diagnosis diagnose(const std::string& data, const std::string& a, const std::string& b,
                   const DoctorOptions& options, LogSink& log, const StopFlag& stop) {
  const std::vector<std::string> presets = options.presets_to_measure();
  const DataPlace place{data, a, b, options.max_images, page_use_named(options.pages)};
  Diagnosis out;
  out.survey = survey_images(place, log, stop);
  out.findings = findings_of(out.survey);
  out.comparison = compare_domains(out.survey);
  out.costs = preset_costs(presets, out.survey.largest_set(), log, stop);
  out.command = suggested_command(out.survey, place, out.costs);
  return out;
}

std::string set_text(const SurveyedSet& set) {
  const std::size_t broken = set.images.size() - set.usable();
  std::string out = fmt::format("{}: {}", set.title, count_text(set.images.size(), "image"));
  if (broken > 0) out += fmt::format(", {} of them broken", broken);
  if (set.usable() == 0) return out;
  const auto sizes = counts_of(set, size_text);
  const auto widths = set.sorted(&ImageRecord::width), heights = set.sorted(&ImageRecord::height);
  out += sizes.size() == 1 ? ", " + sizes.begin()->first
                           : fmt::format(", {} to {} wide and {} to {} high", widths.front(), widths.back(),
                                         heights.front(), heights.back());
  return out + ", " + counts_text(counts_of(set, channels_in_words)) + ", " +
         counts_text(counts_of(set, depth_of));
}

std::string cost_text(const PresetCost& cost) {
  return fmt::format("{} ({} pixels): {:.2g} s a step, {} for its {} steps, {}{}", cost.name, cost.crop,
                     cost.seconds_a_step, human_duration(cost.seconds()), with_thousands(cost.steps),
                     human_bytes(cost.bytes), cost.fits ? "" : ", more than " + cost.bound);
}

Json diagnosis_json(const Diagnosis& diagnosis) {
  Json sets = Json::array(), findings = Json::array(), costs = Json::array();
  for (const SurveyedSet& set : diagnosis.survey.sets) sets.push_back(set_json(set));
  for (const ImageFinding& finding : diagnosis.findings)
    findings.push_back(finding_json(diagnosis.survey, finding));
  for (const PresetCost& cost : diagnosis.costs) costs.push_back(cost_json(cost));
  return {{"torsor", torsor_version()},
          {"warnings", diagnosis.warnings()},
          {"sets", sets},
          {"findings", findings},
          {"comparison", diagnosis.comparison ? comparison_of(*diagnosis.comparison) : Json()},
          {"presets", costs},
          {"command", diagnosis.command}};
}

}  // namespace torsor
