#include "app/result_folder.h"

#include "core/error.h"
#include "core/files.h"

namespace torsor::app {

void require_free_result(const std::filesystem::path& folder, const std::filesystem::path& there,
                         Earlier earlier) {
  std::error_code ec;
  if (earlier == Earlier::keep && std::filesystem::exists(there, ec))
    fail("{}: exists already; pass --overwrite to replace it, or choose another --out", there.string());
  require_writable(folder);
}

}  // namespace torsor::app
