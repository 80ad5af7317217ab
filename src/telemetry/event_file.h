// The event files that TensorBoard reads: scalars, pictures and texts over the steps of a run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "telemetry/appended_file.h"

namespace torsor {

/// A picture as a file of its own has it.
struct EncodedPicture {
  std::int64_t width = 0, height = 0;
  std::string png;  // RGB
};

/// Writes one event file: TFRecords (tf_record.h) of the message Event. Each call writes one record and hands
/// it to the system, so that TensorBoard can be watching. Steps never decrease from call to call.
class EventFile {
 public:
  /// Makes the file. Throws Error when it cannot be written, as all below do.
  explicit EventFile(std::filesystem::path path);

  /// Says that what `step` and later steps had in earlier files is void: a TensorBoard that has read it
  /// forgets it.
  void begin_session(std::int64_t step);
  /// All scalars of a step; in single precision, as TensorBoard keeps them.
  void scalars(std::int64_t step, std::span<const std::pair<std::string, double>> values);
  void picture(std::int64_t step, const std::string& tag, const EncodedPicture& picture);
  /// Shown as Markdown.
  void text(std::int64_t step, const std::string& tag, const std::string& markdown);

 private:
  AppendedFile file_;
};

/// An event as far as it is read here.
struct EventHead {
  std::int64_t step = 0;
  std::vector<std::string> tags;  // of what it shows
};

using EventSink = std::function<void(const EventHead&)>;

/// Where an event file has to be cut so that it ends with `step`: before its first event of a later step, or
/// before its first record that is torn, damaged or no event, whichever comes first. Hands the events before
/// that byte to `kept`, in order. Throws Error when the file cannot be read.
std::uint64_t end_of_events(const std::filesystem::path& file, std::int64_t step, const EventSink& kept);

/// Cuts it there and appends what is cut off to `aside`, as it is. Throws Error.
void rewind_events(const std::filesystem::path& file, std::int64_t step, const std::filesystem::path& aside,
                   const EventSink& kept);

}  // namespace torsor
