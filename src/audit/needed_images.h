// How many images an audit may honestly ask for.
#pragma once

#include <cstdint>

namespace torsor {

/// Where more than so many images would be needed, a value lies so near its line that the finding names what
/// else would settle it. The number itself would say little: it goes with the square of a distance that is
/// known by few digits.
inline constexpr std::int64_t kMostImagesToAskFor = 10'000;

}  // namespace torsor
