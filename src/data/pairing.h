// How images of two domains are combined in a batch.
#pragma once

namespace torsor {

/// An image of each domain drawn on its own, or pairs that belong together.
enum class Pairing { unpaired, aligned };

}  // namespace torsor
