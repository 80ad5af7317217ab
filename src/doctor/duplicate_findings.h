// Groups of images that are alike, as findings.
#pragma once

#include "doctor/duplicates.h"
#include "doctor/finding.h"

namespace torsor {

struct ComparedImages {
  std::vector<ImagePlace> places;
  std::vector<ComparedImage> images;  // at these places
};

/// All usable images but the constant ones, which have a check of their own.
ComparedImages compared_images(const Survey& survey);

/// One finding for each set in which images are alike, and for each two, which counts the images of the
/// second that are alike to some of the first. `places` are those that the groups' numbers mean; `alike` is
/// "identical" or "nearly identical".
/// Two domains that share images are worth a warning where `between_domains` says so.
std::vector<ImageFinding> duplicate_findings(const Survey& survey, const std::vector<ImagePlace>& places,
                                             const GroupsBySets& alike_images, const std::string& alike,
                                             Level between_domains);

}  // namespace torsor
