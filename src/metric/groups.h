// Images that are not independent: slices of a patient, frames of a clip, an original and what was made of
// it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace torsor {

/// The group of each image of two sets, in one numbering 0..count-1 by order of first appearance. A group may
/// have images in both sets. Of pairs, `fake` is empty.
struct SampleGroups {
  std::vector<std::int64_t> real, fake;
  std::int64_t count = 0;
};

/// Groups by file names (with folders below the set's, "/" between them). `pattern` is an ECMAScript regular
/// expression that is searched for in the name; the group is its first capture, or the whole match where it
/// has none. Without a pattern the group is the name without its extension, so that an image and a
/// translation of the same name are one group. Throws Error naming the first name that does not match (or
/// whose capture is empty), UsageError for a pattern that is none.
SampleGroups group_by_name(const std::vector<std::string>& real, const std::vector<std::string>& fake,
                           const std::string& pattern);

/// Each image a group of its own: `real` ones, then `fake` ones.
SampleGroups ungrouped(std::int64_t real, std::int64_t fake);

/// Throws UsageError naming `what` when the pattern is no regular expression. "" is accepted.
void check_group_pattern(const std::string& pattern, const std::string& what);

}  // namespace torsor
