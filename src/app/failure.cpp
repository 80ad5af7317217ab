#include "app/failure.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <new>
#include <optional>
#include <system_error>

#include "core/error.h"
#include "core/json.h"
#include "core/text.h"

namespace torsor::app {

namespace {

constexpr std::size_t kLongest = 400;

const std::string kOutOfMemory =
    "out of memory{}; use smaller images, a smaller batch or a narrower network, or close other programs";

std::string without_memory(const std::string& wanted) {
  return fmt::format(fmt::runtime(kOutOfMemory), wanted.empty() ? "" : " (" + wanted + " were asked for)");
}

// "... you tried to allocate 123 bytes. Error code 12" -> 123.
std::optional<double> bytes_wanted(std::string_view text) {
  constexpr std::string_view kBefore = "you tried to allocate ";
  const auto at = text.find(kBefore);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + kBefore.size());
  double bytes = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  return status == std::errc() ? std::optional(bytes) : std::nullopt;
}

bool mentions_memory(const std::string& text) {
  return text.find("not enough memory") != std::string::npos ||
         text.find("out of memory") != std::string::npos ||
         text.find("DefaultCPUAllocator") != std::string::npos;
}

// Without "[enforce fail at file.cpp:12] condition. " and "Exception raised from function at file.cpp:12".
std::string torch_reason(const std::string& message) {
  std::string text = message.substr(0, message.find('\n'));
  if (text.starts_with("[enforce fail at ")) {
    const auto end = text.find("] ");
    const auto condition = end == std::string::npos ? end : text.find(". ", end);
    if (condition != std::string::npos) text = text.substr(condition + 2);
  }
  text = text.substr(0, text.find("Exception raised from"));
  while (text.ends_with(' ') || text.ends_with('(')) text.pop_back();
  return printable(text, kLongest);
}

std::string explain_torch(const std::string& message) {
  if (mentions_memory(message)) {
    const auto bytes = bytes_wanted(message);
    return without_memory(bytes ? human_bytes(*bytes) : "");
  }
  return "libtorch: " + torch_reason(message);
}

std::string explain_file(const std::filesystem::filesystem_error& error) {
  const std::string path = error.path1().empty() ? "a file" : error.path1().string();
  return one_line(fmt::format("{}: {}", path, error.code().message()));
}

}  // namespace

std::string explain(const std::exception& error) {
  if (dynamic_cast<const Error*>(&error) != nullptr) return error.what();
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return without_memory("");
  if (const auto* torch = dynamic_cast<const c10::Error*>(&error))
    return explain_torch(torch->what_without_backtrace());
  if (const auto* file = dynamic_cast<const std::filesystem::filesystem_error*>(&error))
    return explain_file(*file);
  if (const auto* json = dynamic_cast<const Json::exception*>(&error))
    return "a file's JSON is not as expected: " + json_reason(*json);
  if (const auto* system = dynamic_cast<const std::system_error*>(&error))
    return one_line(fmt::format("the system refuses: {}", system->code().message()));
  // What libtorch throws through other types carries its traces too.
  if (mentions_memory(error.what())) return explain_torch(error.what());
  return fmt::format("unexpected: {}; please report this with the command that you gave",
                     torch_reason(error.what()));
}

}  // namespace torsor::app
