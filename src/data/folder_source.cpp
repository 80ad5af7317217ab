#include "data/folder_source.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "core/error.h"
#include "core/text.h"
#include "data/folder_listing.h"
#include "data/image_notes.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

// What reading a file said: why it cannot be used, or "", and its notes.
struct Finding {
  std::string problem;
  Notes notes;
};

using ReadNoting = std::function<Image(std::int64_t index, Notes& notes)>;

Finding look_at(const ReadNoting& read, const fs::path& file, std::int64_t index,
                const FolderSource::Look& look) {
  Finding finding;
  try {
    const Image image = read(index, finding.notes);
    if (look) look(image, index, file.string(), finding.notes);
  } catch (const Error& e) {
    finding.problem = e.what();
  }
  return finding;
}

std::vector<Finding> look_at_all(const ReadNoting& read, const std::vector<fs::path>& files,
                                 const FolderSource::Look& look) {
  std::vector<Finding> findings(files.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < files.size(); i = next++)
      findings[i] = look_at(read, files[i], static_cast<std::int64_t>(i), look);
  };
  std::vector<std::jthread> threads;
  for (unsigned t = 1; t < std::max(1U, std::thread::hardware_concurrency()); ++t) threads.emplace_back(work);
  work();
  threads.clear();
  return findings;
}

[[noreturn]] void refuse(const std::string& what, const std::vector<std::string>& bad) {
  constexpr std::size_t kShown = 10;
  const auto shown = static_cast<std::ptrdiff_t>(std::min(kShown, bad.size()));
  fail("{} cannot be used: {}{}; repair or remove them, or pass --skip-bad to continue without them", what,
       join(std::vector<std::string>(bad.begin(), bad.begin() + shown), " | "),
       bad.size() > kShown ? " | ..." : "");
}

}  // namespace

FolderSource::FolderSource(fs::path folder, std::int64_t limit, BadFiles policy)
    : folder_(std::move(folder)) {
  std::error_code ec;
  if (!fs::exists(folder_, ec)) fail("{}: no such folder", folder_.string());
  if (!fs::is_directory(folder_, ec))
    fail("{}: is not a folder; expected a folder of images", folder_.string());
  FolderListing listing = list_folder(folder_);
  if (!listing.bad.empty() && policy == BadFiles::refuse)
    refuse(fmt::format("{} entr{} of {}", listing.bad.size(), listing.bad.size() == 1 ? "y" : "ies",
                       folder_.string()),
           listing.bad);
  left_out_ = describe_left_out(listing.left_out, folder_);
  if (listing.images.empty())
    fail("{}: holds no image; expected files ending in {}{}{}", folder_.string(), join(image_extensions()),
         left_out_.empty() ? "" : "; ", left_out_);
  files_ = std::move(listing.images);
  skipped_ = std::move(listing.bad);
  if (limit > 0 && size() > limit) files_.resize(static_cast<std::size_t>(limit));
}

// Slices of a volume of another kind are not told before they are read, hence the whole files.
void FolderSource::use_pages(PageUse use, std::int64_t limit) {
  use_ = use;
  if (use != PageUse::slices) return;
  std::vector<fs::path> files;
  for (const fs::path& file : files_) {
    std::int64_t pages = 1;
    try {
      pages = ImageFile(file).pages();
    } catch (const Error&) {
    }
    for (std::int64_t page = 0; page < pages; ++page) {
      files.push_back(file);
      slices_.push_back(page);
    }
  }
  files_ = std::move(files);
  if (limit > 0 && size() > limit) {
    files_.resize(static_cast<std::size_t>(limit));
    slices_.resize(files_.size());
  }
}

Image FolderSource::read(std::int64_t index) const {
  const auto at = static_cast<std::size_t>(index);
  if (use_ == PageUse::images) return read_image(files_[at]);
  return ImageFile(files_[at], use_).read(slices_.empty() ? 0 : slices_[at]);
}

Image FolderSource::read_noting(std::int64_t index, Notes& notes) const {
  const auto at = static_cast<std::size_t>(index);
  if (use_ == PageUse::images) return read_image(files_[at], notes);
  ImageFile file(files_[at], use_);
  Image image = file.read(slices_.empty() ? 0 : slices_[at]);
  notes = file.notes();
  return image;
}

std::string FolderSource::name(std::int64_t index) const {
  const auto at = static_cast<std::size_t>(index);
  const std::string file = files_[at].lexically_relative(folder_).string();
  return slices_.empty() || slices_[at] == 0 ? file : fmt::format("{}:{}", file, slices_[at] + 1);
}

// An extension that says nothing of images is a part of the name.
std::string FolderSource::pair_name(std::int64_t index) const {
  const std::string whole = name(index);
  fs::path path(whole);
  return has_image_extension(path) ? path.replace_extension().string() : whole;
}

std::vector<std::string> FolderSource::identity() const {
  std::vector<std::string> out;
  for (std::int64_t i = 0; i < size(); ++i) {
    std::error_code ec;
    out.push_back(name(i));
    out.push_back(std::to_string(fs::file_size(files_[static_cast<std::size_t>(i)], ec)));
  }
  return out;
}

void FolderSource::keep(const std::vector<std::int64_t>& places) {
  std::vector<fs::path> kept;
  std::vector<std::int64_t> slices;
  for (const std::int64_t place : places) {
    kept.push_back(files_[static_cast<std::size_t>(place)]);
    if (!slices_.empty()) slices.push_back(slices_[static_cast<std::size_t>(place)]);
  }
  files_ = std::move(kept);
  slices_ = std::move(slices);
}

void FolderSource::verify(BadFiles policy, LogSink& log, const Look& look) {
  const std::vector<Finding> findings = look_at_all(
      [this](std::int64_t index, Notes& notes) { return read_noting(index, notes); }, files_, look);
  std::vector<std::int64_t> good;
  std::vector<std::string> bad;
  ImageNotes notes;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (findings[i].problem.empty()) {
      notes.add(name(static_cast<std::int64_t>(i)), findings[i].notes);
      good.push_back(static_cast<std::int64_t>(i));
    } else {
      bad.push_back(findings[i].problem);
    }
  }
  if (!bad.empty() && policy == BadFiles::refuse)
    refuse(fmt::format("{} of {} images in {}", bad.size(), files_.size(), folder_.string()), bad);
  for (const auto& line : bad) log.warning("skipped: " + line);
  if (good.empty()) fail("{}: no usable image is left", folder_.string());
  // With the folder, since the same may be said of another.
  for (const auto& line : notes.lines()) log.notice(fmt::format("{}: {}", folder_.string(), line));
  keep(good);
}

std::shared_ptr<FolderSource> open_folder(const fs::path& path, std::int64_t limit, PageUse pages,
                                          BadFiles policy, LogSink& log) {
  auto source = std::make_shared<FolderSource>(path, limit, policy);
  for (const std::string& line : source->skipped()) log.warning("skipped: " + line);
  source->use_pages(pages, limit);
  if (!source->left_out().empty()) log.warning(path.string() + ": " + source->left_out());
  return source;
}

}  // namespace torsor
