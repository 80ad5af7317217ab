#include "train/notices.h"

#include "core/error.h"

namespace torsor {

void NoticeLog::notice(const std::string& line) {
  next_->notice(line);
  keep("notice", line);
}

void NoticeLog::warning(const std::string& line) {
  next_->warning(line);
  keep("warning", line);
}

void NoticeLog::progress(const std::string& what, std::int64_t done, std::int64_t total) {
  next_->progress(what, done, total);
}

void NoticeLog::open(const std::filesystem::path& path, std::int64_t step) {
  const std::lock_guard lock(mutex_);
  rewind_jsonl(path, step);
  step_ = step;
  path_ = path;
  for (Json& line : waiting_) {
    line["step"] = step;
    write(line);
  }
  waiting_.clear();
}

void NoticeLog::write(const Json& line) {
  if (!file_) file_.emplace(path_);
  file_->write(line);
}

void NoticeLog::keep(const char* level, const std::string& line) {
  const std::lock_guard lock(mutex_);
  if (forgetting_) return;
  const Json entry = {{"step", step_.load()}, {"level", level}, {"text", line}};
  if (path_.empty()) return waiting_.push_back(entry);
  try {
    write(entry);
  } catch (const Error& error) {
    // What was to be said has been said; that it is not kept is no reason to end a training.
    next_->warning(error.what());
    forgetting_ = true;
  }
}

}  // namespace torsor
