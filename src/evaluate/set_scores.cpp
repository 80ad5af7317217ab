#include "evaluate/set_scores.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"
#include "core/version.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

const std::string kNearest = "nearest";

// Progress under another name.
class NamedLog : public LogSink {
 public:
  NamedLog(LogSink& log, std::string what) : log_(log), what_(std::move(what)) {}
  void notice(const std::string& line) override { log_.notice(line); }
  void warning(const std::string& line) override { log_.warning(line); }
  void progress(const std::string&, std::int64_t done, std::int64_t total) override {
    log_.progress(what_, done, total);
  }

 private:
  LogSink& log_;
  std::string what_;
};

std::vector<double> numbers(const at::Tensor& values) {
  const at::Tensor flat = values.to(at::kCPU, at::kDouble).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

// For each row of x [N,d] its nearest row of y [M,d]: distances [N], places [N].
std::tuple<at::Tensor, at::Tensor> nearest_rows(const at::Tensor& x, const at::Tensor& y) {
  constexpr std::int64_t kWithoutProducts = 2;  // these would make equal rows unequal
  return at::min(at::cdist(x, y, 2.0, kWithoutProducts), 1);
}

Json number_or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

// Lpips knows no names of files.
void require_one_size(const ComparedSets& sets, std::int64_t i, const Image& real, const Image& fake) {
  if (real.width != fake.width || real.height != fake.height)
    fail("{} is {}x{} and {} is {}x{}: a pair must be of one size", sets.real.path(i).string(), real.width,
         real.height, sets.fake.path(i).string(), fake.width, fake.height);
}

void take_up(const MetricResults& from, MetricResults& to) {
  for (const auto& [name, result] : from) to[name] = result;
}

}  // namespace

Json SetScores::metrics_json() const {
  Json out = Json::object();
  for (const std::string& name : order) {
    out[name] = metrics.at(name).json();
    if (const auto copied = copying.find(name); copied != copying.end()) {
      out[name]["copying"] = copied->second.json();
      out[name]["copying"].erase("protocol");
    }
  }
  return out;
}

SetScoring::SetScoring(EvaluateOptions options, c10::Device device, const fs::path& cache_folder,
                       std::shared_ptr<LogSink> log, const StopFlag& stop)
    : options_(std::move(options)),
      plan_(plan_metrics(options_.metrics, options_.images_are(), "--metrics")),
      log_(std::move(log)),
      stop_(stop) {
  if (plan_.lpips) lpips_ = make_lpips(options_.lpips, device);
  if (!plan_.needs_features()) return;
  extractor_ = make_extractor(options_.features, device);
  for (const std::string& note : extractor_->notes()) log_->notice(note);
  if (!cache_folder.empty()) cache_.emplace(cache_folder, *extractor_, *log_);
}

Json SetScoring::protocol() const {
  return {{"torsor", torsor_version()},
          {"pairing", options_.pairing},
          {"channels", options_.channels},
          {"data_range", number_or_null(options_.data_range)},
          {"groups", options_.metric.groups},
          {"seed", options_.metric.metric_seed},
          {"extractor", extractor_ ? extractor_->protocol() : Json(nullptr)},
          {"lpips", lpips_ ? lpips_->protocol() : Json(nullptr)}};
}

bool SetScoring::is_possible(const std::string& metric, std::int64_t images, SetScores& out) const {
  const std::int64_t least = metrics().at(metric).least(options_.metric);
  if (plan_.chosen || images >= least) return true;  // what was chosen says itself why it cannot be had
  out.warnings.push_back(
      fmt::format("{} is left out: it needs {} images in each set, and there are {}", metric, least, images));
  return false;
}

at::Tensor SetScoring::features_of(const ScoredSet& set, const std::string& what) {
  NamedLog log(*log_, what);
  const FeatureInputs inputs{set.size(), [&](std::int64_t i) { return set.key(i); },
                             [&](std::int64_t i) { return set.preview(i); }};
  return cached_features(*extractor_, cache_ ? &*cache_ : nullptr, inputs, stop_, log);
}

void SetScoring::add_values(const std::string& metric, const std::vector<double>& values,
                            const ScoredSet& real, SetScores& out) const {
  out.metrics[metric] = summarize_pairs(
      metric, values, group_by_name(real.names(), {}, options_.metric.groups), options_.metric);
  out.order.push_back(metric);
  out.columns.push_back(metric);
  for (std::size_t i = 0; i < values.size(); ++i) out.images[i].values.push_back(values[i]);
}

