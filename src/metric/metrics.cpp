#include "metric/metrics.h"

#include <ATen/ATen.h>
#include <fmt/ostream.h>

#include <algorithm>

#include "core/error.h"
#include "metric/classifier_test.h"
#include "metric/feature_distance.h"
#include "metric/frechet.h"
#include "metric/kernel_distance.h"
#include "metric/neighbours.h"
#include "metric/pixel_error.h"
#include "metric/protocol.h"
#include "metric/ssim.h"

namespace torsor {

namespace {

using SetFunction = MetricResults (*)(const FeatureSets&, const MetricOptions&);
using Least = std::int64_t (*)(const MetricOptions&);

std::int64_t one(const MetricOptions&) { return 1; }
std::int64_t two(const MetricOptions&) { return 2; }
std::int64_t beyond_neighbours(const MetricOptions& o) { return o.nearest_k + 1; }
std::int64_t one_a_fold(const MetricOptions& o) { return o.c2st_folds; }

Metric of_sets(Better better, Least least, SetFunction function, std::string help) {
  return {MetricKind::sets, MetricInput::features, better, std::move(help), least, function};
}

Metric of_pairs(Better better, std::function<double(const ImagePair&)> function, std::string help) {
  return {MetricKind::pairs, MetricInput::pixels, better, std::move(help), one, nullptr, std::move(function)};
}

double ssim_uniform(const ImagePair& pair) { return ssim(pair, SsimWindow::uniform); }
double ssim_gauss(const ImagePair& pair) { return ssim(pair, SsimWindow::gaussian); }
double msssim(const ImagePair& pair) { return multi_scale_ssim(pair); }

Metric feature_distance() {
  Metric m{MetricKind::pairs, MetricInput::features, Better::lower,
           "distance of the features of both images, relative to their length", one};
  m.of_features = [](const at::Tensor& real, const at::Tensor& fake) {
    return feature_distances(real, fake).relative_l2;
  };
  return m;
}

Metric lpips() {
  return {MetricKind::pairs, MetricInput::own_network, Better::lower,
          "how unlike both images look to a network (LPIPS 0.1)", one};
}

Registry<Metric> all_metrics() {
  Registry<Metric> r("metric");
  const auto lower = Better::lower, higher = Better::higher;
  r.add("fid",
        of_sets(lower, two, frechet_metric, "Frechet distance of the features; biased for few images"));
  r.add("kid",
        of_sets(lower, two, kernel_metric, "kernel distance of the features, unbiased for few images"));
  r.add("precision", of_sets(higher, beyond_neighbours, neighbour_metrics,
                             "share of the fake images that lie among the real ones"));
  r.add("recall", of_sets(higher, beyond_neighbours, neighbour_metrics,
                          "share of the real images that lie among the fake ones"));
  r.add("density", of_sets(higher, beyond_neighbours, neighbour_metrics,
                           "neighbourhoods of real images around each fake one; about 1 where they agree"));
  r.add("coverage", of_sets(higher, beyond_neighbours, neighbour_metrics,
                            "share of the real images that have a fake one in their neighbourhood"));
  r.add("c2st", of_sets(lower, one_a_fold, classifier_metric,
                        "how well a classifier tells fake from real (ROC area); 0.5 = not at all"));
  r.add("psnr", of_pairs(higher, peak_signal_to_noise, "peak signal-to-noise ratio in dB"));
  r.add("ssim", of_pairs(higher, ssim_uniform, "structural similarity, 7x7 windows"));
  r.add("ssim_gauss", of_pairs(higher, ssim_gauss, "structural similarity, Gaussian windows"));
  r.add("msssim", of_pairs(higher, msssim, "structural similarity over five scales; sides above 160"));
  r.add("mae", of_pairs(lower, mean_absolute_error, "mean absolute error"));
  r.add("rmse", of_pairs(lower, root_mean_squared_error, "root of the mean squared error"));
  r.add("lpips", lpips());
  r.add("feature_distance", feature_distance());
  return r;
}

void check_features(const at::Tensor& features, const std::vector<std::int64_t>& groups, const char* set) {
  if (features.dim() != 2 || features.size(0) != std::ssize(groups))
    fail("the features of the {} set are {} with {} groups; expected [N,d] and N", set,
         fmt::streamed(features.sizes()), groups.size());
  if (!at::isfinite(features).all().item<bool>())
    fail("the features of the {} set are NaN or infinite: its images or the feature network are damaged",
         set);
}

}  // namespace

const Registry<Metric>& metrics() {
  static const Registry<Metric> table = all_metrics();
  return table;
}

std::vector<std::string> metric_names(MetricKind kind) {
  std::vector<std::string> out = metrics().names();
  std::erase_if(out, [kind](const std::string& name) { return metrics().at(name).kind != kind; });
  return out;
}

SetScorer::SetScorer(FeatureSets sets, const MetricOptions& options)
    : sets_(std::move(sets)), options_(options) {
  check_features(sets_.real, sets_.groups.real, "real");
  check_features(sets_.fake, sets_.groups.fake, "fake");
  if (sets_.real.size(1) != sets_.fake.size(1))
    fail("the real set has {} features and the fake set {}: they are of two extractors", sets_.real.size(1),
         sets_.fake.size(1));
  sets_.real = sets_.real.to(at::kCPU, at::kDouble).contiguous();
  sets_.fake = sets_.fake.to(at::kCPU, at::kDouble).contiguous();
}

const MetricResult& SetScorer::score(const std::string& name) {
  const Metric& metric = metrics().at(name);
  if (!metric.of_sets) fail_usage("{} is a metric of pairs of images, not of sets", name);
  if (const auto found = done_.find(name); found != done_.end()) return found->second;
  const std::int64_t least = metric.least(options_), real = sets_.real.size(0), fake = sets_.fake.size(0);
  if (std::min(real, fake) < least)
    fail("{} needs {} images or more in each set, and there are {} real and {} fake ones", name, least, real,
         fake);
  for (auto& [its_name, result] : metric.of_sets(sets_, options_)) {
    Json protocol = set_protocol(its_name, sets_, options_);
    protocol.update(result.protocol);
    done_[its_name] = result;
    done_[its_name].protocol = std::move(protocol);
  }
  return done_.at(name);
}

double score_pair(const std::string& name, const ImagePair& pair) {
  const Metric& metric = metrics().at(name);
  if (!metric.of_pair) fail_usage("{} is not a metric of the pixels of a pair", name);
  return metric.of_pair(pair);
}

}  // namespace torsor
