// Folders that commands write a result into.
#pragma once

#include <filesystem>

namespace torsor::app {

/// What becomes of a result that is there already.
enum class Earlier { keep, replace };

/// Before minutes go into a result: throws Error where `folder` cannot be written, and with keep where it has
/// a result, the file `there`, already.
void require_free_result(const std::filesystem::path& folder, const std::filesystem::path& there,
                         Earlier earlier);

}  // namespace torsor::app
