// Images that belong together: side by side in one, or of one name in two folders.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/text.h"
#include "doctor/finding.h"
#include "doctor/pair_shape.h"

namespace torsor {

namespace {

constexpr double kHalf = 0.5;  // of the images

// ": its sub-folders are T1, T2", of the images' names; "" where there are none.
std::string sub_folders_of(const SurveyedSet& set) {
  std::set<std::string> names;
  for (const ImageRecord& image : set.images)
    if (const std::filesystem::path path(image.name); path.has_parent_path())
      names.insert(path.begin()->string());
  if (names.empty() || names.size() > 10) return "";
  return "; its sub-folders are " + join({names.begin(), names.end()});
}

void find_side_by_side(const SurveyedSet& set, std::vector<ImageFinding>& out) {
  const std::size_t wide = pair_shaped(set), usable = set.usable();
  const bool look_so = looks_paired(set);
  if (set.holds != Holds::pairs) {
    if (look_so)
      out.push_back({Level::info, "",
                     fmt::format("{} of {} in {} about twice as wide as high: where they show pairs side by "
                                 "side, name the folder trainAB and train with --pairing aligned",
                                 wide, count_text(usable, "image"), set.title)});
  } else if (look_so) {
    out.push_back(
        {Level::info, "",
         fmt::format("{} holds pairs side by side ({} of {} about twice as wide as high): they need "
                     "--pairing aligned, which --model pix2pix has by itself",
                     set.title, wide, count_text(usable, "image"))});
  } else {
    out.push_back(
        {Level::warning, "",
         fmt::format("{} is read as pairs side by side because of its name, but only {} of {} about "
                     "twice as wide as high: where it holds other images, name two folders with "
                     "--a and --b{}",
                     set.title, wide, count_text(usable, "image"), sub_folders_of(set))});
  }
}

std::vector<ImagePlace> without_partner(const Survey& survey, std::size_t s,
                                        const std::set<std::string>& partners) {
  return places_where(survey, s,
                      [&](const ImageRecord& image) { return !partners.contains(image.pair_name); });
}

std::set<std::string> names_in(const SurveyedSet& set) {
  std::set<std::string> out;
  for (const ImageRecord& image : set.images)
    if (image.is_usable()) out.insert(image.pair_name);
  return out;
}

void find_partners(const Survey& survey, std::size_t a, std::size_t b, std::vector<ImageFinding>& out) {
  const std::set<std::string> of_a = names_in(survey.sets[a]), of_b = names_in(survey.sets[b]);
  std::vector<ImagePlace> alone = without_partner(survey, a, of_b), others = without_partner(survey, b, of_a);
  const std::size_t together = survey.sets[a].usable() - alone.size();
  if (together == 0 ||
      static_cast<double>(together) < kHalf * static_cast<double>(std::max(of_a.size(), of_b.size())))
    return;
  alone.insert(alone.end(), others.begin(), others.end());
  out.push_back(
      {Level::info, "",
       fmt::format("{} of {} have partners of the same name in {}: where they show the same, "
                   "--pairing aligned trains on pairs{}",
                   count_text(together, "image"), survey.sets[a].title, survey.sets[b].title,
                   alone.empty() ? ""
                                 : fmt::format("; {} without a partner ({})",
                                               count_text(alone.size(), "image"), names_of(survey, alone))),
       alone});
}

std::vector<ImageFinding> find_pairs(const Survey& survey) {
  std::vector<ImageFinding> out;
  for (const SurveyedSet& set : survey.sets) find_side_by_side(set, out);
  for (std::size_t a = 0; a < survey.sets.size(); ++a)
    for (std::size_t b = 0; b < survey.sets.size(); ++b)
      if (survey.sets[a].holds == Holds::domain_a && survey.sets[b].holds == Holds::domain_b &&
          survey.sets[a].split == survey.sets[b].split && !survey.sets[a].folder.empty())
        find_partners(survey, a, b, out);
  return out;
}

}  // namespace

Check check_of_pairs() { return {"pairs side by side, partners of the same name", find_pairs}; }

}  // namespace torsor
