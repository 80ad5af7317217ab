#include "evaluate/training_evaluation.h"

#include "evaluate/best_model.h"
#include "evaluate/held_out_evaluation.h"

namespace torsor {

std::vector<std::unique_ptr<Observer>> evaluation_observers(TrainSession& session,
                                                            const std::shared_ptr<LogSink>& log) {
  std::vector<std::unique_ptr<Observer>> out;
  const EvaluationOptions& options = session.config().evaluation;
  if (!options.is_on()) return out;
  out.push_back(std::make_unique<HeldOutEvaluation>(session, log));
  const Observer& source = *out.front();
  if (!options.keep_best.empty())
    out.push_back(std::make_unique<BestModel>(
        WatchedMetric(options.keep_best, source, "--keep-best"), session.directory().best(),
        [&session](const std::filesystem::path& file) { session.write_model(file); }, log));
  if (!options.early_stop.empty()) {
    const EarlyStopRule rule = EarlyStopRule::parse(options.early_stop, "--early-stop");
    out.push_back(
        std::make_unique<EarlyStop>(WatchedMetric(rule.metric, source, "--early-stop"), rule.patience, log));
  }
  return out;
}

}  // namespace torsor
