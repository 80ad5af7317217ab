// Which of many images are the same, or nearly so.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "doctor/image_hash.h"

namespace torsor {

/// Two places or more each, ascending; groups in the order of their first places.
using Groups = std::vector<std::vector<std::size_t>>;

/// Places of equal texts; "" equals nothing.
Groups equal_groups(const std::vector<std::string>& texts);

/// When two images are near duplicates: both must hold.
struct NearRule {
  int bits = 6;                     // of the hashes, at most, in which they differ
  double least_correlation = 0.98;  // of the small pictures
};

/// Places of near duplicates, directly or through others; a null hash is like nothing. Hashes that differ in
/// at most k bits agree in one of k + 1 parts of their bits, and only such are compared (Norouzi, Punjani and
/// Fleet 2012): 10,000 images take well under a second.
Groups near_groups(const std::vector<const ImageHash*>& hashes, const NearRule& rule = {});

}  // namespace torsor
