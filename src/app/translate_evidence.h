// The options of translate that ask for evidence, and what they make of a model.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/translate_report.h"
#include "core/options.h"
#include "infer/evidence_writer.h"
#include "model/model_file.h"

namespace torsor::app {

struct EvidenceFlags {
  bool evidence = false;
  std::string also, ensemble = "first", refuse = "nothing";
  EvidenceLimits limits;

  void describe(OptionSet& o);
  /// Throws UsageError for options that go with --evidence alone, or not together.
  void validate() const;

  /// The files that are to stand beside each output.
  std::vector<std::string> companions() const;
  EvidenceWish wish() const;
  /// MODELs of --also.
  std::vector<std::filesystem::path> other_models() const;
};

/// What writes the outputs with their evidence; null without --evidence. `set` is what the runner's generator
/// came from. Throws Error where --refuse could never refuse anything. `report` hears of a model without a
/// calibration.
std::unique_ptr<EvidenceWriter> evidence_writer(const EvidenceFlags& flags, const std::string& model,
                                                const WeightSet& set, const GeneratorRunner& runner,
                                                const RunnerOptions& options, const Treatment& treatment,
                                                TranslateReport& report);

}  // namespace torsor::app
