// What a check has to say of the images, and how it says it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "doctor/survey.h"

namespace torsor {

enum class Level { info, warning };

/// An image of a survey.
struct ImagePlace {
  std::size_t set = 0, image = 0;
};

struct ImageFinding {
  Level level = Level::info;
  std::string id;    // the check's name
  std::string text;  // one line: how many, which, and what to do
  std::vector<ImagePlace> places =
      {};  // all images that it is about; of duplicates those of a group in a row
};

/// One check: a pure function of the survey, without findings for data that have not what it looks for.
struct Check {
  std::string help;  // what it looks for
  std::function<std::vector<ImageFinding>(const Survey&)> find;
};

/// Files of a finding, "trainB/a.png".
std::string file_of(const Survey& survey, const ImagePlace& place);

/// The usable images of a set for which it holds.
std::vector<ImagePlace> places_where(const Survey& survey, std::size_t set,
                                     const std::function<bool(const ImageRecord&)>& holds);

/// "a.png, b.png, c.png and 4 more".
std::string names_of(const Survey& survey, const std::vector<ImagePlace>& places);

/// "7 of 300 images in trainB"; of all of them "all 300 images in trainB".
std::string share_text(const Survey& survey, std::size_t set, std::size_t count);

/// "1 image", "2 images".
std::string count_text(std::size_t count, const std::string& noun);

/// How many images have each text.
using TextCounts = std::map<std::string, std::int64_t>;

/// Of the usable images of a set.
TextCounts counts_of(const SurveyedSet& set, const std::function<std::string(const ImageRecord&)>& text);

/// "8-bit" where all have it; "16-bit (3), 8-bit (297)".
std::string counts_text(const TextCounts& counts);

/// "a" for domain A, "b" for B, as options end in; "" for other sets.
std::string letter_of(const SurveyedSet& set);

}  // namespace torsor
