// A trained pair of translators as an audit sees it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "model/model_file.h"
#include "model/objective.h"
#include "model/placement.h"

namespace torsor {

struct WeightSet;

struct AuditedRun {
  std::string name;    // tells the runs of one audit apart: its folder, or "seed 3"
  std::string source;  // the file of its weights
  std::string hash;    // of its generators' weights, 32 hexadecimal digits
  ModelInfo info;
  bool finished = true;  // else it is read at its last checkpoint
  /// [N,C,H,W] float32 on the CPU to the same, in batches, without gradients; empty where the model has none.
  CycleMaps maps;
  /// The network behind maps.a_to_b or maps.b_to_a; empty where maps are all that is known.
  std::function<LoadedGenerator(const Direction&)> network;
  /// What it was trained to minimise, weights included, by the one table of terms; empty where that is not
  /// known or not a CycleGAN's. Terms of features and cures (CureOptions) are left out.
  std::vector<LossTerm> terms;
  /// Names of transport costs among those: of features and of residual blocks.
  std::vector<std::string> unmeasured;
  std::string cycle_norm;  // of its cycle and identity terms (loss/distance.h); "" without terms
  /// Hashes of the images (content_key()) that anchored its training.
  std::vector<std::string> anchors;

  /// The generator of this direction; empty where the model has none.
  const TensorMapping& generator(const Direction& direction) const;
  bool has(const Direction& direction) const { return static_cast<bool>(generator(direction)); }
};

/// Opens what open_weights() takes: of a run that is still training the last checkpoint. Throws Error naming
/// the file.
AuditedRun open_audited_run(const std::filesystem::path& path, const Placement& placement);

/// The same of weights that were opened from `path`.
AuditedRun audited_run_of(const WeightSet& set, const std::filesystem::path& path,
                          const Placement& placement);

/// Opens several and names them apart. Throws Error for runs of unlike domains, sizes or directions, naming
/// both, and for one that is given twice.
std::vector<AuditedRun> open_audited_runs(const std::vector<std::string>& paths, const Placement& placement);

}  // namespace torsor
