#include "evaluate/evaluate_options.h"

#include <algorithm>

#include "core/error.h"
#include "core/word_list.h"
#include "metric/metrics.h"

namespace torsor {

namespace {

const std::vector<std::string> kUsualOfSets = {"kid", "precision", "recall", "density", "coverage"};
const std::vector<std::string> kUsualOfPairs = {"psnr", "ssim", "ssim_gauss", "mae", "rmse", "kid"};

void add_to(MetricPlan& plan, const std::string& name) {
  const Metric& metric = metrics().at(name);
  if (metric.input == MetricInput::own_network) {
    plan.lpips = true;
    return;
  }
  std::vector<std::string>& list = metric.kind == MetricKind::sets       ? plan.sets
                                   : metric.input == MetricInput::pixels ? plan.pixel_pairs
                                                                         : plan.feature_pairs;
  if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(name);
}

}  // namespace

void EvaluateOptions::describe(OptionSet& o) {
  o.add("metrics", metrics,
        "what to compute, with commas between: " + join(torsor::metrics().names()) +
            " [kid,precision,recall,density,coverage; with --pairing aligned "
            "psnr,ssim,ssim_gauss,mae,rmse,kid]")
      .common();
  o.add("pairing", pairing,
        "unpaired: two sets that are compared as a whole; aligned: images of one name belong together")
      .choices({"unpaired", "aligned"})
      .common();
  o.add("max_images", max_images, "use the first that many images of each set, or pairs; 0 = all")
      .at_least(0)
      .common();
  o.add("data_range", data_range,
        "from black to white in the files, where they are not of 8 bits: 65535, 4095, 1 ...");
  o.add("channels", channels, "of pairs: as_stored, or grey for colour images compared by their brightness")
      .choices({"as_stored", "grey"});
  o.add("skip_bad", skip_bad,
        "go on without unreadable images, and without images of pairs that have no partner");
  features.describe(o);
  lpips.describe(o);
  metric.describe(o);
  o.find("metric_seed")->hidden();
  o.add("seed", metric.metric_seed, "seed of subsets, folds and resampling").at_least(0);
}

MetricPlan plan_metrics(const std::string& list, Pairing pairing, const std::string& option) {
  MetricPlan plan;
  const bool aligned = pairing == Pairing::aligned;
  std::vector<std::string> names = words_of(list);
  plan.chosen = !names.empty();
  if (names.empty()) names = aligned ? kUsualOfPairs : kUsualOfSets;
  for (const std::string& name : names) {
    if (!metrics().has(name))
      fail_usage("{}: unknown metric '{}'{} (one of {})", option, printable(name),
                 did_you_mean(name, metrics().names()), join(metrics().names()));
    if (metrics().at(name).kind == MetricKind::pairs && !aligned)
      fail_usage(
          "{}: {} compares pairs; give --pairing aligned where images of one name belong together, or "
          "take {}",
          option, name, join(metric_names(MetricKind::sets)));
    add_to(plan, name);
  }
  return plan;
}

}  // namespace torsor
