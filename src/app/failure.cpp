#include "app/failure.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "core/allocation.h"
#include "core/error.h"
#include "core/json.h"
#include "core/text.h"

namespace torsor::app {

namespace {

constexpr std::size_t kLongest = 400;

const std::string kWithLessMemory =
    "use smaller images, a smaller batch or a narrower network, or close other programs";

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

std::string explain_file(const std::filesystem::filesystem_error& error) {
  const std::string path = error.path1().empty() ? "a file" : error.path1().string();
  return one_line(fmt::format("{}: {}", path, error.code().message()));
}

}  // namespace

std::string explain(const std::exception& error) {
  if (dynamic_cast<const Error*>(&error) != nullptr) return error.what();
  if (const auto no_memory = allocation_failure(error, "", kWithLessMemory)) return *no_memory;
  if (const auto* torch = dynamic_cast<const c10::Error*>(&error))
    return "libtorch: " + torch_reason(torch->what_without_backtrace());
  if (const auto* file = dynamic_cast<const std::filesystem::filesystem_error*>(&error))
    return explain_file(*file);
  if (const auto* json = dynamic_cast<const Json::exception*>(&error))
    return "a file's JSON is not as expected: " + json_reason(*json);
  if (const auto* system = dynamic_cast<const std::system_error*>(&error))
    return one_line(fmt::format("the system refuses: {}", system->code().message()));
  return fmt::format("unexpected: {}; please report this with the command that you gave",
                     torch_reason(error.what()));
}

}  // namespace torsor::app
