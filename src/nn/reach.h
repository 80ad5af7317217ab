// How far a network looks.
#pragma once

#include <optional>

#include "nn/network.h"

namespace torsor {

/// How many pixels away, on any side, the input can lie that a pixel of the output depends on, in evaluation
/// mode; nothing when each depends on the whole image, as with instance norm or a code for all of it, or when
/// the network does not say.
std::optional<std::int64_t> reach_of(const Network& network);

}  // namespace torsor
