#include "experiment/demo.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "core/error.h"
#include "core/parallel.h"
#include "infer/generator_runner.h"
#include "model/placement.h"
#include "train/run_set.h"
#include "train/session.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kExamples = 6;

// What the three trainings share: small images and narrow networks, so that two cores need minutes. Instance
// norm would take from each of these flat images the brightness and colour that are to be kept, so batch
// norm. A discriminator with patches of half the image sees outlines, which is what the domains differ in.
// With half of the usual cycle weight, its gradients on stripes and corners count after fewer steps.
// Transposed convolutions of so narrow a network leave a grid that hides stripes and outlines, hence
// interpolation; the weights averaged over some 200 steps do not depend on which step was the last.
Json settings_for(const std::string& task, const Json& more) {
  Json settings = {{"data", "generated:" + task},
                   {"load_size", 32},  // drawn at the size they are used in
                   {"crop_size", 32},
                   {"net_g", "resnet_3blocks"},
                   {"net_d", "n_layers"},
                   {"n_layers_d", 2},
                   {"norm", "batch"},
                   {"upsample", "blur"},
                   {"init_type", "kaiming"},
                   {"ngf", 16},
                   {"ndf", 32},
                   {"batch_size", 4},
                   {"lr", 1e-3},
                   {"ema", 0.995},
                   {"lambda_cycle_a", 5.0},
                   {"lambda_cycle_b", 5.0},
                   {"epoch_size", 200},
                   {"log_every", 10},
                   {"sample_every", 300},
                   {"checkpoint_every", 0}};
  settings.update(more);
  return settings;
}

// Without the identity term some runs shift the discs by two pixels and back again: nearly an automorphism
// too.
Json solid_striped() {
  return settings_for("solid-striped", {{"epochs", 16}, {"epochs_decay", 16}, {"lambda_identity", 1.0}});
}

Json without_identity() {
  return settings_for("circles-squares", {{"epochs", 23}, {"epochs_decay", 23}, {"lambda_identity", 0.0}});
}

// Squares that must pass unchanged also teach how to draw squares, so fewer steps do. lambda_identity is
// relative to the cycle weight.
Json with_identity() {
  return settings_for("circles-squares", {{"epochs", 19}, {"epochs_decay", 19}, {"lambda_identity", 2.0}});
}

std::vector<std::string> lesson_names() {
  std::vector<std::string> names = {"all"};
  for (const Lesson& lesson : demo_lessons()) names.push_back(lesson.name);
  return names;
}

DirectionResult score_direction(const Lesson& lesson, const DemoOptions& options, std::int64_t size,
                                const GeneratorRunner& there, const GeneratorRunner& back) {
  const std::string direction = there.loaded().direction.name();
  const Domain source = direction == "a_to_b" ? Domain::a : Domain::b;
  const Domain target = source == Domain::a ? Domain::b : Domain::a;
  DirectionResult result;
  result.direction = direction;
  std::vector<SceneScore> translated, returned;
  std::string note;
  for (std::int64_t i = 0; i < options.images; ++i) {
    const SceneTruth truth =
        generated_truth(lesson.task, source, Split::test, static_cast<std::uint64_t>(options.seed), i);
    DemoExample example;
    example.real = render_scene(lesson.task, source, truth, size);
    example.fake = there.translate(example.real, note);
    example.rec = back.translate(example.fake, note);
    translated.push_back(score_scene(lesson.task, target, truth, example.real, example.fake));
    returned.push_back(score_scene(lesson.task, source, truth, example.real, example.rec));
    if (result.examples.size() < kExamples) result.examples.push_back(std::move(example));
  }
  result.score = summarize(translated);
  result.cycle_hue_error = summarize(returned).hue_error;
  return result;
}

Json direction_json(const DirectionResult& d) {
  Json out = {{"direction", d.direction}, {"images", d.score.count}};
  out.update(summary_json(d.score));
  out["cycle_hue_error"] = d.cycle_hue_error ? Json(*d.cycle_hue_error) : Json(nullptr);
  return out;
}

