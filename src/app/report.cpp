// torsor report, torsor plot
#include <iostream>

#include "app/commands.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "image/codec.h"
#include "runs/run_charts.h"
#include "runs/run_report.h"

namespace torsor::app {

namespace {

struct ReportSettings {
  std::string out;

  void describe(OptionSet& o) {
    o.add("out", out, "the page to write; needed for several runs [report.html in the run]");
  }
};

struct PlotSettings {
  std::string out;
  PlotOptions plot;

  void describe(OptionSet& o) {
    o.add("out", out, "file to write, .svg or .png; needed for several runs [losses.svg in the run]");
    plot.describe(o);
  }
};

// A single run has room for what is made of it.
fs::path destination(const std::string& out, const std::vector<RunRecord>& runs, const std::string& name) {
  if (!out.empty()) return out;
  if (runs.size() > 1) fail_usage("--out is missing: name the file that shows these {} runs", runs.size());
  return runs.front().directory.root() / name;
}

void say_written(const fs::path& path) {
  std::cout << fs::absolute(path).lexically_normal().string() << '\n';
}

int report(const std::vector<std::string>& paths) {
  const std::string& out = Bound<ReportSettings>::instance().settings.out;
  const std::string extension = lower(fs::path(out).extension().string());
  if (!out.empty() && extension != ".html" && extension != ".htm")
    fail_usage("--out {}: a report is a page; give a name that ends in .html", out);
  const std::vector<RunRecord> runs = read_runs(paths);
  const fs::path path = destination(out, runs, "report.html");
  run_report(runs).save(path);
  say_written(path);
  return 0;
}

int plot(const std::vector<std::string>& paths) {
  const PlotSettings& settings = Bound<PlotSettings>::instance().settings;
  const std::string extension = lower(fs::path(settings.out).extension().string());
  if (!settings.out.empty() && extension != ".svg" && extension != ".png")
    fail_usage("--out {}: a plot is written as .svg or .png; give one of these endings", settings.out);
  const std::vector<RunRecord> runs = read_runs(paths);
  const fs::path path = destination(settings.out, runs, "losses.svg");
  const Drawing drawing = plot_runs(runs, settings.plot);
  if (extension == ".png")
    write_image(path, drawing.image);
  else
    write_file_atomically(path, drawing.sheet.svg);
  say_written(path);
  return 0;
}

std::vector<Positional> runs_positional() {
  return {{"RUN", "run directory; several are compared", Need::several}};
}

}  // namespace

Command report_command() {
  return {"report",
          "Make one page of a run: pictures, losses, settings; or of several, compared",
          runs_positional(),
          &Bound<ReportSettings>::instance().options,
          report,
          {"torsor report runs/zebras", "torsor report runs/zebras runs/zebras-lsgan --out compared.html"}};
}

Command plot_command() {
  return {
      "plot",
      "Draw the losses and metrics of runs",
      runs_positional(),
      &Bound<PlotSettings>::instance().options,
      plot,
      {"torsor plot runs/zebras", "torsor plot runs/zebras runs/zebras-lsgan --out losses.png",
       "torsor plot runs/zebras runs/zebras-lsgan --layout beside --scalars 'cycle_*,g_*' --out steady.svg"}};
}

}  // namespace torsor::app
