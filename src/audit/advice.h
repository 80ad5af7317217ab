// What to do about what an audit found.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/json.h"

namespace torsor {

/// A way to train the model again so that fewer answers fit.
struct AuditCure {
  std::string title;
  std::string text;    // why it fits these findings
  std::string folder;  // ends the new run's name: "-anchors"
  Json settings;       // options of torsor train; null = unset. The first one is what switches it on
};

/// Cures of a training whose findings say that another answer fits as well, the strongest first; none for
/// other findings. `audit` is audit.json; what its "training", the options of the first run, had already is
/// left out. Sources: anchors and the sparse Jacobian Shrestha et al. (arXiv 2605.17918), labels Shrestha &
/// Fu (arXiv 2401.09671), identity S0-C5.
std::vector<AuditCure> fitting_cures(const Json& audit);

/// Pairs of different groups, none of them wrong, from which the upper limit (95 %, one-sided) of the share
/// of wrong ones is at most `share`, above 0 and below 1.
std::int64_t pairs_for(double share);

/// [{"title", "text", "command"}], in the order in which to try them: what a run needs that is no solution;
/// else the cures, runs of other seeds where there is one run, an audit with pairs where there were none.
/// Commands are the first run's own training with the options added; one is "" where the training's options
/// are not known. Cures whose options this torsor lacks are left out. Empty for a green verdict.
Json advice_for(const Json& audit);

}  // namespace torsor
