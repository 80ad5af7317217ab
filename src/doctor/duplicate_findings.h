// Groups of images that are alike, as findings.
#pragma once

#include "doctor/duplicates.h"
#include "doctor/finding.h"

namespace torsor {

/// One finding for each set that has several images of a group, and for each two sets that share one.
/// `places` are those that the groups' numbers mean; `alike` is "identical" or "nearly identical".
/// Two domains that share images are worth a warning where `between_domains` says so.
std::vector<ImageFinding> duplicate_findings(const Survey& survey, const std::vector<ImagePlace>& places,
                                             const Groups& groups, const std::string& alike,
                                             Level between_domains);

}  // namespace torsor
