// Metrics of a training on images that no step sees, as scalars that log, displays and schedules read.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/log.h"
#include "evaluate/evaluate_options.h"
#include "metric/metrics.h"
#include "model/model_in_use.h"
#include "train/session.h"

namespace torsor {

/// Every eval_every steps translates the first eval_images held-out images in each direction that the model
/// has, with the averaged weights where it keeps some, and publishes "<metric>_<direction>": kid_a_to_b,
/// psnr_b_to_a. Draws no random numbers of the run and leaves networks and optimisers as they are. A value
/// that cannot be computed because the translations are not finite is published as NaN.
class HeldOutEvaluation : public Observer {
 public:
  /// Opens the feature extractor. Throws UsageError for an unknown metric, for one of pairs where there are
  /// none, and for fewer held-out images than a metric needs. The session must outlive it.
  HeldOutEvaluation(TrainSession& session, std::shared_ptr<LogSink> log);

  std::string name() const override { return "evaluation"; }
  std::vector<std::string> scalar_names() const override;
  std::vector<std::string> rising_scalars() const override;
  void publish(const TrainState& state, StepScalars& scalars) override;

 private:
  struct Translations {
    at::Tensor features;                                // [N,d]; undefined where no metric needs them
    std::map<std::string, std::vector<double>> values;  // of metrics of pairs
    bool finite = true;
  };
  using Values = std::map<std::string, double>;

  std::int64_t count(const std::string& domain) const;
  const DomainInfo& domain(const std::string& key) const;
  void require_enough_images() const;
  const at::Tensor& real_features(const std::string& domain);
  Batch held_out(std::int64_t i) const;
  Translations translate(const ModelInUse& model, const NetworkInfo& generator);
  void compare_pair(const Image& real, const Image& fake, const ValueRange& range, Translations& out) const;
  Values evaluate(const ModelInUse& model, const NetworkInfo& generator);
  Values score_sets(const at::Tensor& real, const at::Tensor& fake) const;
  void say_copying();

  TrainSession& session_;
  EvaluationOptions options_;
  MetricPlan plan_;
  Placement placement_;
  std::shared_ptr<LogSink> log_;
  std::shared_ptr<FeatureExtractor> extractor_;  // null where no metric needs it
  std::shared_ptr<const Lpips> lpips_;
  std::vector<NetworkInfo> generators_;     // one for each direction
  std::map<std::string, at::Tensor> real_;  // features by domain, once they were needed
  bool told_copying_ = false;
};

}  // namespace torsor
