// The demonstration: three short trainings on generated images whose right answers are known, scored on
// images that were held out. What each shows is stated before it is trained.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/log.h"
#include "core/options.h"
#include "experiment/lesson_losses.h"
#include "metric/scene_score.h"
#include "model/placement.h"
#include "train/trainer.h"

namespace torsor {

struct DemoOptions {
  std::string out;             // folder for the page, the pictures and the runs
  std::string lesson = "all";  // which of them
  std::int64_t seed = 0;       // of data, weights and sampling
  std::int64_t steps = 0;      // of each training; 0 = as many as the lesson says
  std::int64_t images = 100;   // held-out images of each domain to score
  std::int64_t threads = 0;    // compute threads in all; 0 = one a core
  bool overwrite = false;      // replace an earlier demonstration in `out`
  PlacementOptions placement;

  void describe(OptionSet& o);
  /// Throws UsageError.
  void validate() const;
};

/// What becomes of the hue, which the adversarial and cycle losses of circles-squares cannot see.
enum class HueClaim {
  none,      // not looked at
  permuted,  // translations have other hues, the cycle brings the inputs' back (S1: an automorphism of the
             // data)
  kept       // translations keep the hue
};

struct Lesson {
  std::string name;   // of its run and pictures
  std::string task;   // of the generated images
  std::string title;  // for people
  HueClaim hue = HueClaim::none;
  Json settings;  // options of torsor train, other than its defaults
};

/// In the order of the page.
const std::vector<Lesson>& demo_lessons();
/// Throws std::logic_error for an unknown name.
const Lesson& demo_lesson(const std::string& name);

/// A lesson's training as one of several in the background of another experiment.
struct LessonTraining {
  std::int64_t steps = 0;  // half at the full learning rate, half while it falls
  std::int64_t ngf = 0, ndf = 0;
};
/// Its options of torsor train.
Json background_lesson(const Lesson& lesson, const LessonTraining& training);

/// The share of images that must pass for a direction to count as learnt.
inline constexpr double kMinPassShare = 0.9;
/// Mean hue error in degrees up to which hues count as kept, above which as permuted: kept ones come out at
/// 10 or less, and a rotation or reflection of the hue circle, drawn at random, is nearer in one case of
/// eighteen.
inline constexpr double kMaxKeptHue = 20;

/// One held-out image, there and back.
struct DemoExample {
  Image real, fake, rec;
};

struct DirectionResult {
  std::string direction;
  SceneSummary score;                     // of the translations
  std::optional<double> cycle_hue_error;  // degrees, of the images brought back by the other direction
  std::vector<DemoExample> examples;      // the first few
};

struct LessonResult {
  Lesson lesson;
  std::int64_t steps = 0;
  double train_seconds = 0;
  bool stopped = false;  // by a signal: nothing was scored
  LessonLosses losses;
  std::vector<DirectionResult> directions;

  /// The shapes, positions and backgrounds are right in both directions.
  bool translates() const;
  /// What the lesson says of the hue came out.
  bool hue_as_claimed() const;
  bool passed() const { return !stopped && translates() && hue_as_claimed(); }
};

/// How many trainings run at a time, and the compute threads of each. Networks as small as these gain
/// little from a second thread, so all trainings share the cores, however few, and end at about the same
/// time; one thread alone takes them one after the other.
struct DemoPlan {
  std::int64_t jobs = 1, threads = 1;
};
DemoPlan plan_demo(const DemoOptions& options);

/// Those that the options name, in the order of the page.
std::vector<Lesson> chosen_lessons(const DemoOptions& options);

/// How many steps the lesson's training will take.
std::int64_t lesson_steps(const Lesson& lesson, const DemoOptions& options);

/// The options of `torsor train` that repeat the lesson's training, run directory excepted.
Json lesson_options(const Lesson& lesson, const DemoOptions& options);

using ObserverFactory = std::function<std::vector<std::unique_ptr<Observer>>(const Lesson&, const Loader&)>;

/// Trains the chosen lessons in out/runs/NAME, as many at a time as planned, and scores each; `observers` is
/// called from their threads. Throws what the first failing one throws, when those under way have ended.
std::vector<LessonResult> run_lessons(const DemoOptions& options, std::shared_ptr<LogSink> log,
                                      const StopFlag& stop, const ObserverFactory& observers);

/// Scores as JSON: {"seed", "lessons": [{"name", "passed", "translates", "hue_as_claimed", "steps",
/// "train_seconds", "losses": {"cycle", "generators", "discriminators"}, "directions": [...]}]}.
Json demo_scores(const std::vector<LessonResult>& results, const DemoOptions& options);

}  // namespace torsor
