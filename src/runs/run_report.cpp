#include "runs/run_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "core/time.h"
#include "report/chart_view.h"
#include "runs/run_charts.h"
#include "runs/run_pictures.h"
#include "runs/run_settings.h"

namespace torsor {

namespace {

constexpr std::int64_t kGridBytes = 6 << 20;  // of all sample grids of a page
constexpr std::size_t kMostPairs = 6, kMostNotices = 12;

using Runs = std::vector<RunRecord>;

std::string counted(std::int64_t count, const std::string& what) {
  return fmt::format("{} {}{}", with_thousands(count), what, count == 1 ? "" : "s");
}

std::string steps_text(const RunRecord& run) {
  const std::int64_t planned = run.planned_steps();
  if (planned == 0) return counted(run.log.last_step, "step");
  return fmt::format("{} of {}", with_thousands(run.log.last_step), counted(planned, "step"));
}

std::string model_of(const RunRecord& run) {
  return setting_text(run.config.value("model", Json("cyclegan")));
}

std::string lead_of(const RunRecord& run) {
  if (run.log.last_step == 0)
    return fmt::format("{} between {} and {}: nothing is logged yet", model_of(run), run.domain("a"),
                       run.domain("b"));
  return fmt::format("{} between {} and {}: {} in {}", model_of(run), run.domain("a"), run.domain("b"),
                     steps_text(run), human_duration(run.log.seconds));
}

std::string names_of(const Runs& runs) {
  std::vector<std::string> names;
  for (const RunRecord& run : runs) names.push_back(run.name);
  return join(names);
}

HtmlPage opened_page(const Runs& runs) {
  const std::string details = "written " + utc_now();
  if (runs.size() == 1) return HtmlPage("Training run " + runs.front().name, lead_of(runs.front()), details);
  return HtmlPage(fmt::format("{} training runs compared", runs.size()), names_of(runs), details);
}

std::string whose(const RunRecord& run, const Runs& runs) { return runs.size() == 1 ? "" : run.name + ": "; }

void add_warnings(const Runs& runs, HtmlPage& page) {
  std::size_t shown = 0, further = 0;
  const auto warn = [&](const std::string& title, const std::string& text) {
    if (shown++ < kMostNotices)
      page.callout(Callout::warning, title, text);
    else
      ++further;
  };
  for (const RunRecord& run : runs) {
    for (const Notice& notice : run.notices)
      if (notice.is_warning)
        warn(whose(run, runs) +
                 (notice.step == 0 ? "before the first step" : "at step " + with_thousands(notice.step)),
             notice.text);
    if (!run.log.scalars.empty())
      for (const std::string& gap : gaps({run}, {})) warn("not finite", gap);
  }
  if (further > 0) page.paragraph(counted(static_cast<std::int64_t>(further), "further warning") + ".");
}

void add_pairs(const RunRecord& run, HtmlPage& page) {
  page.heading("Before and after");
  const RunPairs found = run_pairs(run, kMostPairs);
  if (!found.missing.empty()) return page.paragraph(found.missing);
  page.paragraph(found.source + " Where the difference is black nothing was changed.");
  for (const TranslatedPairs& d : found.directions) {
    page.subheading(d.direction);
    page.insert(comparisons_html(d.pairs, {"input", "translation", "difference"}, ""));
  }
}

std::string slides_words(const SampleSlides& found) {
  std::string text;
  if (found.slides.size() + found.unreadable.size() < found.there_are)
    text += fmt::format(" {} of the {} grids, so that this page stays small; samples/ holds all.",
                        found.slides.size(), with_thousands(static_cast<std::int64_t>(found.there_are)));
  if (found.shrunk > 1)
    text += fmt::format(" Sides are a {} of those in samples/.",
                        found.shrunk == 2 ? "half" : fmt::format("1/{}", found.shrunk));
  return text;
}

void add_samples(const RunRecord& run, std::size_t runs, HtmlPage& page) {
  page.heading("During the training");
  const SampleSlides found = sample_slides(run, kGridBytes / static_cast<std::int64_t>(runs));
  for (const std::string& what : found.unreadable) page.callout(Callout::note, "left out", what);
  if (found.slides.empty()) return page.paragraph("This run has no sample grids yet.");
  page.insert(slides_html(found.slides, grid_words(run) + slides_words(found)));
}

void add_charts(const Runs& runs, const std::string& heading, const std::vector<std::string>& scalars,
                HtmlPage& page) {
  if (scalars.empty()) return;
  PlotOptions options;
  options.scalars = join(scalars, ",");
  page.heading(heading);
  std::string html;
  for (const LineChart& chart : run_charts(runs, options).charts) html += chart_html(chart, "step");
  page.insert("<div class=\"charts\">\n" + html + "</div>\n");
}

void add_numbers(const Runs& runs, HtmlPage& page) {
  std::vector<std::string> losses, metrics;
  bool any = false;
  for (const RunRecord& run : runs) any = any || !run.log.scalars.empty();
  if (!any) {
    page.heading("Losses");
    return page.paragraph("Nothing is logged yet.");
  }
  for (const std::string& name : chosen_scalars(runs, {})) {
    const bool is_loss =
        std::any_of(runs.begin(), runs.end(), [&](const RunRecord& r) { return r.is_loss(name); });
    (is_loss ? losses : metrics).push_back(name);
  }
  add_charts(runs, "Metrics", metrics, page);
  add_charts(runs, "Losses", losses, page);
  page.paragraph(
      "Lines are moving averages over a twentieth of the run, faint behind them the logged values; where few "
      "are logged, the values themselves. That the losses of generator and discriminator stay level is "
      "healthy: they compete. docs/training.md says what each name means.");
  if (std::any_of(runs.begin(), runs.end(), [](const RunRecord& r) { return r.log.find("lr") != nullptr; }))
    add_charts(runs, "Learning rate", {"lr"}, page);
}

// The mean of the finite values in the last twentieth of the steps; of few values the last.
std::string last_value(const ScalarSeries* s) {
  if (s == nullptr || s->size() == 0) return "";
  const double value = moving_average(*s, 2 * default_span(*s)).values.back();
  return std::isfinite(value) ? fmt::format("{:.4g}", value) : "not finite";
}

void add_last_values(const Runs& runs, HtmlPage& page) {
  Table table{{""},
              {},
              "At the end: means over the last twentieth of each run, of scalars with few values the last."};
  for (const RunRecord& run : runs) table.header.push_back(run.name);
  std::vector<std::string> steps{"steps"}, time{"time"};
  for (const RunRecord& run : runs) {
    steps.push_back(with_thousands(run.log.last_step));
    time.push_back(human_duration(run.log.seconds));
  }
  table.rows = {steps, time};
  bool any = false;
  for (const RunRecord& run : runs) any = any || !run.log.scalars.empty();
  if (any)
    for (const std::string& name : chosen_scalars(runs, {})) {
      std::vector<std::string> row{name};
      for (const RunRecord& run : runs) row.push_back(last_value(run.log.find(name)));
      table.rows.push_back(row);
    }
  page.table(table);
}

std::string environment_text(const RunRecord& run) {
  const Json environment = run.last_told("environment");
  std::vector<std::string> parts;
  if (environment.is_object())
    for (const char* key : {"cpu", "threads", "device", "torsor", "libtorch"})
      if (environment.contains(key)) {
        const std::string text = setting_text(environment.at(key));
        parts.push_back(key == std::string("threads")    ? text + " threads"
                        : key == std::string("torsor")   ? "torsor " + text
                        : key == std::string("libtorch") ? "libtorch " + text
                                                         : text);
      }
  return join(parts);
}

void add_timing(const RunRecord& run, HtmlPage& page) {
  page.heading("Timing");
  Table table{{"", ""}, {}, ""};
  const auto add = [&](const std::string& what, const std::string& value) {
    if (!value.empty()) table.rows.push_back({what, value});
  };
  const RunLog& log = run.log;
  if (!run.sessions.empty()) add("started", run.sessions.front().value("started", ""));
  add("steps", steps_text(run));
  if (log.last_epoch > 0) add("epoch", with_thousands(log.last_epoch));
  add("training time", human_duration(log.seconds));
  if (log.last_step > 0)
    add("time a step", fmt::format("{:.3g} s", log.seconds / static_cast<double>(log.last_step)));
  add("waiting for images", fmt::format("{:.0f} % of the time", 100 * log.data_wait));
  if (run.sessions.size() > 1)
    add("resumed", counted(static_cast<std::int64_t>(run.sessions.size()) - 1, "time"));
  add("machine", environment_text(run));
  page.table(table);
  if (log.torn_lines > 0)
    page.paragraph(
        fmt::format("{} of log.jsonl could not be read, as the last one of a run that is being written.",
                    counted(log.torn_lines, "line")));
}

// What a resumed run changed on the way; its configuration is that of the last session.
std::vector<std::string> changes_of(const RunRecord& run) {
  std::vector<std::string> out;
  for (const Json& session : run.sessions) {
    const Json changes = session.value("changes", Json::object());
    for (const auto& [name, change] : changes.items())
      out.push_back(fmt::format(
          "{}: {} until step {}, then {}", name, setting_text(change.value("then", Json())),
          setting_text(session.value("from_step", Json())), setting_text(change.value("now", Json()))));
  }
  return out;
}

void add_settings(const RunRecord& run, HtmlPage& page) {
  page.heading("Settings that differ from the default");
  Table table{{"setting", "value", "default"}, {}, ""};
  for (const ChangedSetting& s : changed_settings(run.config))
    table.rows.push_back(
        {s.name, setting_text(s.value), s.is_known ? setting_text(s.standard) : "unknown to this torsor"});
  page.table(table);
  const std::vector<std::string> changes = changes_of(run);
  if (changes.empty()) return;
  page.paragraph("Changed when the run was resumed:");
  page.list(changes);
}

void add_compared_settings(const Runs& runs, HtmlPage& page) {
  page.heading("Settings in which they differ");
  std::vector<Json> configs;
  Table table{{"setting"}, {}, ""};
  for (const RunRecord& run : runs) {
    configs.push_back(run.config);
    table.header.push_back(run.name);
  }
  for (const ComparedSetting& s : differing_settings(configs)) {
    std::vector<std::string> row{s.name};
    for (const Json& value : s.values) row.push_back(setting_text(value));
    table.rows.push_back(row);
  }
  if (table.rows.empty()) return page.paragraph("None: only their directories differ.");
  page.table(table);
}

void add_commands(const Runs& runs, HtmlPage& page) {
  page.heading(runs.size() == 1 ? "To train it again" : "To train them again");
  for (const RunRecord& run : runs) {
    if (runs.size() > 1) page.paragraph(run.name + ":");
    page.command(train_command(run.config, run.directory.root().string() + "-again"));
  }
}

void add_notices(const RunRecord& run, HtmlPage& page) {
  std::vector<std::string> lines;
  for (const Notice& notice : run.notices)
    if (!notice.is_warning) lines.push_back(notice.text);
  if (lines.empty()) return;
  page.heading("What else was said");
  const std::size_t further = lines.size() > kMostNotices ? lines.size() - kMostNotices : 0;
  lines.resize(lines.size() - further);
  if (further > 0) lines.push_back(fmt::format("and {} more in notices.jsonl", further));
  page.list(lines);
}

}  // namespace

HtmlPage run_report(const Runs& runs) {
  HtmlPage page = opened_page(runs);
  add_warnings(runs, page);
  if (runs.size() == 1) {
    const RunRecord& run = runs.front();
    add_pairs(run, page);
    add_samples(run, 1, page);
    add_numbers(runs, page);
    add_timing(run, page);
    add_settings(run, page);
    add_commands(runs, page);
    add_notices(run, page);
    return page;
  }
  add_last_values(runs, page);
  add_compared_settings(runs, page);
  add_numbers(runs, page);
  for (const RunRecord& run : runs) {
    page.heading(run.name);
    page.paragraph(lead_of(run));
    add_pairs(run, page);
    add_samples(run, runs.size(), page);
  }
  add_commands(runs, page);
  return page;
}

void write_run_report(const RunDirectory& run) { run_report({read_run(run.root())}).save(run.report()); }

}  // namespace torsor
