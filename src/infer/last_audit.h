// The verdict of a model's last audit, where one lies beside it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/json.h"

namespace torsor {

struct LastAudit {
  Json verdict;                    // {"verdict", "because", "file"}; null when there is none
  std::vector<std::string> notes;  // about files that are there and say nothing of this model
};

/// `model`: MODEL as it was given; `weights`: the file that it was read from; `generators`:
/// hash_of_generators(). Looks for audit.json, then audit/audit.json, in the folder of the run or of the
/// file, and takes the one that was written last among those whose "runs" have this hash.
LastAudit find_last_audit(const std::filesystem::path& model, const std::filesystem::path& weights,
                          const std::string& generators);

}  // namespace torsor
