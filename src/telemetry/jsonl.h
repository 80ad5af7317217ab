// A log of one JSON object a line, readable while it grows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "core/json.h"
#include "telemetry/appended_file.h"

namespace torsor {

class JsonlFile {
 public:
  /// Appends to `path`, making it when absent. Throws Error when it cannot be opened.
  explicit JsonlFile(std::filesystem::path path);
  /// Writes one line and hands it to the system. Non-finite numbers become null (JSON has none), and
  /// bytes that are not UTF-8, as paths may have, U+FFFD. Throws Error when the disk is full.
  void write(const Json& object);

 private:
  AppendedFile file_;
};

/// Hands each line that is a JSON object to `visit`, in order. Returns how many lines are none, as the torn
/// last one of a log that is being written. A log that is not there has no lines. Throws Error.
std::int64_t read_jsonl(const std::filesystem::path& log, const std::function<void(const Json&)>& visit);

/// Where rewind_jsonl puts the lines of a log: "log.discarded.jsonl" beside "log.jsonl".
std::filesystem::path discarded_beside(const std::filesystem::path& log);

/// Moves the lines of a log that belong to steps after `step`, by their field "step", and those that have
/// none, as a torn last line, to the end of discarded_beside(log): those steps are done again. Hands the
/// others to `kept`, in order. A log that is not there has no lines. Throws Error.
void rewind_jsonl(
    const std::filesystem::path& log, std::int64_t step,
    const std::function<void(const Json&)>& kept = [](const Json&) {});

}  // namespace torsor
