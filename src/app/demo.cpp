// torsor demo
#include <map>
#include <mutex>

#include "app/commands.h"
#include "app/progress.h"
#include "core/text.h"
#include "experiment/demo_page.h"

namespace torsor::app {

namespace {

constexpr double kLineSeconds = 30;  // the demonstration's minutes fit a screen

struct DemoSettings {
  DemoOptions demo;
  ProgressOptions progress;

  void describe(OptionSet& o) {
    demo.describe(o);
    progress.describe(o);
  }
};

// The trainings of all lessons, which run at the same time, as one piece of work.
class LessonsProgress {
 public:
  LessonsProgress(std::shared_ptr<ProgressDisplay> display, const DemoOptions& options)
      : display_(std::move(display)) {
    for (const Lesson& lesson : chosen_lessons(options)) {
      names_.push_back(lesson.name);
      done_[lesson.name] = 0;
      total_[lesson.name] = lesson_steps(lesson, options);
    }
  }

  void note(const std::string& lesson, std::int64_t step) {
    const std::lock_guard lock(mutex_);
    done_[lesson] = step;
    const bool last = step == total_.at(lesson);
    if (last || display_->is_due())
      display_->update(state(), last ? ProgressDisplay::When::now : ProgressDisplay::When::if_due);
  }

 private:
  ProgressState state() const {
    ProgressState out;
    Json lessons = Json::object();
    for (const std::string& name : names_) {
      out.done += done_.at(name);
      out.total += total_.at(name);
      lessons[name] = {{"done", done_.at(name)}, {"total", total_.at(name)}};
    }
    out.parts = {fmt::format("step {}/{}", out.done, out.total),
                 fmt::format("left {}", human_duration(display_->left(out)))};
    for (const std::string& name : names_)
      out.parts.push_back(fmt::format("{} {} %", name, 100 * done_.at(name) / total_.at(name)));
    out.more = {{"lessons", lessons}};
    return out;
  }

  std::shared_ptr<ProgressDisplay> display_;
  std::mutex mutex_;
  std::vector<std::string> names_;
  std::map<std::string, std::int64_t> done_, total_;
};

class LessonObserver : public Observer {
 public:
  LessonObserver(std::shared_ptr<LessonsProgress> progress, std::string lesson)
      : progress_(std::move(progress)), lesson_(std::move(lesson)) {}
  std::string name() const override { return "lesson"; }
  void after_step(TrainState& state, const StepScalars&) override { progress_->note(lesson_, state.step); }

 private:
  std::shared_ptr<LessonsProgress> progress_;
  std::string lesson_;
};

ObserverFactory observed_by(std::shared_ptr<LessonsProgress> progress) {
  return [progress = std::move(progress)](const Lesson& lesson, const Loader&) {
    std::vector<std::unique_ptr<Observer>> observers;
    observers.push_back(std::make_unique<LessonObserver>(progress, lesson.name));
    return observers;
  };
}

int demo(const std::vector<std::string>&) {
  const DemoSettings& settings = Bound<DemoSettings>::instance().settings;
  const DemoOptions& options = settings.demo;
  settings.progress.validate();
  options.validate();
  const auto display =
      std::make_shared<ProgressDisplay>(settings.progress.audience(), Stream::output, kLineSeconds);
  const DemoPlan plan = plan_demo(options);
  display->say(fmt::format("training, {} at a time, threads for each: {}", plan.jobs, plan.threads));
  const auto results = run_lessons(options, std::make_shared<ConsoleLog>(display), stop_flag(),
                                   observed_by(std::make_shared<LessonsProgress>(display, options)));
  display->close();
  for (const LessonResult& result : results) display->say(describe(result));
  if (stop_flag().requested()) return 128 + stop_flag().signal();
  const auto written = write_demo(results, options);
  const std::string page = (std::filesystem::absolute(options.out) / "index.html").string();
  display->report({{"event", "end"}, {"page", page}, {"scores", demo_scores(results, options)}});
  display->say(
      fmt::format("{} files are written to {}\nopen {} in a browser", written.size(), options.out, page));
  return 0;
}

}  // namespace

Command demo_command() {
  return {"demo", "Train on generated images and show what was learnt",
          {},     &Bound<DemoSettings>::instance().options,
          demo,   {"torsor demo --out demo"}};
}

}  // namespace torsor::app
