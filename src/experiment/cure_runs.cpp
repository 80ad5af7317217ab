#include "experiment/cure_runs.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <atomic>

#include "audit/audit.h"
#include "audit/audited_run.h"
#include "audit/parts.h"
#include "core/error.h"
#include "core/files.h"
#include "core/parallel.h"
#include "data/tensor_image.h"
#include "experiment/battery.h"
#include "image/codec.h"
#include "report/grid.h"
#include "train/estimate.h"
#include "train/run_set.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kPictured = 8;

struct MeasuredRun {
  WorldDirection a_to_b, b_to_a;
  double cycle_a_to_b = 0, cycle_b_to_a = 0;
  std::int64_t parameters = 0;
  double error() const { return std::max(a_to_b.error, b_to_a.error); }
  double pass() const { return std::min(a_to_b.pass, b_to_a.pass); }
  bool right() const { return error() <= kRightError && pass() >= kRightPass; }
};

MeasuredRun measured_run(const CureCase& one, std::uint64_t seed, const CureScale& scale,
                         const Request& request) {
  const AuditedRun run =
      open_audited_run(run_folder(request.out, one.runs(), seed), resolve_placement(request.placement));
  const CycleMaps& maps = run.maps;
  MeasuredRun out{measure_world(*one.world, Domain::a, maps.a_to_b, scale.world.tests),
                  measure_world(*one.world, Domain::b, maps.b_to_a, scale.world.tests)};
  const auto missed = [](const WorldDirection& there, const TensorMapping& back) {
    return (back(there.translated) - there.inputs).abs().mean().item<double>();
  };
  out.cycle_a_to_b = missed(out.a_to_b, maps.b_to_a);
  out.cycle_b_to_a = missed(out.b_to_a, maps.a_to_b);
  out.parameters = parameter_count(directed_generators(run.info.networks));
  return out;
}

double agreement_of(const World& world, const std::vector<MeasuredRun>& runs) {
  double largest = 0;
  for (std::size_t i = 0; i < runs.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      largest = std::max({largest, shown_difference(world, runs[i].a_to_b, runs[j].a_to_b),
                          shown_difference(world, runs[i].b_to_a, runs[j].b_to_a)});
  return largest;
}

std::string planted_of(const std::vector<MeasuredRun>& runs, double agreement) {
  if (std::all_of(runs.begin(), runs.end(), [](const MeasuredRun& r) { return r.right(); })) return "right";
  return agreement <= kRightError ? "wrong" : "split";
}

// Rows: inputs of A, what is right, the translations of each run.
Image examples_of(const CureCase& one, const std::vector<MeasuredRun>& runs, const CureScale& scale) {
  std::vector<std::vector<Image>> rows(2);
  const std::int64_t shown = std::min(kPictured, scale.world.tests);
  for (std::int64_t i = 0; i < shown; ++i) {
    const SceneTruth truth = test_truth(Domain::a, i);
    rows[0].push_back(world_image(*one.world, Domain::a, truth));
    rows[1].push_back(world_image(*one.world, Domain::b, translated(*one.world, Domain::a, truth)));
  }
  for (const MeasuredRun& run : runs) {
    rows.emplace_back();
    for (std::int64_t i = 0; i < shown; ++i) rows.back().push_back(to_image(run.a_to_b.translated[i]));
  }
  GridOptions options;
  options.min_cell = 64;
  return make_grid(rows, options);
}

Json audited(const CureCase& one, const CureScale& scale, const Request& request) {
  const WorldFolders folders = world_folders(request.out / "data", *one.world);
  AuditRequest audit;
  for (const std::uint64_t seed : request.seeds)
    audit.runs.push_back(run_folder(request.out, one.runs(), seed).string());
  audit.a = folders.test_a;
  audit.b = folders.test_b;
  audit.pairs_a = folders.pairs_a;
  audit.pairs_b = folders.pairs_b;
  audit.out = request.out / "audits" / one.name();
  audit.placement = request.placement;
  AuditOptions options;
  options.features.features = "pixels";
  options.resamples = scale.resamples;
  options.symmetries = scale.symmetries;
  const Audit done = run_audit(audit, options, "torsor reproduce " + request.experiment,
                               std::make_shared<NullLog>(), request.stop);
  return verdicts_with_and_without_pairs(done.json.at("parts"), options.thresholds);
}

}  // namespace

Json measure_cure_runs(const CureCase& one, const CureScale& scale, const Request& request) {
  std::vector<MeasuredRun> runs;
  Json rows = Json::array();
  for (const std::uint64_t seed : request.seeds) {
    runs.push_back(measured_run(one, seed, scale, request));
    const MeasuredRun& run = runs.back();
    rows.push_back({{"seed", seed},
                    {"error_a_to_b", run.a_to_b.error},
                    {"error_b_to_a", run.b_to_a.error},
                    {"pass_a_to_b", run.a_to_b.pass},
                    {"pass_b_to_a", run.b_to_a.pass},
                    {"cost_a_to_b", run.a_to_b.cost},
                    {"cost_b_to_a", run.b_to_a.cost},
                    {"cycle_a_to_b", run.cycle_a_to_b},
                    {"cycle_b_to_a", run.cycle_b_to_a},
                    {"parameters", run.parameters},
                    {"right", run.right()}});
  }
  make_folder(request.out / "figures");
  write_image(request.out / "figures" / (one.name() + ".png"), examples_of(one, runs, scale));
  const double agreement = agreement_of(*one.world, runs);
  return {{"case", one.name()},
          {"arm", one.arm->name},
          {"world", one.world->name},
          {"runs", rows},
          {"agreement", agreement},
          {"planted", planted_of(runs, agreement)},
          {"subject_right", runs.front().right()}};
}

Json measure_cure(const CureCase& one, const CureScale& scale, const Request& request) {
  Json out = measure_cure_runs(one, scale, request);
  out["by_automorphism"] = true;
  out.update(audited(one, scale, request));
  out["error"] = battery_error(out);
  return out;
}

std::vector<Json> measure_cures(const std::vector<CureCase>& cases, CureMeasure measure,
                                const CureScale& scale, const Request& request) {
  std::vector<Json> rows(cases.size());
  std::atomic<std::int64_t> done{0};
  in_parallel(cases.size(), request.stop, [&](std::size_t i) {
    rows[i] = measure(cases[i], scale, request);
    request.log->progress("measured", ++done, std::ssize(cases));
  });
  check_stop(request.stop);
  return rows;
}

Json measure_step_costs(const std::vector<CureCase>& cases, const CureScale& scale, const Request& request) {
  std::map<std::string, double> seconds;
  for (int round = 0; round < scale.cost_rounds; ++round)
    for (const CureCase& one : cases) {
      check_stop(request.stop);
      if (one.world->name != worlds().front().name) continue;
      const TrainConfig config = cure_config(one, request.seeds.front(), scale, request.out);
      const double now = measure_step(config, Trial::full).seconds;
      const auto [at, is_new] = seconds.emplace(one.arm->name, now);
      if (!is_new) at->second = std::min(at->second, now);
    }
  Json out = Json::object();
  for (const auto& [arm, least] : seconds) out[arm] = least / seconds.at(cases.front().arm->name);
  return out;
}

}  // namespace torsor
