#include "evaluate/training_evaluation.h"

#include <algorithm>

#include "core/error.h"
#include "evaluate/best_model.h"
#include "evaluate/held_out_evaluation.h"

namespace torsor {

namespace {

constexpr std::int64_t kFewestImages = 2;  // of KID

const char* const kNoImages =
    "no images are held out of training; give --val-a and --val-b, or --val-share 0.1, or put images into "
    "testA and "
    "testB";

// Says why not, where that is the preset's wish alone.
bool can_evaluate(const TrainSession& session, LogSink& log) {
  const HeldOut& held = session.data().held_out;
  const bool optional = session.config().evaluates_by_preset();
  if (!held.images && !optional)
    fail_usage("--eval-every {}: {}", session.config().evaluation.eval_every, kNoImages);
  if (!optional || (held.images && std::min(held.count_a, held.count_b) >= kFewestImages)) return true;
  log.notice(fmt::format(
      "nothing is evaluated during training: {}",
      held.images ? fmt::format("that takes {} held-out images of each domain", kFewestImages) : kNoImages));
  return false;
}

}  // namespace

std::vector<std::unique_ptr<Observer>> evaluation_observers(TrainSession& session,
                                                            const std::shared_ptr<LogSink>& log) {
  std::vector<std::unique_ptr<Observer>> out;
  const EvaluationOptions& options = session.config().evaluation;
  if (!options.is_on() || !can_evaluate(session, *log)) return out;
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
