#include "runs/run_record.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/files.h"
#include "data/data_source.h"
#include "telemetry/jsonl.h"

namespace torsor {

namespace {

// Fields of a line that are no scalars of the training.
bool is_bookkeeping(const std::string& key) {
  return key == "step" || key == "epoch" || key == "seconds" || key == "data_wait";
}

double number_or(const Json& line, const char* key, double otherwise) {
  return line.contains(key) && line.at(key).is_number() ? line.at(key).get<double>() : otherwise;
}

// A line of a step that was repeated stands for the later ones before it too.
void forget_from(double step, RunLog& log) {
  for (ScalarSeries& s : log.scalars)
    while (!s.steps.empty() && s.steps.back() >= step) {
      s.steps.pop_back();
      s.values.pop_back();
    }
}

ScalarSeries& series_of(const std::string& name, RunLog& log) {
  for (ScalarSeries& s : log.scalars)
    if (s.name == name) return s;
  return log.scalars.emplace_back(ScalarSeries{name, {}, {}});
}

void take_line(const Json& line, RunLog& log) {
  if (!line.contains("step") || !line.at("step").is_number_integer()) {
    ++log.torn_lines;
    return;
  }
  const auto step = line.at("step").get<std::int64_t>();
  if (step <= log.last_step) forget_from(static_cast<double>(step), log);
  log.last_step = step;
  log.last_epoch = static_cast<std::int64_t>(number_or(line, "epoch", 0));
  log.seconds = number_or(line, "seconds", log.seconds);
  log.data_wait = number_or(line, "data_wait", log.data_wait);
  for (const auto& [key, value] : line.items()) {
    if (is_bookkeeping(key) || !(value.is_number() || value.is_null())) continue;
    ScalarSeries& s = series_of(key, log);
    s.steps.push_back(static_cast<double>(step));
    s.values.push_back(value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>());
  }
}

RunLog read_log(const std::filesystem::path& path) {
  RunLog log;
  log.torn_lines = read_jsonl(path, [&](const Json& line) { take_line(line, log); });
  std::stable_partition(log.scalars.begin(), log.scalars.end(),
                        [](const ScalarSeries& s) { return s.name != kLearningRate; });
  return log;
}

std::vector<Notice> read_notices(const std::filesystem::path& path) {
  std::vector<Notice> out;
  read_jsonl(path, [&](const Json& line) {
    const Json text = line.value("text", Json());
    if (!text.is_string()) return;
    const Notice notice{static_cast<std::int64_t>(number_or(line, "step", 0)),
                        line.value("level", Json()) != Json("notice"), text.get<std::string>()};
    const bool is_known =
        std::any_of(out.begin(), out.end(), [&](const Notice& n) { return n.text == notice.text; });
    if (!is_known) out.push_back(notice);
  });
  return out;
}

std::vector<Json> lines_of(const std::filesystem::path& path) {
  std::vector<Json> out;
  read_jsonl(path, [&](const Json& line) { out.push_back(line); });
  return out;
}

std::optional<GridLayout> read_layout(const std::filesystem::path& path) {
  std::error_code ec;
  if (!std::filesystem::exists(path, ec)) return std::nullopt;
  try {
    return GridLayout::from_json(read_json(path));
  } catch (const Json::exception& error) {
    fail("{}: {}; remove it, and the report shows the sample grids alone", path.string(), json_reason(error));
  }
}

}  // namespace

const ScalarSeries* RunLog::find(const std::string& name) const {
  for (const ScalarSeries& s : scalars)
    if (s.name == name) return &s;
  return nullptr;
}

Json RunRecord::last_told(const std::string& key) const {
  for (auto it = sessions.rbegin(); it != sessions.rend(); ++it)
    if (it->contains(key)) return it->at(key);
  return nullptr;
}

std::int64_t RunRecord::planned_steps() const {
  Json steps = last_told("steps");
  const Json began = last_told("from_step");
  const double session = began.is_number() ? began.get<double>() : 0;
  // A time budget changes the length on the way; what it did in an earlier session the newest has taken up.
  for (const Json& line : corrections)
    if (line.contains("steps") && number_or(line, "step", 0) >= session) steps = line.at("steps");
  return steps.is_number_integer() ? std::max(steps.get<std::int64_t>(), log.last_step) : 0;
}

bool RunRecord::is_loss(const std::string& scalar) const {
  const Json losses = last_told("losses");
  if (!losses.is_array()) return scalar != kLearningRate;
  return std::find(losses.begin(), losses.end(), Json(scalar)) != losses.end();
}

std::string RunRecord::domain(const std::string& key) const {
  const Json domains = last_told("domains");
  if (domains.is_object() && domains.contains(key) && domains.at(key).value("name", Json()).is_string())
    return domains.at(key).at("name");
  return upper(key);
}

RunRecord read_run(const std::filesystem::path& path) {
  RunRecord run{RunDirectory(path), folder_name(path), {}, {}, {}, {}, {}, {}};
  run.directory.require();
  run.config = read_json(run.directory.config());
  if (!run.config.is_object())
    fail("{}: is no configuration of a run: expected a JSON object", run.directory.config().string());
  run.log = read_log(run.directory.log());
  run.sessions = lines_of(run.directory.sessions());
  run.corrections = lines_of(run.directory.budget());
  run.notices = read_notices(run.directory.notices());
  run.samples = run.directory.list_samples();
  run.sample_layout = read_layout(run.directory.sample_layout());
  return run;
}

std::vector<RunRecord> read_runs(const std::vector<std::string>& paths) {
  std::vector<RunRecord> runs;
  for (const std::string& path : paths) {
    RunRecord run = read_run(path);
    std::error_code ec;
    for (const RunRecord& other : runs)
      if (std::filesystem::equivalent(run.directory.root(), other.directory.root(), ec))
        fail_usage("{} is given twice; give each run once", path);
    runs.push_back(std::move(run));
  }
  const auto count = [&](const std::string& name) {
    return std::count_if(runs.begin(), runs.end(), [&](const RunRecord& r) { return r.name == name; });
  };
  std::vector<std::size_t> alike;
  for (std::size_t i = 0; i < runs.size(); ++i)
    if (count(runs[i].name) > 1) alike.push_back(i);
  for (const std::size_t i : alike) runs[i].name = runs[i].directory.root().lexically_normal().string();
  return runs;
}

}  // namespace torsor
