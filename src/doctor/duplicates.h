// Which of many images are the same, or nearly so.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "doctor/image_hash.h"

namespace torsor {

/// What is compared of an image.
struct ComparedImage {
  std::size_t set = 0;  // that it belongs to
  std::string digest;   // of its pixels
  ImageHash hash;
};

/// Places of images that are alike, two or more each, in the order of their first ones. The first two are
/// alike directly, the others ascend.
using Groups = std::vector<std::vector<std::size_t>>;

/// By the two sets that images are alike in, the lower first, or twice the one. Of two sets a group has
/// images of both, and each is directly alike to one of the other set.
using GroupsBySets = std::map<std::array<std::size_t, 2>, Groups>;

/// Images of equal digests.
GroupsBySets equal_groups(const std::vector<ComparedImage>& images);

/// When two images are near duplicates: both must hold.
struct NearRule {
  int bits = 6;                     // of the hashes, at most, in which they differ
  double least_correlation = 0.98;  // of the small pictures
};

/// Near duplicates of different digests, joined through others of the same set or sets. Hashes that differ in
/// at most k bits agree in one of k + 1 parts of their bits, and only such are compared (Norouzi, Punjani and
/// Fleet 2012): 10,000 images take well under a second.
GroupsBySets near_groups(const std::vector<ComparedImage>& images, const NearRule& rule = {});

}  // namespace torsor