Json losses_json(const LessonLosses& losses) {
  return {
      {"cycle", losses.cycle}, {"generators", losses.generators}, {"discriminators", losses.discriminators}};
}

}  // namespace

const std::vector<Lesson>& demo_lessons() {
  static const std::vector<Lesson> lessons = {
      {"solid-striped", "solid-striped", "Solid and striped discs", HueClaim::none, solid_striped()},
      {"circles-squares", "circles-squares", "Circles and squares", HueClaim::permuted, without_identity()},
      {"circles-squares-identity", "circles-squares", "Circles and squares, with the identity term",
       HueClaim::kept, with_identity()}};
  return lessons;
}

const Lesson& demo_lesson(const std::string& name) {
  for (const Lesson& lesson : demo_lessons())
    if (lesson.name == name) return lesson;
  throw std::logic_error("no lesson " + name);
}

Json background_lesson(const Lesson& lesson, const LessonTraining& training) {
  Json settings = lesson.settings;
  const auto number = [&](const char* key) { return settings.at(key).get<std::int64_t>(); };
  const std::int64_t epochs =
      std::max<std::int64_t>(1, training.steps * number("batch_size") / (2 * number("epoch_size")));
  settings.update({{"ngf", training.ngf},
                   {"ndf", training.ndf},
                   {"epochs", epochs},
                   {"epochs_decay", epochs},
                   {"steps", training.steps}});
  settings.update(background_settings(std::max<std::int64_t>(10, training.steps / 4)));
  return settings;
}

void DemoOptions::describe(OptionSet& o) {
  o.add("out", out, "folder for index.html, the pictures and the runs (required)");
  o.add("lesson", lesson, "one of them instead of all").choices(lesson_names());
  o.add("seed", seed, "the one seed of data, weights and sampling").at_least(0);
  o.add("steps", steps, "steps of each training; 0 = as many as it needs").at_least(0);
  o.add("images", images, "held-out images of each domain to score").range(1, 100000);
  o.add("threads", threads,
        "compute threads, shared out to the trainings, which take one each at the least; 1 = one training "
        "after the other, 0 = one thread a core")
      .range(0, 1024);
  o.add("overwrite", overwrite, "replace an earlier demonstration in that folder");
  placement.describe(o);
}

void DemoOptions::validate() const {
  if (out.empty()) fail_usage("--out is missing: name the folder to make");
  if (fs::exists(out) && !fs::is_directory(out)) fail_usage("--out {}: is a file; name a folder", out);
  if (!overwrite && fs::exists(fs::path(out) / "runs"))
    fail_usage(
        "--out {}: holds a demonstration already; add --overwrite to replace it, or name another folder",
        out);
}

bool LessonResult::translates() const {
  return std::all_of(directions.begin(), directions.end(),
                     [](const DirectionResult& d) { return d.score.pass >= kMinPassShare; });
}

bool LessonResult::hue_as_claimed() const {
  if (lesson.hue == HueClaim::none) return true;
  return std::all_of(directions.begin(), directions.end(), [this](const DirectionResult& d) {
    if (!d.score.hue_error || !d.cycle_hue_error) return false;
    const bool returns = *d.cycle_hue_error <= kMaxKeptHue, kept = *d.score.hue_error <= kMaxKeptHue;
    return returns && kept == (lesson.hue == HueClaim::kept);
  });
}

Json lesson_options(const Lesson& lesson, const DemoOptions& options) {
  Json all = lesson.settings;
  all["seed"] = options.seed;
  if (options.steps > 0) all["steps"] = options.steps;
  all["threads"] = plan_demo(options).threads;
  all.update(options_to_json(options.placement));
  return all;
}

