// Directions as a reader meets them.
#pragma once

#include <string>

#include "core/text.h"
#include "model/direction.h"

namespace torsor {

/// "A to B" of "a_to_b".
inline std::string direction_text(const std::string& name) {
  const Direction direction = Direction::named(name);
  return upper(direction.from) + " to " + upper(direction.to);
}

}  // namespace torsor
