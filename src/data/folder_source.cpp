#include "data/folder_source.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "core/error.h"
#include "core/text.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

bool is_hidden(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.size() > 1 && name.front() == '.';
}

std::vector<fs::path> list_images(const fs::path& folder) {
  std::vector<fs::path> files;
  auto at = fs::recursive_directory_iterator(folder, fs::directory_options::follow_directory_symlink);
  for (; at != fs::recursive_directory_iterator(); ++at) {
    if (is_hidden(at->path())) {
      if (at->is_directory()) at.disable_recursion_pending();
    } else if (at->is_regular_file() && has_image_extension(at->path())) {
      files.push_back(at->path());
    }
  }
  std::sort(files.begin(), files.end(),
            [](const fs::path& x, const fs::path& y) { return x.native() < y.native(); });
  return files;
}

// Why this file cannot be used, or "".
std::string problem_with(const fs::path& file, std::int64_t index, const FolderSource::Look& look) {
  try {
    const Image image = read_image(file);
    if (look) look(image, index, file.string());
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

std::vector<std::string> problems_with(const std::vector<fs::path>& files, const FolderSource::Look& look) {
  std::vector<std::string> problems(files.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < files.size(); i = next++)
      problems[i] = problem_with(files[i], static_cast<std::int64_t>(i), look);
  };
  std::vector<std::jthread> threads;
  for (unsigned t = 1; t < std::max(1U, std::thread::hardware_concurrency()); ++t) threads.emplace_back(work);
  work();
  threads.clear();
  return problems;
}

}  // namespace

FolderSource::FolderSource(fs::path folder, std::int64_t limit) : folder_(std::move(folder)) {
  std::error_code ec;
  if (!fs::exists(folder_, ec)) fail("{}: no such folder", folder_.string());
  if (!fs::is_directory(folder_, ec))
    fail("{}: is not a folder; expected a folder of images", folder_.string());
  try {
    files_ = list_images(folder_);
  } catch (const fs::filesystem_error& e) {
    fail("{}: cannot be listed: {}", folder_.string(), e.code().message());
  }
  if (files_.empty())
    fail("{}: holds no image; expected files ending in {}", folder_.string(), join(image_extensions()));
  if (limit > 0 && size() > limit) files_.resize(static_cast<std::size_t>(limit));
}

Image FolderSource::read(std::int64_t index) const {
  return read_image(files_[static_cast<std::size_t>(index)]);
}

std::string FolderSource::name(std::int64_t index) const {
  return files_[static_cast<std::size_t>(index)].lexically_relative(folder_).string();
}

void FolderSource::verify(BadFiles policy, LogSink& log, const Look& look) {
  const std::vector<std::string> problems = problems_with(files_, look);
  std::vector<fs::path> good;
  std::vector<std::string> bad;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (problems[i].empty())
      good.push_back(files_[i]);
    else
      bad.push_back(problems[i]);
  }
  if (bad.empty()) return;
  if (policy == BadFiles::refuse) {
    const std::vector<std::string> first(
        bad.begin(), bad.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(10, bad.size())));
    fail(
        "{} of {} images in {} cannot be used: {}{}; repair or remove them, or pass --skip-bad to go on "
        "without them",
        bad.size(), files_.size(), folder_.string(), join(first, " | "),
        bad.size() > first.size() ? " | ..." : "");
  }
  for (const auto& line : bad) log.warning("skipped: " + line);
  if (good.empty()) fail("{}: no usable image is left", folder_.string());
  files_ = std::move(good);
}

}  // namespace torsor
