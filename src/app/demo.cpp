// torsor demo
#include <iostream>

#include "app/commands.h"
#include "app/progress.h"
#include "experiment/demo_page.h"

namespace torsor::app {

namespace {

ObserverFactory progress(const DemoOptions& options) {
  const bool alone = plan_demo(options).jobs == 1;
  return [alone](const Lesson& lesson, const Loader& loader) {
    std::vector<std::unique_ptr<Observer>> observers;
    observers.push_back(alone ? std::make_unique<Progress>(std::cout, loader)
                              : std::make_unique<Progress>(std::cout, loader, lesson.name));
    return observers;
  };
}

int demo(const std::vector<std::string>&) {
  const DemoOptions& options = Bound<DemoOptions>::instance().settings;
  options.validate();
  const DemoPlan plan = plan_demo(options);
  std::cout << fmt::format("training, {} at a time, threads for each: {}\n", plan.jobs, plan.threads)
            << std::flush;
  const auto results = run_lessons(options, std::make_shared<ConsoleLog>(), stop_flag(), progress(options));
  std::cout << '\n';
  for (const LessonResult& result : results) std::cout << describe(result) << '\n';
  if (stop_flag().requested()) return 128 + stop_flag().signal();
  std::cout << "written:\n";
  for (const auto& path : write_demo(results, options)) std::cout << "  " << path.string() << '\n';
  std::cout << "open " << (std::filesystem::absolute(options.out) / "index.html").string()
            << " in a browser\n";
  return 0;
}

}  // namespace

Command demo_command() {
  return {"demo",
          "Train on generated images and show what was learnt",
          {},
          &Bound<DemoOptions>::instance().options,
          demo};
}

}  // namespace torsor::app
