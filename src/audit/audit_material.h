// The runs and images of an audit, and what several of its parts need of them, each computed once.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/audit_images.h"
#include "audit/audit_options.h"
#include "audit/audited_run.h"
#include "audit/image_distances.h"
#include "audit/labels.h"
#include "core/log.h"
#include "core/stop.h"
#include "metric/feature_extractor.h"
#include "model/placement.h"

namespace torsor {

/// What an audit is given.
struct AuditInputs {
  std::vector<AuditedRun> runs;               // one or more; the first is the one that is judged
  AuditImages a, b;                           // held out
  std::optional<AuditImages> more_a, more_b;  // training images, for tests of the distribution alone
  std::optional<AuditPairs> pairs;
  std::optional<AuditLabels> labels;
  std::shared_ptr<const FeatureExtractor> extractor;
  PlacementOptions placement = {};  // of networks that the audit itself trains
};

class AuditMaterial {
 public:
  AuditMaterial(AuditInputs inputs, AuditOptions options, std::filesystem::path out,
                std::shared_ptr<LogSink> log, const StopFlag& stop);

  const std::vector<AuditedRun>& runs() const { return inputs_.runs; }
  const AuditedRun& subject() const { return inputs_.runs.front(); }
  const AuditImages& images(const std::string& domain) const { return domain == "a" ? inputs_.a : inputs_.b; }
  const std::optional<AuditImages>& more(const std::string& domain) const {
    return domain == "a" ? inputs_.more_a : inputs_.more_b;
  }
  const std::optional<AuditPairs>& pairs() const { return inputs_.pairs; }
  const std::optional<AuditLabels>& labels() const { return inputs_.labels; }
  const AuditOptions& options() const { return options_; }
  const PlacementOptions& placement() const { return inputs_.placement; }
  const std::filesystem::path& out() const { return out_; }
  LogSink& log() const { return *log_; }
  const StopFlag& stop() const { return stop_; }
  /// Directions that every run has a generator for.
  std::vector<Direction> directions() const;
  /// Whether every run translates both ways.
  bool has_cycle() const { return directions().size() == 2; }

  /// What the generator of this run makes of the held-out images of direction.from: [N,C',H,W].
  const at::Tensor& translated(std::size_t run, const Direction& direction);
  /// Those brought back by the other generator of run `by`: [N,C,H,W]. Only by == run is kept.
  at::Tensor brought_back(std::size_t run, std::size_t by, const Direction& direction);

  /// [N,d] float64 of images of this domain, [N,C,H,W] in the networks' range; by the audit's extractor or
  /// by another.
  at::Tensor features(const at::Tensor& values, const std::string& domain) const;
  at::Tensor features_by(const FeatureExtractor& extractor, const at::Tensor& values,
                         const std::string& domain) const;
  const at::Tensor& real_features(const std::string& domain);
  const FeatureExtractor& extractor() const { return *inputs_.extractor; }

  /// How far apart unrelated images of a domain are: of pairs of different groups, drawn by the seed.
  const MeanDistances& unrelated(const std::string& domain);

  /// A random stream of its own for a part of the audit.
  Rng stream(const std::string& name) const;

  /// A picture that parts show: [C,H,W] in the networks' range of this domain, as u8 RGB.
  Image picture(const at::Tensor& values, const std::string& domain) const;
  /// Writes OUT/figures/<name>.png and returns {"file", "caption", "width", "height"}.
  Json write_figure(const std::string& name, const Image& image, const std::string& caption) const;

 private:
  AuditInputs inputs_;
  AuditOptions options_;
  std::filesystem::path out_;
  std::shared_ptr<LogSink> log_;
  const StopFlag& stop_;
  std::map<std::pair<std::size_t, std::string>, at::Tensor> translated_, returned_;
  std::map<std::string, at::Tensor> real_features_;
  std::map<std::string, MeanDistances> unrelated_;
};

}  // namespace torsor
