#include "evaluate/model_evaluation.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "core/version.h"
#include "evaluate/translated_folder.h"
#include "interchange/weight_source.h"
#include "io/checksum.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

// Of the weights that a generator translates with.
std::string hash_of(const TensorMap& weights) {
  Checksum checksum;
  add_tensors(checksum, weights);
  return checksum.hex();
}

/// The evaluation of one model, direction by direction.
class ModelEvaluation {
 public:
  ModelEvaluation(const ModelRequest& request, SetScoring& scoring, const std::shared_ptr<LogSink>& log,
                  const StopFlag& stop)
      : request_(request),
        scoring_(scoring),
        log_(log),
        stop_(stop),
        set_(open_weights(request.model, request.runner.choice)) {}

  Evaluation run() {
    const std::vector<std::string> directions = scored_directions(set_, request_.runner.direction);
    open_folders();
    Evaluation out;
    out.about = about();
    out.protocol = scoring_.protocol();
    out.protocol["resize"] = size_json(request_.resize);
    for (const std::string& direction : directions) {
      const std::string weights = hash_of(used_weights(set_, generator_for(set_, direction).name));
      out.parts.push_back(evaluated(direction, weights));
      out.about["model"]["weights"][direction] = weights;
      for (const std::string& line : out.parts.back().scores.warnings)
        out.warnings.push_back(direction + ": " + line);
    }
    return out;
  }

 private:
  ImageReading reading() const { return {request_.resize, scoring_.options().data_range}; }

  void open_folders() {
    const EvaluateOptions& options = scoring_.options();
    const SetChoice choice = options.choice();
    require_pairs_for_mask(request_.mask, options.images_are());
    PairedFolders folders =
        options.images_are() == Pairing::aligned
            ? open_pairs(request_.a, request_.b, choice, *log_)
            : PairedFolders{open_set(request_.a, choice, *log_), open_set(request_.b, choice, *log_)};
    if (!request_.mask.empty()) masks_ = open_masks(folders.first, request_.mask, reading(), *log_);
    a_ = scored_set(folders.first, reading());
    b_ = scored_set(folders.second, reading());
  }

  Json about() const {
    return {{"model",
             {{"file", set_.source},
              {"what", set_.what},
              {"type", set_.info.type},
              {"step", set_.info.step},
              {"weights", Json::object()}}},
            {"a", request_.a.string()},
            {"b", request_.b.string()}};
  }

  // All that decides on the pixels of a translation.
  Json identity(const std::string& direction, const std::string& weights, const ScoredSet& inputs) const {
    const Placement& placement = request_.runner.placement;
    return {{"torsor", torsor_version()},
            {"direction", direction},
            {"weights", weights},
            {"generator", generator_for(set_, direction).options},
            {"inputs", inputs.digest()},
            {"resize", size_json(request_.resize)},
            {"bit_depth", static_cast<int>(request_.bit_depth)},
            {"batch_statistics", request_.runner.norm_statistics == NormStatistics::batch},
            {"bfloat16", placement.autocast || placement.dtype != c10::kFloat}};
  }

  // `weights`: their hash.
  EvaluatedSets evaluated(const std::string& direction, const std::string& weights) {
    RunnerOptions options = request_.runner;
    options.direction = direction;
    GeneratorRunner runner(load_generator(set_, direction), options);
    for (const std::string& note : runner.loaded().notes) log_->notice(note);
    const bool forward = direction != kBToA.name();
    const std::shared_ptr<const ScoredSet>&inputs = forward ? a_ : b_, &targets = forward ? b_ : a_;
    Treatment treatment;
    treatment.resize = request_.resize;
    treatment.batch_size = request_.batch_size;
    treatment.bit_depth = request_.bit_depth;
    const fs::path folder = request_.out / "translations" / direction;
    const auto made =
        translate_set(runner, {*inputs, folder, identity(direction, weights, *inputs), treatment},
                      fmt::format("translated {}:", direction), *log_, stop_);
    EvaluatedSets out;
    out.direction = direction;
    out.real = targets;
    out.inputs = inputs;
    out.masks = masks_;
    out.fake = std::make_shared<const ScoredSet>(folder, made, ImageReading{{}, reading().data_range});
    out.scores = scoring_.score({*out.real, *out.fake, out.inputs.get(), out.masks.get()});
    return out;
  }

  const ModelRequest& request_;
  SetScoring& scoring_;
  std::shared_ptr<LogSink> log_;
  const StopFlag& stop_;
  WeightSet set_;
  std::shared_ptr<const ScoredSet> a_, b_, masks_;
};

}  // namespace

std::vector<std::string> scored_directions(const WeightSet& set, const std::string& wanted) {
  if (!wanted.empty()) {
    generator_for(set, wanted);  // throws where there is none
    return {wanted};
  }
  std::vector<std::string> out;
  for (const Direction& direction : {kAToB, kBToA})
    if (find_translator(set.info.networks, direction) != nullptr) out.push_back(direction.name());
  if (out.empty()) out.push_back(kAToB.name());  // of a generator whose direction nobody knows
  return out;
}

Evaluation evaluate_model(const ModelRequest& request, SetScoring& scoring,
                          const std::shared_ptr<LogSink>& log, const StopFlag& stop) {
  return ModelEvaluation(request, scoring, log, stop).run();
}

}  // namespace torsor
