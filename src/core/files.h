// Whole-file reading and atomic writing. A file that torsor writes is there whole or not at all.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace torsor {

namespace fs = std::filesystem;

/// The bytes of a file. Throws Error naming the path and the system's reason.
std::string read_file(const fs::path& path);

/// Writes `bytes` under a temporary name in the same folder, fsyncs, renames over `path`, fsyncs the folder.
/// On failure (disk full, no permission) throws Error; what was at `path` before is untouched and the
/// temporary file is gone.
void write_file_atomically(const fs::path& path, std::string_view bytes);

/// The same with the content produced by `write` in pieces, each appended through the sink it is given.
using ByteSink = std::function<void(const void* data, std::size_t size)>;
void write_file_atomically(const fs::path& path, const std::function<void(const ByteSink&)>& write);

/// Whether this is the temporary name of a file that write_file_atomically was writing.
bool is_temporary_name(const fs::path& path);

/// Tries whether files can be made in the folder, or where it is not there yet in the nearest folder above
/// it; leaves nothing behind. Throws Error naming it and the system's reason.
void require_writable_folder(const fs::path& folder);

/// Makes the folder and its parents; throws Error when that fails or something else is in the way.
void make_folder(const fs::path& path);

}  // namespace torsor
