#include "evaluate/held_out_evaluation.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace torsor {

namespace {

const std::string kLpips = "lpips";

std::string scalar_name(const std::string& metric, const Direction& direction) {
  return metric + "_" + direction.name();
}

// Of all metrics, in the order of publication.
std::vector<std::string> metric_list(const MetricPlan& plan) {
  std::vector<std::string> out = plan.sets;
  out.insert(out.end(), plan.pixel_pairs.begin(), plan.pixel_pairs.end());
  out.insert(out.end(), plan.feature_pairs.begin(), plan.feature_pairs.end());
  if (plan.lpips) out.push_back(kLpips);
  return out;
}

// A training wants values, and soon.
MetricOptions quick_options(std::int64_t seed) {
  MetricOptions out;
  out.metric_seed = seed;
  out.resamples = 0;
  return out;
}

/// The features of images that come one at a time, a batch of them in memory.
class FeatureBatches {
 public:
  explicit FeatureBatches(const FeatureExtractor* extractor) : extractor_(extractor) {}

  void add(Image image) {
    if (extractor_ == nullptr) return;
    waiting_.push_back(std::move(image));
    if (waiting_.size() == kExtractorBatch) flush();
  }
  at::Tensor all() {
    if (extractor_ == nullptr) return {};
    flush();
    return at::cat(done_);
  }

 private:
  void flush() {
    if (waiting_.empty()) return;
    done_.push_back(extractor_->features(waiting_));
    waiting_.clear();
  }

  const FeatureExtractor* extractor_;
  std::vector<Image> waiting_;
  std::vector<at::Tensor> done_;
};

double mean_of_finite(const std::vector<double>& values) {
  double sum = 0;
  std::int64_t count = 0;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    sum += value;
    ++count;
  }
  return count == 0 ? values.front() : sum / static_cast<double>(count);
}

}  // namespace

HeldOutEvaluation::HeldOutEvaluation(TrainSession& session, std::shared_ptr<LogSink> log)
    : session_(session),
      options_(session.config().evaluation),
      plan_(plan_metrics(options_.eval_metrics, session.config().pairing(), "--eval-metrics")),
      placement_(resolve_placement(session.config().run.placement)),
      log_(std::move(log)),
      generators_(directed_generators(session.config().networks())) {
  require_enough_images();
  if (plan_.lpips) lpips_ = make_lpips({}, placement_.device);
  if (!plan_.needs_features()) return;
  FeatureOptions features;
  features.features = options_.eval_features;
  extractor_ = make_extractor(features, placement_.device);
  for (const std::string& note : extractor_->notes()) log_->notice(note);
}

void HeldOutEvaluation::require_enough_images() const {
  const std::int64_t images = std::min(count("a"), count("b"));
  for (const std::string& metric : metric_list(plan_)) {
    const std::int64_t least = metrics().at(metric).least(quick_options(0));
    if (images < least)
      fail_usage(
          "--eval-metrics {}: needs {} held-out images of each domain, and there are {} of A and {} of B",
          metric, least, count("a"), count("b"));
  }
}

std::int64_t HeldOutEvaluation::count(const std::string& domain) const {
  const HeldOut& held = session_.data().held_out;
  const std::int64_t all = domain == "a" ? held.count_a : held.count_b;
  return options_.eval_images > 0 ? std::min(all, options_.eval_images) : all;
}

const DomainInfo& HeldOutEvaluation::domain(const std::string& key) const {
  return key == "a" ? session_.data().a : session_.data().b;
}

std::vector<std::string> HeldOutEvaluation::scalar_names() const {
  std::vector<std::string> out;
  for (const NetworkInfo& generator : generators_)
    for (const std::string& metric : metric_list(plan_)) out.push_back(scalar_name(metric, generator.maps));
  return out;
}

std::vector<std::string> HeldOutEvaluation::rising_scalars() const {
  std::vector<std::string> out;
  for (const NetworkInfo& generator : generators_)
    for (const std::string& metric : metric_list(plan_))
      if (metrics().at(metric).better == Better::higher) out.push_back(scalar_name(metric, generator.maps));
  return out;
}

// Nothing is drawn from the stream.
Batch HeldOutEvaluation::held_out(std::int64_t i) const {
  Rng unused(0);
  return session_.data().held_out.images->get(i, unused);
}

