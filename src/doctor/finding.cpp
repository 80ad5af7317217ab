#include "doctor/finding.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace torsor {

std::string file_of(const Survey& survey, const ImagePlace& place) {
  const SurveyedSet& set = survey.sets[place.set];
  return (set.folder.empty() ? set.title : set.folder.string()) + "/" + set.images[place.image].name;
}

std::vector<ImagePlace> places_where(const Survey& survey, std::size_t set,
                                     const std::function<bool(const ImageRecord&)>& holds) {
  std::vector<ImagePlace> out;
  const std::vector<ImageRecord>& images = survey.sets[set].images;
  for (std::size_t i = 0; i < images.size(); ++i)
    if (images[i].is_usable() && holds(images[i])) out.push_back({set, i});
  return out;
}

std::string names_of(const Survey& survey, const std::vector<ImagePlace>& places) {
  constexpr std::size_t kShown = 3;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(kShown, places.size()); ++i)
    names.push_back(survey.sets[places[i].set].images[places[i].image].name);
  return join(names) + (places.size() > kShown ? fmt::format(" and {} more", places.size() - kShown) : "");
}

std::string share_text(const Survey& survey, std::size_t set, std::size_t count) {
  const SurveyedSet& of = survey.sets[set];
  if (count == of.images.size() && count > 1) return fmt::format("all {} images in {}", count, of.title);
  return fmt::format("{} of {} in {}", count, count_text(of.images.size(), "image"), of.title);
}

std::string count_text(std::size_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

TextCounts counts_of(const SurveyedSet& set, const std::function<std::string(const ImageRecord&)>& text) {
  TextCounts out;
  for (const ImageRecord& image : set.images)
    if (image.is_usable()) ++out[text(image)];
  return out;
}

std::string counts_text(const TextCounts& counts) {
  if (counts.size() == 1) return counts.begin()->first;
  std::vector<std::string> parts;
  for (const auto& [text, count] : counts) parts.push_back(fmt::format("{} ({})", text, count));
  return join(parts);
}

std::string letter_of(const SurveyedSet& set) {
  return set.holds == Holds::domain_a ? "a" : set.holds == Holds::domain_b ? "b" : "";
}

}  // namespace torsor
