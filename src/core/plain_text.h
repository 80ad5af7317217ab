// JSON values in lines for people.
#pragma once

#include <string>

#include "core/json.h"

namespace torsor {

/// A text without its quotes, anything else as JSON.
std::string plain_text(const Json& value);

}  // namespace torsor
