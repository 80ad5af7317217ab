// Words with commas between, as options list them.
#pragma once

#include <string>
#include <vector>

namespace torsor {

/// "kid, psnr" -> {"kid", "psnr"}: spaces are passed over, and so is a word of no letters.
std::vector<std::string> words_of(const std::string& list);

}  // namespace torsor
