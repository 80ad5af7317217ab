// Audits of planted translators whose truth is known: how often a verdict is wrong.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "audit/audit_material.h"
#include "audit/verdict.h"
#include "core/json.h"
#include "core/log.h"
#include "core/stop.h"
#include "experiment/battery_tasks.h"

namespace torsor {

struct BatterySize {
  std::int64_t images = 120;    // held out, of each domain
  std::int64_t training = 400;  // of each domain, for tests of the distribution alone
  std::int64_t pairs = 40;
};

/// What an audit sees of a task: three of its runs, the first of which is judged.
AuditInputs battery_inputs(const BatteryTask& task, const std::array<std::size_t, 3>& runs,
                           const BatterySize& size, std::shared_ptr<const FeatureExtractor> extractor);

/// right: the three runs are. wrong: they agree on another solution. split: they do not agree.
enum class Planted { right, wrong, split };
Planted planted(const BatteryTask& task, const std::array<std::size_t, 3>& runs);

/// One audit of the battery: {"task", "runs", "planted", "subject_right", "without_pairs", "with_pairs"
/// (verdicts), "because_without", "because_with"}. Figures and what the parts measured (parts.json) go
/// to `out`.
Json audit_planted(const BatteryTask& task, const std::array<std::size_t, 3>& runs, const BatterySize& size,
                   std::shared_ptr<const FeatureExtractor> extractor, const std::filesystem::path& out,
                   const std::shared_ptr<LogSink>& log, const StopFlag& stop);

/// What an audit's parts amount to with the evidence of pairs and without it: {"without_pairs", "with_pairs"
/// (verdicts), "because_without", "because_with" (with the findings that speak against the run)}.
Json verdicts_with_and_without_pairs(const Json& parts, const AuditThresholds& thresholds);

/// All ten choices of three of five runs.
std::vector<std::array<std::size_t, 3>> battery_triples();

/// What is wrong with a row of audit_planted(), or "": "green over a wrong run", "red over a right run", "not
/// green with pairs over a right run", "not red with pairs over a wrong run", "runs that differ are not red".
/// Where no run can be a solution (copies, hidden codes, maps that change the distribution) only green is
/// wrong.
std::string battery_error(const Json& row);

}  // namespace torsor
