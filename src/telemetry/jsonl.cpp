#include "telemetry/jsonl.h"

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace torsor {

JsonlFile::JsonlFile(std::filesystem::path path) : path_(std::move(path)), file_(path_, std::ios::app) {
  if (!file_) fail("{}: cannot be written: {}", path_.string(), std::strerror(errno));
}

void JsonlFile::write(const Json& object) {
  file_ << object.dump() << '\n' << std::flush;
  if (!file_)
    fail("{}: cannot be written: {}; free some space and start again", path_.string(), std::strerror(errno));
}

}  // namespace torsor