const at::Tensor& HeldOutEvaluation::real_features(const std::string& key) {
  const auto found = real_.find(key);
  if (found != real_.end()) return found->second;
  FeatureBatches features(extractor_.get());
  for (std::int64_t i = 0; i < count(key); ++i) {
    const ValueRange& range = domain(key).range;
    features.add(to_preview(to_image(held_out(i).at("real_" + key), range), range));
  }
  return real_[key] = features.all();
}

void HeldOutEvaluation::compare_pair(const Image& real, const Image& fake, const ValueRange& range,
                                     Translations& out) const {
  const ImagePair pair = image_pair({real, fake}, range.white - range.black_level);
  for (const std::string& metric : plan_.pixel_pairs) out.values[metric].push_back(score_pair(metric, pair));
  if (!lpips_) return;
  const std::vector<Image> x = {to_preview(real, range)}, y = {to_preview(fake, range)};
  out.values[kLpips].push_back(lpips_->distances(x, y).values.item<double>());
}

HeldOutEvaluation::Translations HeldOutEvaluation::translate(const ModelInUse& model,
                                                             const NetworkInfo& generator) {
  Translations out;
  FeatureBatches features(extractor_.get());
  const Direction& direction = generator.maps;
  const ValueRange& range = domain(direction.to).range;
  const bool compares_pairs = !plan_.pixel_pairs.empty() || lpips_;
  for (std::int64_t i = 0; i < count(direction.from); ++i) {
    const Batch item = held_out(i);
    const at::Tensor made = model.run(generator, item.at("real_" + direction.from));
    if (!made.isfinite().all().item<bool>()) {
      out.finite = false;
      return out;
    }
    const Image fake = to_image(made, range);
    if (compares_pairs) compare_pair(to_image(item.at("real_" + direction.to), range), fake, range, out);
    features.add(to_preview(fake, range));
  }
  out.features = features.all();
  return out;
}

HeldOutEvaluation::Values HeldOutEvaluation::score_sets(const at::Tensor& real,
                                                        const at::Tensor& fake) const {
  Values out;
  if (plan_.sets.empty()) return out;
  SetScorer scorer({real, fake, ungrouped(real.size(0), fake.size(0))},
                   quick_options(session_.config().run.seed));
  for (const std::string& metric : plan_.sets) out[metric] = scorer.score(metric).value;
  return out;
}

HeldOutEvaluation::Values HeldOutEvaluation::evaluate(const ModelInUse& model, const NetworkInfo& generator) {
  Values out;
  const Direction& direction = generator.maps;
  const Translations made = translate(model, generator);
  if (!made.finite) {
    log_->warning(fmt::format("evaluation: {} translates to numbers that are not finite", direction.name()));
    for (const std::string& metric : metric_list(plan_))
      out[metric] = std::numeric_limits<double>::quiet_NaN();
    return out;
  }
  if (extractor_) {
    const at::Tensor& real = real_features(direction.to);
    out = score_sets(real, made.features);
    for (const std::string& metric : plan_.feature_pairs)
      out[metric] = metrics().at(metric).of_features(real, made.features).mean().item<double>();
  }
  for (const auto& [metric, values] : made.values) out[metric] = mean_of_finite(values);
  return out;
}

// Without it nobody knows what the numbers of sets mean.
void HeldOutEvaluation::say_copying() {
  if (std::exchange(told_copying_, true) || plan_.sets.empty()) return;
  std::vector<std::string> parts;
  for (const NetworkInfo& generator : generators_) {
    const Values values = score_sets(real_features(generator.maps.to), real_features(generator.maps.from));
    for (const auto& [metric, value] : values)
      parts.push_back(fmt::format("{} {:.4g}", scalar_name(metric, generator.maps), value));
  }
  log_->notice("evaluation: inputs that are copied, not translated, would give " + join(parts));
}

void HeldOutEvaluation::publish(const TrainState& state, StepScalars& scalars) {
  if (state.step % options_.eval_every != 0) return;
  const ModelInUse model(session_.model(), placement_);
  say_copying();
  for (const NetworkInfo& generator : generators_) {
    const Values values = evaluate(model, generator);
    for (const std::string& metric : metric_list(plan_))
      scalars.publish(scalar_name(metric, generator.maps), values.at(metric));
  }
}

}  // namespace torsor
