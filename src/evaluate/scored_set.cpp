#include "evaluate/scored_set.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "data/partners.h"
#include "data/tensor_image.h"
#include "image/codec.h"
#include "image/convert.h"
#include "image/resize.h"
#include "metric/feature_cache.h"
#include "metric/image_pair.h"

namespace torsor {

namespace {

std::string digest_of(std::vector<std::string> hashes) {
  std::sort(hashes.begin(), hashes.end());
  return content_key(join(hashes, "\n"));
}

// What is done to a file's samples before they are features, in a word.
std::string preparation(const ImageReading& reading) {
  std::string out;
  if (reading.resize) out += fmt::format("{}x{}", reading.resize->width, reading.resize->height);
  if (reading.data_range) out += fmt::format("/{}", *reading.data_range);
  return out;
}

// The mask of each image, by name; further masks are passed over.
std::vector<fs::path> masks_of(const FolderSource& images, const FolderSource& masks) {
  std::map<std::string, fs::path> by_name;
  for (std::int64_t i = 0; i < masks.size(); ++i)
    by_name.emplace(masks.pair_name(i), masks.files()[static_cast<std::size_t>(i)]);
  std::vector<fs::path> out;
  std::vector<std::string> without;
  for (std::int64_t i = 0; i < images.size(); ++i) {
    const auto found = by_name.find(images.pair_name(i));
    if (found == by_name.end())
      without.push_back(images.name(i));
    else
      out.push_back(found->second);
  }
  if (!without.empty())
    fail("{} of {} images have no mask of their name in {} ({}{}); add masks, or leave --mask out",
         without.size(), images.size(), masks.folder().string(),
         join({without.begin(), without.begin() + std::min<std::ptrdiff_t>(3, std::ssize(without))}),
         without.size() > 3 ? ", ..." : "");
  return out;
}

}  // namespace

ScoredSet::ScoredSet(fs::path folder, std::vector<fs::path> files, ImageReading reading)
    : folder_(std::move(folder)), files_(std::move(files)), reading_(reading) {
  const std::string how = preparation(reading_);
  std::vector<std::string> hashes;
  for (const fs::path& file : files_) {
    const std::string bytes = read_file(file);
    hashes.push_back(content_key(bytes));
    keys_.push_back(how.empty() ? hashes.back() : content_key(bytes, how));
  }
  digest_ = digest_of(std::move(hashes));
}

std::string ScoredSet::name(std::int64_t i) const {
  return path(i).lexically_relative(folder_).generic_string();
}

std::vector<std::string> ScoredSet::names() const {
  std::vector<std::string> out;
  for (std::int64_t i = 0; i < size(); ++i) out.push_back(name(i));
  return out;
}

Image ScoredSet::read(std::int64_t i) const {
  const Image image = read_image(path(i));
  return reading_.resize ? resize_stored(image, reading_.resize->width, reading_.resize->height) : image;
}

Image ScoredSet::preview(std::int64_t i) const {
  const Image image = read(i);
  if (image.type == PixelType::u8) return image;
  ValueRange range = whole_range(image.type);
  range.white = data_range(image.type, reading_.data_range, "--data-range");
  return to_preview(image, range);
}

std::string ScoredSet::formats() const {
  std::set<std::string> found;
  for (const fs::path& file : files_) {
    std::string extension = lower(file.extension().string());
    if (extension == ".jpeg") extension = ".jpg";
    found.insert(extension.empty() ? "no extension" : extension.substr(1));
  }
  return join({found.begin(), found.end()}, " and ");
}

FolderSource open_set(const fs::path& folder, const SetChoice& choice, LogSink& log) {
  const auto source = open_folder(folder, choice.limit, PageUse::images, choice.bad_files, log);
  source->verify(choice.bad_files, log, [](const Image&, std::int64_t, const std::string&, Notes&) {});
  return std::move(*source);
}

PairedFolders open_pairs(const fs::path& first, const fs::path& second, const SetChoice& choice,
                         LogSink& log) {
  const SetChoice all{0, choice.bad_files};
  PairedFolders out{open_set(first, all, log), open_set(second, all, log)};
  keep_partners(out.first, out.second, choice.limit, choice.bad_files, log);
  return out;
}

void require_pairs_for_mask(const fs::path& mask, Pairing pairing) {
  if (!mask.empty() && pairing != Pairing::aligned)
    fail_usage("--mask {}: masks restrict the metrics of pairs; give --pairing aligned, or leave it out",
               mask.string());
}

std::shared_ptr<const ScoredSet> open_masks(const FolderSource& images, const fs::path& folder,
                                            const ImageReading& reading, LogSink& log) {
  const FolderSource masks = open_set(folder, {}, log);
  return std::make_shared<const ScoredSet>(folder, masks_of(images, masks), reading);
}

std::shared_ptr<const ScoredSet> scored_set(const FolderSource& source, const ImageReading& reading) {
  return std::make_shared<const ScoredSet>(source.folder(), source.files(), reading);
}

Json size_json(const std::optional<Size>& size) {
  return size ? Json::array({size->width, size->height}) : Json(nullptr);
}

}  // namespace torsor