namespace {

// Of the model file of a run, on held-out images.
std::vector<DirectionResult> score_lesson(const Lesson& lesson, const DemoOptions& options,
                                          const fs::path& model) {
  const Placement placement = resolve_placement(options.placement);
  const GeneratorRunner a_to_b = GeneratorRunner::open(model, {"a_to_b", NormStatistics::running, placement});
  const GeneratorRunner b_to_a = GeneratorRunner::open(model, {"b_to_a", NormStatistics::running, placement});
  const auto size = lesson.settings.at("crop_size").get<std::int64_t>();
  return {score_direction(lesson, options, size, a_to_b, b_to_a),
          score_direction(lesson, options, size, b_to_a, a_to_b)};
}

LessonResult run_lesson(const Lesson& lesson, const DemoOptions& options, std::shared_ptr<LogSink> log,
                        const StopFlag& stop, const ObserverFactory& observers) {
  TrainConfig config = config_from_json(lesson_options(lesson, options), "lesson " + lesson.name);
  const fs::path folder = fs::path(options.out) / "runs" / lesson.name;
  if (options.overwrite) fs::remove_all(folder);
  config.run.out = folder.string();
  use_threads(config.run.threads);

  TrainSession session(config, std::move(log));
  LessonResult result;
  result.lesson = lesson;
  const auto start = std::chrono::steady_clock::now();
  result.stopped = session.run(stop, observers(lesson, session.loader())) == EndReason::stopped;
  result.train_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.steps = session.state().step;
  if (result.stopped) return result;
  result.losses = lesson_losses(read_run(session.directory().root()));
  result.directions = score_lesson(lesson, options, session.directory().model());
  return result;
}

}  // namespace

std::vector<Lesson> chosen_lessons(const DemoOptions& options) {
  std::vector<Lesson> chosen;
  for (const Lesson& lesson : demo_lessons())
    if (options.lesson == "all" || options.lesson == lesson.name) chosen.push_back(lesson);
  return chosen;
}

std::int64_t lesson_steps(const Lesson& lesson, const DemoOptions& options) {
  const auto setting = [&](const char* name) { return lesson.settings.at(name).get<std::int64_t>(); };
  const std::int64_t scheduled =
      (setting("epochs") + setting("epochs_decay")) * (setting("epoch_size") / setting("batch_size"));
  return options.steps > 0 ? std::min(options.steps, scheduled) : scheduled;
}

DemoPlan plan_demo(const DemoOptions& options) {
  const std::int64_t cores = std::max<std::int64_t>(1, std::thread::hardware_concurrency());
  const std::int64_t threads = options.threads > 0 ? options.threads : cores;
  const std::int64_t jobs = threads > 1 ? std::ssize(chosen_lessons(options)) : 1;
  return {jobs, std::max<std::int64_t>(1, threads / jobs)};
}

std::vector<LessonResult> run_lessons(const DemoOptions& options, std::shared_ptr<LogSink> log,
                                      const StopFlag& stop, const ObserverFactory& observers) {
  resolve_placement({});  // before anything is replaced
  const std::vector<Lesson> lessons = chosen_lessons(options);
  std::vector<LessonResult> results(lessons.size());
  in_parallel(
      lessons.size(), stop,
      [&](std::size_t i) { results[i] = run_lesson(lessons[i], options, log, stop, observers); },
      static_cast<std::size_t>(plan_demo(options).jobs));
  std::erase_if(results,
                [](const LessonResult& r) { return r.lesson.name.empty(); });  // not begun when stopped
  return results;
}

Json demo_scores(const std::vector<LessonResult>& results, const DemoOptions& options) {
  Json lessons = Json::array();
  for (const LessonResult& r : results) {
    Json directions = Json::array();
    for (const DirectionResult& d : r.directions) directions.push_back(direction_json(d));
    lessons.push_back({{"name", r.lesson.name},
                       {"passed", r.passed()},
                       {"translates", r.translates()},
                       {"hue_as_claimed", r.hue_as_claimed()},
                       {"steps", r.steps},
                       {"train_seconds", r.train_seconds},
                       {"losses", losses_json(r.losses)},
                       {"directions", directions}});
  }
  return {{"seed", options.seed}, {"lessons", lessons}};
}

}  // namespace torsor