void SetScoring::score_pixels(const ComparedSets& sets, SetScores& out) {
  if (plan_.pixel_pairs.empty()) return;
  std::map<std::string, std::vector<double>> values;
  for (std::int64_t i = 0; i < sets.fake.size(); ++i) {
    check_stop(stop_);
    const Image real = sets.real.read(i), fake = sets.fake.read(i);
    const Image mask = sets.masks != nullptr ? sets.masks->read(i) : Image();
    const PairImages images{real,
                            fake,
                            sets.masks != nullptr ? &mask : nullptr,
                            sets.real.path(i).string(),
                            sets.fake.path(i).string(),
                            sets.masks != nullptr ? sets.masks->path(i).string() : ""};
    const double range = data_range(real.type, options_.data_range, "--data-range");
    const ImagePair pair = image_pair(images, range, options_.pair_channels());
    for (const std::string& metric : plan_.pixel_pairs) values[metric].push_back(score_pair(metric, pair));
    log_->progress("pairs compared:", i + 1, sets.fake.size());
  }
  for (const std::string& metric : plan_.pixel_pairs) add_values(metric, values[metric], sets.real, out);
}

void SetScoring::score_lpips(const ComparedSets& sets, SetScores& out) {
  if (!lpips_) return;
  std::vector<double> values;
  for (std::int64_t i = 0; i < sets.fake.size(); ++i) {
    check_stop(stop_);
    const std::vector<Image> real = {sets.real.preview(i)}, fake = {sets.fake.preview(i)};
    require_one_size(sets, i, real.front(), fake.front());
    values.push_back(lpips_->distances(real, fake).values.item<double>());
    log_->progress("LPIPS of pairs:", i + 1, sets.fake.size());
  }
  add_values("lpips", values, sets.real, out);
}

MetricResults SetScoring::score_sets(const at::Tensor& real, const at::Tensor& fake,
                                     const SampleGroups& groups, SetScores& out) const {
  MetricResults results;
  SetScorer scorer({real, fake, groups}, options_.metric);
  for (const std::string& metric : plan_.sets)
    if (is_possible(metric, std::min(real.size(0), fake.size(0)), out))
      results[metric] = scorer.score(metric);
  return results;
}

void SetScoring::score_features(const ComparedSets& sets, SetScores& out) {
  if (!extractor_) return;
  const at::Tensor real = features_of(sets.real, "features of the real images:");
  const at::Tensor fake = features_of(sets.fake, "features of the images scored:");
  for (const std::string& metric : plan_.feature_pairs)
    add_values(metric, numbers(metrics().at(metric).of_features(real, fake)), sets.real, out);
  const std::string& pattern = options_.metric.groups;
  const MetricResults results =
      score_sets(real, fake, group_by_name(sets.real.names(), sets.fake.names(), pattern), out);
  for (const std::string& metric : plan_.sets)
    if (results.contains(metric)) out.order.push_back(metric);
  take_up(results, out.metrics);
  if (sets.inputs != nullptr && !plan_.sets.empty()) {
    const at::Tensor copied = features_of(*sets.inputs, "features of the inputs:");
    SetScores unused;  // its warnings are those of the translations
    take_up(score_sets(real, copied, group_by_name(sets.real.names(), sets.inputs->names(), pattern), unused),
            out.copying);
  }
  const auto [distances, places] = nearest_rows(fake, real);
  out.columns.push_back(kNearest);
  for (std::int64_t i = 0; i < sets.fake.size(); ++i) {
    ScoredImage& image = out.images[static_cast<std::size_t>(i)];
    image.values.push_back(distances[i].item<double>());
    if (options_.images_are() == Pairing::unpaired) image.real = places[i].item<std::int64_t>();
  }
}

SetScores SetScoring::score(const ComparedSets& sets) {
  SetScores out;
  for (std::int64_t i = 0; i < sets.fake.size(); ++i) out.images.push_back({i, i, {}});
  score_pixels(sets, out);
  score_lpips(sets, out);
  score_features(sets, out);
  if (!out.columns.empty()) {
    const std::string& first = out.columns.front();
    out.ranking =
        first == kNearest
            ? Ranking{0, Better::lower, "the distance of their features to those of the nearest real image"}
            : Ranking{0, metrics().at(first).better, "the " + first + " against their partners"};
  }
  out.protocol = {
      {"real",
       {{"images", sets.real.size()}, {"files", sets.real.formats()}, {"digest", sets.real.digest()}}},
      {"fake", {{"images", sets.fake.size()}, {"files", sets.fake.formats()}}},
      {"masks", sets.masks != nullptr ? Json(sets.masks->digest()) : Json(nullptr)}};
  for (const std::string& name : out.order)
    for (const std::string& line : out.metrics.at(name).warnings) out.warnings.push_back(name + ": " + line);
  return out;
}

}  // namespace torsor
