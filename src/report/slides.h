// Pictures of one thing at several times, and two pictures of one thing over each other.
#pragma once

#include <string>
#include <vector>

#include "report/embed.h"

namespace torsor {

struct Slide {
  std::string label;  // "step 500"
  Embedded picture;
};

/// One picture at a time, the last first, with a slider for mouse, touch and keyboard. Where scripts do not
/// run, and on paper, the last. Throws Error when there is none.
std::string slides_html(const std::vector<Slide>& slides, const std::string& caption);

/// Three pictures of one size.
struct Comparison {
  std::string label;  // "image 3"
  Embedded before, after, difference;
};

struct ComparisonNames {
  std::string before, after, difference;
};

/// One comparison at a time: before and after over each other, parted by a line that a slider or the pointer
/// moves, and their difference beside it; below them the others to choose from. Where scripts do not run, and
/// on paper, the first one's pictures side by side. Throws Error when there is none.
std::string comparisons_html(const std::vector<Comparison>& comparisons, const ComparisonNames& names,
                             const std::string& caption);

}  // namespace torsor
