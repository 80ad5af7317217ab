#include "io/run_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/files.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kCheckpoint = ".safetensors", kSample = ".png";
constexpr std::string_view kEventsStart = "events.out.tfevents.", kEventsEnd = ".torsor";

// The number in a name that is nothing but it between `start` and `end`: "step_00000500.safetensors" -> 500.
std::optional<std::int64_t> number_in(const std::string& name, std::string_view start, std::string_view end) {
  if (!name.starts_with(start) || !name.ends_with(end) || name.size() <= start.size() + end.size())
    return std::nullopt;
  const char* const first = name.data() + start.size();
  const char* const last = name.data() + name.size() - end.size();
  std::int64_t number = 0;
  const auto [stop, status] = std::from_chars(first, last, number);
  return status == std::errc() && stop == last ? std::optional(number) : std::nullopt;
}

std::optional<std::int64_t> second_of(const fs::path& path) {
  return number_in(path.filename().string(), kEventsStart, kEventsEnd);
}

std::vector<StepFile> files_of_steps(const fs::path& folder, std::string_view extension) {
  std::vector<StepFile> found;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(folder, ec))
    if (const auto step = number_in(entry.path().filename().string(), "step_", extension))
      found.push_back({entry.path(), *step});
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.step < b.step; });
  return found;
}

std::string holder(int fd) {
  char text[32] = {};
  const ssize_t size = ::pread(fd, text, sizeof text - 1, 0);
  return size > 0 ? fmt::format(" (process {})", text) : "";
}

}  // namespace

bool RunDirectory::is_occupied() const {
  std::error_code ec;
  return fs::exists(config(), ec) || fs::exists(log(), ec) || has_result();
}

bool RunDirectory::has_result() const {
  std::error_code ec;
  return fs::exists(model(), ec) || !list_checkpoints().empty();
}

void RunDirectory::require_free(Occupied occupied) const {
  if (!is_occupied()) return;
  if (has_result())
    fail(
        "--out {}: holds a run already, which is not overwritten; choose another folder, remove it, or "
        "continue it: --resume {}",
        root_.string(), root_.string());
  if (occupied == Occupied::refuse)
    fail(
        "--out {}: holds a run already, which ended before its first checkpoint; begin it again with "
        "--restart, or choose another folder",
        root_.string());
}

void RunDirectory::clear() const {
  require_free(Occupied::restart);
  remove_leftovers();
  std::error_code ec;
  std::vector<fs::path> own = list_event_files();
  own.insert(own.end(),
             {config(), log(), discarded_log(), discarded_events(), sessions(), notices(), budget(), report(),
              samples(), sample_layout(), held_out_samples(), checkpoints(), best()});
  for (const fs::path& path : own) {
    fs::remove_all(path, ec);
    if (ec) fail("{}: cannot be removed: {}", path.string(), ec.message());
  }
}

void RunDirectory::make() const {
  make_folder(samples());
  make_folder(checkpoints());
}

void RunDirectory::write_config(const Json& json) const {
  write_file_atomically(config(), json.dump(2) + "\n");
}

void RunDirectory::require() const {
  std::error_code ec;
  const fs::file_status root = fs::status(root_, ec);
  if (root.type() == fs::file_type::none) fail("{}: cannot be read: {}", root_.string(), ec.message());
  if (!fs::exists(root)) fail("{}: no such run directory", root_.string());
  if (!fs::is_directory(root))
    fail("{}: is a file, expected the run directory that it belongs to", root_.string());
  if (!fs::is_regular_file(config(), ec))
    fail("{}: is not a run directory ({})", root_.string(),
         ec && ec != std::errc::no_such_file_or_directory ? ec.message() : "it has no config.json");
}

fs::path RunDirectory::checkpoint(std::int64_t step) const {
  return checkpoints() / fmt::format("step_{:08}{}", step, kCheckpoint);
}

fs::path RunDirectory::sample(std::int64_t step) const {
  return samples() / fmt::format("step_{:08}{}", step, kSample);
}

std::vector<StepFile> RunDirectory::list_checkpoints() const {
  return files_of_steps(checkpoints(), kCheckpoint);
}

std::vector<StepFile> RunDirectory::list_samples() const { return files_of_steps(samples(), kSample); }

std::vector<fs::path> RunDirectory::list_event_files() const {
  std::vector<fs::path> found;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(root_, ec))
    if (second_of(entry.path())) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

fs::path RunDirectory::new_event_file() const {
  std::int64_t second =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  const std::vector<fs::path> there = list_event_files();
  if (!there.empty()) second = std::max(second, *second_of(there.back()) + 1);
  return root_ / fmt::format("{}{:010}{}", kEventsStart, second, kEventsEnd);
}

void RunDirectory::remove_leftovers() const {
  for (const fs::path& folder : {root_, samples(), checkpoints()}) {
    std::error_code ec;
    for (const auto& entry : fs::directory_iterator(folder, ec)) {
      std::error_code ignored;
      if (is_temporary_name(entry.path())) fs::remove(entry.path(), ignored);
    }
  }
}

RunLock::RunLock(const RunDirectory& directory, std::string& warning)
    : fd_(::open(directory.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  const std::string root = directory.root().string();
  if (fd_ < 0)
    fail("{}: cannot be written: {}; make the folder writable", directory.lock().string(),
         std::strerror(errno));
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    if (reason != EWOULDBLOCK) {
      warning = fmt::format("{}: cannot be locked here ({}); do not start a second training in it", root,
                            std::strerror(reason));
      return;
    }
    const std::string who = holder(fd_);
    ::close(fd_);
    fail("{}: another process{} is training in this directory; wait until it ends or stop it", root, who);
  }
  const std::string id = std::to_string(::getpid());
  // Only for the message above: the lock holds whether or not the number could be written.
  if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, id.data(), id.size(), 0) < 0) return;
}

RunLock::~RunLock() {
  if (fd_ >= 0) ::close(fd_);
}

RunLock::RunLock(RunLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

}  // namespace torsor
