#include "experiment/reproduction.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "core/time.h"
#include "model/environment.h"

namespace torsor {

namespace {

const std::vector<std::string>& scale_names() {
  static const std::vector<std::string> names = {"smoke", "quick", "full"};
  return names;
}

Scale scale_named(const std::string& name) {
  const auto& names = scale_names();
  return static_cast<Scale>(std::find(names.begin(), names.end(), name) - names.begin());
}

Json setup_json(const std::vector<Setting>& setup) {
  Json out = Json::array();
  for (const Setting& s : setup) out.push_back({{"what", s.what}, {"value", s.value}, {"why", s.why}});
  return out;
}

std::vector<std::uint64_t> seeds_for(const ExperimentInfo& info, const ReproduceOptions& options) {
  const std::string& fixed = info.seeds[static_cast<std::size_t>(scale_named(options.scale))];
  if (fixed.empty() && !options.seeds.empty())
    fail_usage("--seeds {}: {} draws nothing at random; leave --seeds out", options.seeds, info.id);
  if (fixed.empty()) return {0};
  return parse_seeds(options.seeds.empty() ? fixed : options.seeds, "--seeds");
}

void check_data(const ExperimentInfo& info, const ReproduceOptions& options) {
  if (options.data.empty()) return;
  if (info.data.empty()) fail_usage("--data {}: {} takes no data; leave --data out", options.data, info.id);
  if (!fs::is_directory(options.data))
    fail_usage("--data {}: not a folder; expected {}", options.data, info.data);
}

PlacementOptions placement_for(const ExperimentInfo& info, const ReproduceOptions& options) {
  PlacementOptions placement;
  if (!info.networks && options.device != placement.device)
    fail_usage("--device {}: {} computes on the CPU only; leave --device out", options.device, info.id);
  placement.device = options.device;
  resolve_placement(placement);  // that it is there
  return placement;
}

fs::path out_folder(const ExperimentInfo& info, const ReproduceOptions& options) {
  const fs::path out = options.out.empty() ? fs::path("reproduction") / info.id : fs::path(options.out);
  for (const char* name : {"index.html", "results.json"})
    if (!options.overwrite && fs::exists(out / name))
      fail_usage("--out {}: holds a result already; add --overwrite to replace it, or name another folder",
                 out.string());
  return out;
}

std::string seeds_text(const std::vector<std::uint64_t>& seeds) {
  std::vector<std::string> words;
  for (const std::uint64_t seed : seeds) words.push_back(std::to_string(seed));
  return join(words, ",");
}

std::string command_for(const ExperimentInfo& info, const Request& request) {
  std::string command = fmt::format("torsor reproduce {} --scale {}", info.id, scale_name(request.scale));
  if (!info.seeds[static_cast<std::size_t>(request.scale)].empty())
    command += " --seeds " + seeds_text(request.seeds);
  if (!request.data.empty()) command += " --data " + request.data.string();
  if (request.placement.device != PlacementOptions().device)
    command += " --device " + request.placement.device;
  return command;
}

// What experiments compute between trainings is small: several threads would mostly wait for each other, for
// very long on a machine that others use, and the last bits would depend on their number.
class OneThread {
 public:
  OneThread() { at::set_num_threads(1); }
  ~OneThread() { at::set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  const int before_ = at::get_num_threads();
};

// What a finding is worth at a scale.
Finding at_scale(Scale scale, const Finding& finding) {
  if (scale != Scale::smoke) return finding;
  return {
      Verdict::cannot_tell,
      fmt::format("a smoke run is too short to tell; by the rule alone its few numbers would say \"{}\": {}",
                  verdict_name(finding.verdict), finding.because)};
}

}  // namespace

std::string scale_name(Scale scale) { return scale_names()[static_cast<std::size_t>(scale)]; }

std::string verdict_name(Verdict verdict) {
  return verdict == Verdict::agrees ? "agrees" : verdict == Verdict::disagrees ? "disagrees" : "cannot tell";
}

void ReproduceOptions::describe(OptionSet& o) {
  o.add("scale", scale, "smoke: seconds, to see that it runs; quick: minutes; full: as large as the paper's")
      .choices(scale_names());
  o.add("seeds", seeds, "seeds to run, such as 0-4 or 3,8 [those that the experiment fixes]");
  o.add("data", data, "folder of the experiment's real data [data that torsor generates]");
  o.add("out", out, "folder for the page, the numbers and the figures [reproduction/ID]");
  o.add("overwrite", overwrite, "replace an earlier result in that folder");
  o.add("device", device, "where networks are trained: auto = cuda where there is one")
      .choices({"auto", "cpu", "cuda"});
}

Json reproduction_record(const Experiment& experiment, const Request& request, const Json& results) {
  const Finding by_the_rule = experiment.judge(results);
  const Finding finding = at_scale(request.scale, by_the_rule);
  return {{"id", experiment.info().id},
          {"scale", scale_name(request.scale)},
          {"seeds", request.seeds},
          {"command", command_for(experiment.info(), request)},
          {"finished", utc_now()},
          {"environment", describe_environment(resolve_placement(request.placement))},
          {"verdict", verdict_name(finding.verdict)},
          {"because", finding.because},
          {"by_the_rule", {{"verdict", verdict_name(by_the_rule.verdict)}, {"because", by_the_rule.because}}},
          {"setup", setup_json(experiment.setup(request.scale))},
          {"results", results}};
}

Reproduction reproduce(const Experiment& experiment, const ReproduceOptions& options,
                       std::shared_ptr<LogSink> log, const StopFlag& stop) {
  const ExperimentInfo& info = experiment.info();
  check_data(info, options);
  const fs::path out = out_folder(info, options);
  const Request request{scale_named(options.scale),
                        seeds_for(info, options),
                        options.data,
                        out,
                        log,
                        stop,
                        placement_for(info, options),
                        info.id};
  make_folder(out);
  const OneThread one_thread;
  const auto start = std::chrono::steady_clock::now();
  const Json results = experiment.measure(request);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  Json record = reproduction_record(experiment, request, results);
  record["seconds"] = taken.count();
  reproduction_page(experiment, record, out / "figures").save(out / "index.html");
  write_file_atomically(out / "results.json", record.dump(1) + "\n");
  return {record.at("verdict"), record.at("because"), out / "index.html"};
}

}  // namespace torsor
