// torsor evaluate
#include <iostream>

#include "app/command_text.h"
#include "app/commands.h"
#include "app/image_size.h"
#include "app/progress.h"
#include "app/result_folder.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "evaluate/comparison.h"
#include "evaluate/evaluation_page.h"
#include "evaluate/model_evaluation.h"

namespace torsor::app {

namespace fs = std::filesystem;

namespace {

struct EvaluateSettings {
  bool compare = false;
  std::string a, b, real, fake, inputs, mask, out, resize, cache;
  EvaluateOptions evaluate;
  std::string direction;
  std::string bit_depth = "auto";
  std::string norm_stats = "running";
  std::int64_t batch_size = 1;
  PlacementOptions placement;
  WeightChoice choice;
  std::int64_t threads = 0;
  bool overwrite = false;
  bool json = false;
  ProgressOptions progress;

  void describe(OptionSet& o);
  void describe_model(OptionSet& o);
  void validate(const std::vector<std::string>& positionals) const;
};

void EvaluateSettings::describe(OptionSet& o) {
  o.add("a", a, "of a model: folder of images of domain A").common();
  o.add("b", b, "of a model: folder of images of domain B").common();
  o.add("real", real, "without a model: folder of real images").common();
  o.add("fake", fake, "without a model: folder of images that are scored against the real ones").common();
  o.add("inputs", inputs, "without a model: folder of what the fake images were made of, to score copying");
  o.add("mask", mask,
        "folder of masks with the names of the real images (of a model: of A's); pairs are compared where a "
        "mask is not 0");
  o.add("out", out, "folder for evaluation.json, images.csv and index.html").common();
  o.add("compare", compare, "compare two files evaluation.json: torsor evaluate --compare OLD NEW").common();
  evaluate.describe(o);
  o.add("resize", resize, "translate and compare at this size: SIDE or WIDTHxHEIGHT [the images' own]")
      .common();
  o.add("features_cache", cache, "folder that keeps features from one evaluation to the next [OUT/features]");
  o.add("overwrite", overwrite, "replace an evaluation in the folder of --out");
  o.add("threads", threads, "compute threads; 0 = all processors that it may use").range(0, 1024);
  placement.describe(o);
  describe_model(o);
  progress.describe(o);
  o.add("json", json, "print what evaluation.json holds; progress goes to standard error").common();
}

void EvaluateSettings::describe_model(OptionSet& o) {
  o.group("Translation");
  add_direction(o, direction, "score a_to_b or b_to_a alone [both, where the model has them]");
  add_bit_depth(o, bit_depth);
  add_norm_stats(o, norm_stats);
  o.add("batch_size", batch_size, "images of equal size translated together").range(1, 1024);
  choice.describe(o);
}

// The three forms of the command.
void EvaluateSettings::validate(const std::vector<std::string>& positionals) const {
  progress.validate();
  const bool folders = !real.empty() || !fake.empty(), model = !positionals[0].empty();
  if (json) progress.leave_output_to_json();
  if (compare) {
    if (positionals[1].empty())
      fail_usage("--compare: two files are needed: torsor evaluate --compare OLD.json NEW.json");
    return;
  }
  if (!positionals[1].empty())
    fail_usage("{}: one model is evaluated at a time; to compare two evaluations give --compare",
               positionals[1]);
  if (model && folders)
    fail_usage("MODEL and --real/--fake exclude each other: give a model with --a and --b, or two folders");
  if (!model && (!a.empty() || !b.empty()))
    fail_usage("--a and --b go with a model: torsor evaluate MODEL --a DIR --b DIR --out DIR");
  if (!model && (real.empty() || fake.empty()))
    fail_usage("{} is missing: give MODEL with --a and --b, or --real DIR and --fake DIR",
               folders ? (real.empty() ? "--real" : "--fake") : "MODEL");
  if (model && (a.empty() || b.empty()))
    fail_usage("{} is missing: translations of one domain are scored against images of the other",
               a.empty() ? "--a" : "--b");
  if (model && !inputs.empty()) fail_usage("--inputs: a model's inputs are those of --a and --b");
  if (model && out.empty()) fail_usage("--out is missing: name a folder for the translations and the result");
}

int compare(const std::vector<std::string>& files, bool json) {
  const Comparison done = compare_evaluations(read_json(files[0]), files[0], read_json(files[1]), files[1]);
  if (json) {
    std::cout << comparison_json(done).dump(2) << "\n";
    return 0;
  }
  for (const MetricChange& change : done.changes) std::cout << change_text(change) << "\n";
  for (const std::string& note : done.notes) std::cout << "note: " << note << "\n";
  return 0;
}

void require_free(const EvaluateSettings& s) {
  if (s.out.empty()) return;
  require_free_result(s.out, evaluation_files(s.out).json, s.overwrite ? Earlier::replace : Earlier::keep);
}

fs::path cache_folder(const EvaluateSettings& s) {
  if (!s.cache.empty() || s.out.empty()) return s.cache;
  return fs::path(s.out) / "features";
}

Evaluation evaluated(const EvaluateSettings& s, const std::string& model,
                     const std::shared_ptr<LogSink>& log) {
  const Placement placement = resolve_placement(s.placement);
  SetScoring scoring(s.evaluate, placement.device, cache_folder(s), log, stop_flag());
  const std::optional<Size> resize =
      s.resize.empty() ? std::nullopt : std::optional(parse_size(s.resize, "--resize"));
  if (model.empty()) return evaluate_folders({s.real, s.fake, s.inputs, s.mask, resize}, scoring, *log);
  const RunnerOptions runner{s.direction, norm_statistics_of(s.norm_stats), placement, s.choice};
  return evaluate_model(
      {model, s.a, s.b, s.mask, s.out, resize, bit_depth_named(s.bit_depth), s.batch_size, runner}, scoring,
      log, stop_flag());
}

void say_scores(const EvaluatedSets& part, ProgressDisplay& display) {
  if (!part.direction.empty()) display.say(part.direction + ":");
  for (const std::string& name : part.scores.order) {
    std::string line = fmt::format("  {:<16} {}", name, result_text(part.scores.metrics.at(name)));
    if (const auto copied = part.scores.copying.find(name); copied != part.scores.copying.end())
      line += fmt::format("; copying the inputs: {}", result_text(copied->second));
    display.say(line);
  }
}

void say_end(const Evaluation& done, const EvaluateSettings& s, const std::string& command,
             ProgressDisplay& display) {
  display.close();
  for (const std::string& line : done.warnings) display.say_aside("warning: " + line);
  for (const EvaluatedSets& part : done.parts) say_scores(part, display);
  const Json result = evaluation_json(done);
  Json event = {{"event", "end"}, {"evaluation", result}};
  if (!s.out.empty()) {
    const EvaluationFiles files = write_evaluation(done, result, command, s.out);
    event["page"] = files.page.string();
    display.say(fmt::format("written to {}: evaluation.json, images.csv and the page index.html", s.out));
  }
  display.report(event);
  if (s.json) std::cout << result.dump(2) << "\n";
}

int evaluate(const std::vector<std::string>& positionals) {
  const auto& bound = Bound<EvaluateSettings>::instance();
  const EvaluateSettings& s = bound.settings;
  s.validate(positionals);
  if (s.compare) return compare(positionals, s.json);
  require_free(s);
  use_threads(s.threads);
  const auto display =
      std::make_shared<ProgressDisplay>(s.progress.audience(), s.json ? Stream::error : Stream::output);
  display->report({{"event", "start"}, {"model", positionals[0]}, {"out", s.out}});
  try {
    const Evaluation done = evaluated(s, positionals[0], std::make_shared<PartsLog>(display));
    say_end(done, s,
            command_text("evaluate", positionals, bound.options, {"quiet", "json_progress", "json"}, ""),
            *display);
    return 0;
  } catch (const StoppedError&) {
    display->close();
    display->say_aside(s.out.empty() ? "stopped: nothing is written"
                                     : "stopped: translations and features so far are kept in " + s.out +
                                           "; the same command goes on");
    return 128 + stop_flag().signal();
  }
}

}  // namespace

Command evaluate_command() {
  return {
      "evaluate",
      "Score a model's translations, or one folder of images against another",
      {{"MODEL",
        "run directory or any other weights that translate takes; with --compare the older evaluation.json",
        Need::optional},
       {"NEW", "with --compare: the newer evaluation.json", Need::optional}},
      &Bound<EvaluateSettings>::instance().options,
      evaluate,
      {"torsor evaluate runs/zebras --a photos/testA --b photos/testB --out evaluation",
       "torsor evaluate --real photos/zebras --fake translated --metrics kid,fid --out evaluation",
       "torsor evaluate --compare before/evaluation.json after/evaluation.json"}};
}

}  // namespace torsor::app
