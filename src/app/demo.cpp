// torsor demo
#include <iostream>

#include "app/commands.h"
#include "app/progress.h"
#include "experiment/demo_page.h"

namespace torsor::app {

namespace {

struct DemoProgram {
  DemoOptions demo;
  OptionSet options;
};

DemoProgram& program() {
  static DemoProgram p;  // the flags are bound to it
  return p;
}

std::vector<std::unique_ptr<Observer>> progress_on(const Loader& loader) {
  std::vector<std::unique_ptr<Observer>> observers;
  observers.push_back(std::make_unique<Progress>(std::cout, loader));
  return observers;
}

int demo(const std::vector<std::string>&) {
  const DemoOptions& options = program().demo;
  options.validate();
  std::vector<LessonResult> results;
  for (const Lesson& lesson : demo_lessons()) {
    if (options.lesson != "all" && options.lesson != lesson.name) continue;
    std::cout << "training: " << lesson.title << std::endl;
    results.push_back(run_lesson(lesson, options, std::make_shared<ConsoleLog>(), stop_flag(), progress_on));
    std::cout << describe(results.back()) << '\n' << std::endl;
    if (results.back().stopped) return 128 + stop_flag().signal();
  }
  for (const LessonResult& result : results) std::cout << describe(result) << '\n';
  std::cout << "written:\n";
  for (const auto& path : write_demo(results, options)) std::cout << "  " << path.string() << '\n';
  std::cout << "open " << std::filesystem::absolute(options.out) / "index.html" << " in a browser\n";
  return 0;
}

}  // namespace

Command demo_command() {
  program().demo.describe(program().options);
  return {"demo", "Train on generated images and show what was learnt", {}, &program().options, demo};
}

}  // namespace torsor::app
