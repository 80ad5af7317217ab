// The time of day, for records.
#pragma once

#include <string>

namespace torsor {

/// "2026-03-01T12:30:00Z".
std::string utc_now();

}  // namespace torsor
