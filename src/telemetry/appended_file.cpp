#include "telemetry/appended_file.h"

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace torsor {

AppendedFile::AppendedFile(std::filesystem::path path)
    : path_(std::move(path)), file_(path_, std::ios::app | std::ios::binary) {
  if (!file_) fail("{}: cannot be written: {}", path_.string(), std::strerror(errno));
}

void AppendedFile::append(std::string_view bytes) {
  file_.write(bytes.data(), static_cast<std::streamsize>(bytes.size())) << std::flush;
  if (!file_)
    fail("{}: cannot be written: {}; free some space and start again", path_.string(), std::strerror(errno));
}

}  // namespace torsor
