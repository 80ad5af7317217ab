// The flags of pytorch-CycleGAN-and-pix2pix, and what torsor has for each.
#pragma once

#include <string>
#include <vector>

namespace torsor::app {

/// What to give instead of those of `words` that are flags of the reference; "" when none of them is.
std::string reference_advice(const std::vector<std::string>& words);

/// docs/from-the-reference.md.
std::string reference_markdown();

}  // namespace torsor::app
