// The page that tells a reader what an audit found.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/json.h"
#include "report/html.h"

namespace torsor {

/// One file that loads nothing from elsewhere, made from audit.json (docs/audit.md) and the figures below
/// `out`. The verdict comes first and says why; then what would settle it; then the findings that decide,
/// with their pictures; tables follow. `command` is the command line that made the audit, "" = not shown.
/// Throws Error naming a figure that is gone or is no picture.
HtmlPage audit_page(const Json& audit, const std::filesystem::path& out, const std::string& command);

/// The largest share of trainings that may end with another answer where `runs` of them agree, at 95 %
/// confidence: 1 - 0.05^(1 / (runs - 1)). The first run only names the answer, so that of one run it is 1.
double share_left_open(std::int64_t runs);

}  // namespace torsor
