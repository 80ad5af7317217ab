// The observers that a training's EvaluationOptions ask for.
#pragma once

#include <memory>
#include <vector>

#include "core/log.h"
#include "train/session.h"

namespace torsor {

/// Nothing where eval_every is 0; else a HeldOutEvaluation, and where they are asked for a BestModel that
/// writes into the run directory and an EarlyStop. To be given to session.run(). Throws as they do.
std::vector<std::unique_ptr<Observer>> evaluation_observers(TrainSession& session,
                                                            const std::shared_ptr<LogSink>& log);

}  // namespace torsor
