#include "experiment/battery.h"

#include <ATen/ATen.h>

#include "audit/parts.h"
#include "core/error.h"
#include "core/files.h"
#include "core/rng.h"

namespace torsor {

namespace {

using at::Tensor;

constexpr double kBlur = 0.08, kPattern = 0.01;  // what planted generators leave behind

// The random stream of a task's images of one kind.
Rng task_stream(const BatteryTask& task, const std::string& what) {
  return Rng(derive_seed(0, "battery/" + task.name + "/" + what));
}

// As a generator would leave it: a little blur, and a faint pattern of its own.
TensorMapping with_artefacts(TensorMapping map, std::uint64_t seed) {
  return [map = std::move(map), seed](const Tensor& x) {
    const at::NoGradGuard no_grad;
    const Tensor y = map(x.to(at::kFloat));
    Rng rng(derive_seed(seed, "battery/artefacts"));
    const Tensor phase = at::full({1}, rng.uniform(0, 6));
    const Tensor pattern = at::sin(at::arange(y.size(3), at::kFloat) * 2.1 + phase);
    const Tensor smooth = at::avg_pool2d(at::replication_pad2d(y, {1, 1, 1, 1}), 3, 1);
    return (1 - kBlur) * y + kBlur * smooth + kPattern * pattern;
  };
}

AuditedRun planted_run(const BatteryTask& task, std::size_t run) {
  const PlantedSolution& phi = task.solutions[task.learnt[run]];
  AuditedRun out;
  out.name = fmt::format("seed {}", run);
  out.hash = out.source = fmt::format("{}/{}", task.name, run);
  for (const std::string domain : {"a", "b"}) out.info.domains[domain].channels = task.channels;
  out.maps.a_to_b =
      with_artefacts([&task, &phi](const Tensor& x) { return task.truth(phi.map(x)); }, 2 * run);
  out.maps.b_to_a = with_artefacts(
      [&task, &phi](const Tensor& y) { return phi.inverse(task.truth_inverse(y)); }, 2 * run + 1);
  return out;
}

AuditImages images_named(const std::string& domain, const std::string& prefix, Tensor values) {
  AuditImages out;
  out.domain = domain;
  out.values = std::move(values);
  for (std::int64_t i = 0; i < out.size(); ++i) {
    out.names.push_back(fmt::format("{}{}.png", prefix, i));
    out.keys.push_back(out.names.back());
    out.groups.push_back(i);
    out.ranges.push_back({});
  }
  return out;
}

AuditImages drawn_a(const BatteryTask& task, const std::string& what, std::int64_t n) {
  Rng rng = task_stream(task, "a/" + what);
  return images_named("a", "a-" + what, task.draw_a(n, rng).to(at::kFloat));
}

AuditImages drawn_b(const BatteryTask& task, const std::string& what, std::int64_t n) {
  Rng rng = task_stream(task, "b/" + what);
  const Tensor values = task.draw_b ? task.draw_b(n, rng) : task.truth(task.draw_a(n, rng));
  return images_named("b", "b-" + what, values.to(at::kFloat));
}

AuditPairs drawn_pairs(const BatteryTask& task, std::int64_t n) {
  AuditImages a = drawn_a(task, "pairs", n);
  AuditImages b = images_named("b", "a-pairs", task.truth(a.values).to(at::kFloat));
  for (std::string& key : b.keys) key += "/b";
  return {std::move(a), std::move(b)};
}

Json parts_of(AuditMaterial& material) {
  Json parts = Json::object();
  for (const AuditPart& part : audit_parts())
    if (part.why_not(material).empty()) parts[part.name] = part.measure(material);
  return parts;
}

// The verdict's sentence, and the texts of the findings that speak against the run.
std::string reasons_of(const AuditJudgement& judgement) {
  std::string out = judgement.because;
  for (const AuditFinding& f : judgement.findings)
    if (f.role != FindingRole::note && f.verdict != AuditVerdict::green) out += " " + f.text;
  return out;
}

AuditOptions battery_options(const BatteryTask& task) {
  AuditOptions options;
  options.symmetries = task.symmetries;
  options.resamples = 400;
  return options;
}

}  // namespace

AuditInputs battery_inputs(const BatteryTask& task, const std::array<std::size_t, 3>& runs,
                           const BatterySize& size, std::shared_ptr<const FeatureExtractor> extractor) {
  AuditInputs out;
  for (const std::size_t run : runs) out.runs.push_back(planted_run(task, run));
  out.a = drawn_a(task, "test", size.images);
  out.b = drawn_b(task, "test", size.images);
  if (size.training > 0) {
    out.more_a = drawn_a(task, "train", size.training);
    out.more_b = drawn_b(task, "train", size.training);
  }
  if (size.pairs > 0) out.pairs = drawn_pairs(task, size.pairs);
  out.extractor = std::move(extractor);
  return out;
}

Planted planted(const BatteryTask& task, const std::array<std::size_t, 3>& runs) {
  const std::size_t first = task.learnt[runs[0]];
  for (const std::size_t run : runs)
    if (task.learnt[run] != first) return Planted::split;
  return first == 0 ? Planted::right : Planted::wrong;
}

Json audit_planted(const BatteryTask& task, const std::array<std::size_t, 3>& runs, const BatterySize& size,
                   std::shared_ptr<const FeatureExtractor> extractor, const std::filesystem::path& out,
                   const std::shared_ptr<LogSink>& log, const StopFlag& stop) {
  const AuditOptions options = battery_options(task);
  make_folder(out);
  AuditMaterial material(battery_inputs(task, runs, size, std::move(extractor)), options, out, log, stop);
  const Json parts = parts_of(material);
  write_file_atomically(out / "parts.json", parts.dump(1) + "\n");
  const Planted kind = planted(task, runs);
  Json row = {{"task", task.name},
              {"runs", runs},
              {"planted", kind == Planted::right   ? "right"
                          : kind == Planted::wrong ? "wrong"
                                                   : "split"},
              {"subject_right", task.learnt[runs[0]] == 0},
              {"by_automorphism", task.by_automorphism}};
  row.update(verdicts_with_and_without_pairs(parts, options.thresholds));
  return row;
}

Json verdicts_with_and_without_pairs(const Json& parts, const AuditThresholds& thresholds) {
  Json unpaired = parts;
  unpaired.erase(anchors_part().name);
  const AuditJudgement without = judge_audit(unpaired, thresholds), with = judge_audit(parts, thresholds);
  return {{"without_pairs", verdict_name(without.verdict)},
          {"with_pairs", verdict_name(with.verdict)},
          {"because_without", reasons_of(without)},
          {"because_with", reasons_of(with)}};
}

std::vector<std::array<std::size_t, 3>> battery_triples() {
  std::vector<std::array<std::size_t, 3>> out;
  for (std::size_t i = 0; i < kBatteryRuns; ++i)
    for (std::size_t j = i + 1; j < kBatteryRuns; ++j)
      for (std::size_t k = j + 1; k < kBatteryRuns; ++k) out.push_back({i, j, k});
  return out;
}

std::string battery_error(const Json& row) {
  const bool right = row.at("subject_right");
  const std::string planted = row.at("planted"), without = row.at("without_pairs"),
                    with = row.at("with_pairs");
  if (without == "green") return "green without pairs";
  if (!right && with == "green") return "green over a wrong run";
  if (!row.at("by_automorphism").get<bool>()) return "";
  if (planted == "right" && (without == "red" || with == "red")) return "red over a right run";
  if (planted == "split" && without != "red") return "runs that differ are not red";
  if (planted == "wrong" && with != "red") return "not red with pairs over a wrong run";
  if (planted == "right" && with != "green") return "not green with pairs over a right run";
  return "";
}

}  // namespace torsor
