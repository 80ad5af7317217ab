#include "metric/feature_cache.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "image/codec.h"
#include "io/checksum.h"
#include "io/safetensors.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr const char* kCacheKey = "torsor.feature_cache";
constexpr std::int64_t kKeyBytes = 16;
constexpr std::size_t kFewestToSave = 256;  // rows

std::string key_text(const std::uint8_t* bytes) {
  std::string text;
  for (std::int64_t i = 0; i < kKeyBytes; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

void put_key(const std::string& text, std::uint8_t* bytes) {
  for (std::int64_t i = 0; i < kKeyBytes; ++i)
    std::from_chars(text.data() + 2 * i, text.data() + 2 * i + 2, bytes[i], 16);
}

// What tells this extractor's file from another's; the weights' origin does not.
std::string cache_identity(const ExtractorIdentity& identity) {
  Json json = identity.to_json();
  json.erase("weights");
  return json.dump();
}

// Throws Error for a file that is not this extractor's whole cache.
std::map<std::string, at::Tensor> read_cache(const fs::path& file, const ExtractorIdentity& identity) {
  const Safetensors content = read_safetensors(file);
  const auto about = content.metadata.find(kCacheKey);
  if (about == content.metadata.end()) fail("{}: is no feature cache", file.string());
  if (about->second != cache_identity(identity)) fail("{}: is the cache of another extractor", file.string());
  const at::Tensor keys = find_tensor(content.tensors, "keys"),
                   rows = find_tensor(content.tensors, "features");
  const bool sound = keys.defined() && rows.defined() && keys.dim() == 2 && keys.size(1) == kKeyBytes &&
                     keys.scalar_type() == at::kByte && rows.scalar_type() == at::kDouble &&
                     rows.sizes() == at::IntArrayRef({keys.size(0), identity.width});
  if (!sound) fail("{}: is a damaged feature cache", file.string());
  std::map<std::string, at::Tensor> out;
  for (std::int64_t i = 0; i < keys.size(0); ++i)
    out.emplace(key_text(keys.const_data_ptr<std::uint8_t>() + i * kKeyBytes), rows[i]);
  return out;
}

std::vector<std::string> input_keys(const FeatureInputs& inputs, const StopFlag& stop) {
  std::vector<std::string> keys;
  for (std::int64_t i = 0; i < inputs.count; ++i) {
    check_stop(stop);
    keys.push_back(inputs.key(i));
  }
  return keys;
}

using KnownRows = std::map<std::string, at::Tensor>;

// Fills in what the cache has; returns one input for each key that it lacks.
std::vector<std::int64_t> look_up(const std::vector<std::string>& keys, const FeatureCache* cache,
                                  KnownRows& known) {
  std::vector<std::int64_t> missing;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!seen.insert(keys[i]).second) continue;
    const at::Tensor row = cache == nullptr ? at::Tensor() : cache->find(keys[i]);
    if (row.defined())
      known[keys[i]] = row;
    else
      missing.push_back(static_cast<std::int64_t>(i));
  }
  return missing;
}

}  // namespace

FeatureCache::FeatureCache(const fs::path& folder, const FeatureExtractor& extractor, LogSink& log)
    : file_(folder / fmt::format("{}-{}.safetensors", extractor.name(), extractor.hash())),
      identity_(extractor.identity()) {
  std::error_code ec;
  if (!fs::exists(file_, ec)) return;
  try {
    rows_ = read_cache(file_, identity_);
  } catch (const Error& error) {
    log.warning(fmt::format("{}; the features are computed anew and replace it", error.what()));
  }
}

at::Tensor FeatureCache::find(const std::string& key) const {
  const auto found = rows_.find(key);
  return found == rows_.end() ? at::Tensor() : found->second;
}

void FeatureCache::add(const std::string& key, const at::Tensor& row) {
  if (row.dim() != 1 || row.size(0) != identity_.width || key.size() != 2 * kKeyBytes)
    throw std::logic_error("FeatureCache::add: a key or a row of another kind");
  rows_[key] = row.to(at::kCPU, at::kDouble).clone();
  ++unsaved_;
}

void FeatureCache::save() {
  if (unsaved_ == 0) return;
  at::Tensor keys = at::empty({static_cast<std::int64_t>(rows_.size()), kKeyBytes}, at::kByte);
  at::Tensor features = at::empty({keys.size(0), identity_.width}, at::kDouble);
  std::int64_t i = 0;
  for (const auto& [key, row] : rows_) {
    put_key(key, keys.mutable_data_ptr<std::uint8_t>() + i * kKeyBytes);
    features[i++].copy_(row);
  }
  make_folder(file_.parent_path());
  write_safetensors(file_,
                    {{{"keys", keys}, {"features", features}}, {{kCacheKey, cache_identity(identity_)}}});
  unsaved_ = 0;
}

void FeatureCache::save_now_and_then() {
  if (unsaved_ >= std::max(kFewestToSave, rows_.size() / 4)) save();
}

FeatureInputs inputs_of_files(std::vector<fs::path> files, std::optional<ValueRange> range) {
  const auto list = std::make_shared<const std::vector<fs::path>>(std::move(files));
  const auto at = [list](std::int64_t i) -> const fs::path& { return list->at(static_cast<std::size_t>(i)); };
  const std::string preparation = range ? fmt::format("{} {} {} {}", static_cast<int>(range->type),
                                                      range->white, range->black, range->black_level)
                                        : "";
  FeatureInputs out;
  out.count = static_cast<std::int64_t>(list->size());
  out.key = [at, preparation](std::int64_t i) { return content_key(read_file(at(i)), preparation); };
  out.open = [at, range](std::int64_t i) {
    const Image image = read_image(at(i));
    return to_preview(image, range ? *range : whole_range(image.type));
  };
  return out;
}

at::Tensor cached_features(const FeatureExtractor& extractor, FeatureCache* cache,
                           const FeatureInputs& inputs, const StopFlag& stop, LogSink& log) {
  const std::vector<std::string> keys = input_keys(inputs, stop);
  KnownRows known;
  const std::vector<std::int64_t> missing = look_up(keys, cache, known);
  for (std::size_t begin = 0; begin < missing.size(); begin += kExtractorBatch) {
    if (stop.requested() && cache != nullptr) cache->save();
    check_stop(stop);
    const std::size_t end = std::min(missing.size(), begin + kExtractorBatch);
    std::vector<Image> images;
    for (std::size_t i = begin; i < end; ++i) images.push_back(inputs.open(missing[i]));
    const at::Tensor rows = extractor.features(images);
    for (std::size_t i = begin; i < end; ++i) {
      const std::string& key = keys[static_cast<std::size_t>(missing[i])];
      known[key] = rows[static_cast<std::int64_t>(i - begin)];
      if (cache != nullptr) cache->add(key, known[key]);
    }
    if (cache != nullptr) cache->save_now_and_then();
    log.progress("features", static_cast<std::int64_t>(end), static_cast<std::int64_t>(missing.size()));
  }
  if (cache != nullptr) cache->save();
  at::Tensor out = at::empty({inputs.count, extractor.width()}, at::kDouble);
  for (std::int64_t i = 0; i < inputs.count; ++i) out[i].copy_(known.at(keys[static_cast<std::size_t>(i)]));
  return out;
}

}  // namespace torsor
