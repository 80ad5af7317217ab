// The observers that a training's EvaluationOptions ask for.
#pragma once

#include <memory>
#include <vector>

#include "core/log.h"
#include "train/session.h"

namespace torsor {

/// Nothing where eval_every is 0, or where a preset set it and there are no images for it, which `log` is
/// told (UsageError where the user set it); else a HeldOutEvaluation, and where they are asked for a
/// BestModel that writes into the run directory and an EarlyStop. To be given to session.run(). Throws as
/// they do.
std::vector<std::unique_ptr<Observer>> evaluation_observers(TrainSession& session,
                                                            const std::shared_ptr<LogSink>& log);

}  // namespace torsor
