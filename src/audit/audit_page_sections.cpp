#include "audit/audit_page_sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "audit/audit_options.h"
#include "audit/parts.h"
#include "core/text.h"
#include "report/chart_view.h"

namespace torsor {

namespace {

constexpr double kCurveWidth = 450, kCurveHeight = 210;  // two beside each other on a screen
constexpr const char* kDetectionPart = "detection";      // which has a section of its own
constexpr std::size_t kDigestShown = 12;                 // digits of a hash; audit.json has all

struct PartWords {
  std::string title, plain;
};

PartWords words_of_part(const std::string& name, const Json& part) {
  for (const AuditPart& known : audit_parts())
    if (known.name == name) return {known.title, known.plain};
  return {part.is_object() ? part.value("title", name) : name,
          part.is_object() ? part.value("plain", "") : ""};
}

// In the order of audit_parts(), then those that it does not list.
std::vector<std::string> parts_in_order(const Json& parts) {
  std::vector<std::string> out;
  for (const AuditPart& known : audit_parts())
    if (parts.contains(known.name)) out.push_back(known.name);
  for (const auto& [name, part] : parts.items())
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  return out;
}

// Null, which stands for a number that is not finite, is left out of a chart.
std::vector<double> plotted(const Json& numbers) {
  std::vector<double> out;
  for (const Json& number : numbers)
    out.push_back(number.is_number() ? number.get<double>() : std::numeric_limits<double>::quiet_NaN());
  return out;
}

std::string curve_html(const Json& curve) {
  LineChart chart;
  chart.title = curve.at("title");
  chart.x.label = curve.at("x");
  chart.y.label = curve.at("y");
  chart.width = kCurveWidth;
  chart.plot_height = kCurveHeight;
  for (const Json& series : curve.at("series"))
    chart.series.push_back({series.at("name"), plotted(series.at("x")), plotted(series.at("y"))});
  return chart_html(chart, chart.x.label);
}

void show_curves(const Json& curves, HtmlPage& page) {
  if (curves.empty()) return;
  std::string html;
  for (const Json& curve : curves) html += curve_html(curve);
  page.insert("<div class=\"charts\">\n" + html + "</div>\n");
}

void show_json_table(const Json& shown, HtmlPage& page) {
  Table table{{}, {}, shown.value("caption", "")};
  for (const Json& cell : shown.at("header")) table.header.push_back(audit_cell(cell));
  for (const Json& row : shown.at("rows")) {
    std::vector<std::string> cells;
    for (const Json& cell : row) cells.push_back(audit_cell(cell));
    table.rows.push_back(std::move(cells));
  }
  page.table(table);
}

// Returns whether there were any.
bool show_contents(const Json& part, AuditFigures& figures, HtmlPage& page) {
  if (!part.is_object()) return false;
  std::vector<std::string> files;
  for (const Json& figure : part.value("figures", Json::array())) files.push_back(figure.at("file"));
  const std::size_t above = figures.show(files, page);
  if (above > 0)
    page.paragraph(above == files.size() ? "Its pictures stand above." : "Its other pictures stand above.");
  show_curves(part.value("curves", Json::array()), page);
  for (const Json& table : part.value("tables", Json::array())) show_json_table(table, page);
  return !files.empty() || part.contains("curves") || part.contains("tables");
}

void show_part(const std::string& name, const Json& part, AuditFigures& figures, HtmlPage& page) {
  const PartWords words = words_of_part(name, part);
  page.subheading(words.title);
  if (!words.plain.empty()) page.paragraph(words.plain);
  if (!show_contents(part, figures, page))
    page.paragraph(fmt::format("Its numbers are in parts/{}.json.", name));
}

std::string automorphism_text(const std::string& state) {
  if (state == "shown") return "yes, shown";
  return state == "excluded" ? "no" : state;
}

void show_rivals(const Json& audit, HtmlPage& page) {
  const Json &rivals = audit.at("rivals"), &parts = audit.at("parts");
  page.heading("Other answers that were tried");
  if (rivals.empty())
    return page.paragraph(parts.contains("symmetries") || parts.contains("search") ? "None was found."
                                                                                   : "None was looked for.");
  page.paragraph(
      "Each is another translator: this one with images changed before or after it, another run, or a copy "
      "of "
      "the input. Where a change keeps the distribution of the images and the loss as they are, the training "
      "had no reason to prefer one to the other.");
  Table table{
      {"answer", "domain", "keeps the distribution", "distance from this run", "change of the loss"}, {}, ""};
  for (const Json& rival : rivals) {
    const std::string text = rival.value("text", "");
    table.rows.push_back(
        {text.empty() ? rival.value("name", rival.value("id", "")) : text,
         audit_cell(rival.value("domain", Json())), automorphism_text(rival.value("automorphism", "")),
         audit_number(rival.value("displacement", Json())), audit_cell(rival.value("loss_change", Json()))});
  }
  page.table(table);
}

// Where the part made no table of its own.
Table limits_table_of(const Json& limits) {
  Table table{{"change", "looked for by", "smallest that is found"}, {}, ""};
  for (const Json& limit : limits) {
    const Json smallest = limit.value("smallest", Json());
    table.rows.push_back({limit.at("kind"), limit.at("test"),
                          smallest.is_null() ? "none of the sizes tried"
                                             : audit_cell(smallest) + " " + limit.value("unit", "")});
  }
  return table;
}

void show_limits(const Json& detection, AuditFigures& figures, HtmlPage& page) {
  page.heading("The smallest change that this audit would find", "limits");
  const Json limits = detection.is_object() ? detection.value("limits", Json::array()) : Json::array();
  if (limits.empty()) {
    const std::string why = detection.is_object() ? detection.value("no_limits", "") : "";
    page.paragraph(
        fmt::format("This was not measured{}, so nothing says how small a fault it would have found.",
                    why.empty() ? "" : " (" + why + ")"));
    return;
  }
  page.paragraph(
      "Faults of known kinds were planted in growing sizes. Smaller ones than these this audit would not "
      "have "
      "found.");
  if (!show_contents(detection, figures, page)) page.table(limits_table_of(limits));
}

std::string short_digest(const Json& value) {
  return value.is_string() ? value.get<std::string>().substr(0, kDigestShown) : "";
}

void show_runs(const Json& runs, HtmlPage& page) {
  Table table{{"run", "type", "step", "seed", "finished", "weights", "file"}, {}, ""};
  for (const Json& run : runs) {
    const auto of = [&](const char* key) { return audit_cell(run.value(key, Json())); };
    table.rows.push_back({of("name"), of("type"), of("step"), of("seed"), of("finished"),
                          short_digest(run.value("hash", Json())), of("source")});
  }
  page.table(table);
}

// Numbers and texts of an object whose keys depend on what the user gave.
std::string told(const Json& object) {
  std::vector<std::string> words;
  for (const auto& [key, value] : object.items()) {
    std::string text = key == "digest" ? short_digest(value) : audit_cell(value);
    if (value.is_array() &&
        std::all_of(value.begin(), value.end(), [](const Json& v) { return v.is_string(); }))
      text = join(value.get<std::vector<std::string>>());
    if (!text.empty() && !value.is_object()) words.push_back(fmt::format("{}: {}", key, text));
  }
  return join(words, "; ");
}

void show_images(const Json& images, HtmlPage& page) {
  Table table{{"domain", "images", "groups", "digest", "folder"}, {}, ""};
  for (const auto& [key, what] :
       {std::pair("a", "A"), std::pair("b", "B"), std::pair("training_a", "A, training"),
        std::pair("training_b", "B, training")}) {
    if (!images.contains(key)) continue;
    const Json& of = images.at(key);
    table.rows.push_back({what, audit_cell(of.at("count")), audit_cell(of.value("groups", Json())),
                          short_digest(of.value("digest", Json())), audit_cell(of.value("folder", Json()))});
  }
  page.table(table);
  for (const char* kind : {"pairs", "labels"}) {
    const Json given = images.value(kind, Json());
    const std::string what = kind == std::string("pairs") ? "Pairs" : "Labels";
    page.paragraph(given.is_null() ? what + ": none were given." : what + ": " + told(given) + ".");
  }
}

std::string meaning_of_threshold(const std::string& name) {
  AuditThresholds thresholds;
  OptionSet options;
  thresholds.describe(options);
  const Option* option = options.find(name);
  return option == nullptr ? "" : option->help();
}

void show_thresholds(const Json& thresholds, HtmlPage& page) {
  page.heading("Where the verdict draws its lines");
  Table table{{"line", "value", "what it is"}, {}, ""};
  for (const auto& [name, value] : thresholds.items())
    table.rows.push_back({name, audit_cell(value), meaning_of_threshold(name)});
  page.table(table);
}

}  // namespace

std::string audit_cell(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_number_float()) return fmt::format("{:.4g}", value.get<double>());
  return value.is_number() ? value.dump() : "";
}

std::string audit_number(const Json& estimate) {
  if (!estimate.is_object() || estimate.value("value", Json()).is_null()) return "";
  const std::string value = audit_cell(estimate.at("value"));
  const Json interval = estimate.value("interval", Json());
  if (!interval.is_array() || interval.size() != 2) return value;
  return fmt::format("{} ({} to {})", value, audit_cell(interval[0]), audit_cell(interval[1]));
}

void show_audit_parts(const Json& audit, AuditFigures& figures, HtmlPage& page) {
  const Json& parts = audit.at("parts");
  page.heading("What was measured", "parts");
  for (const std::string& name : parts_in_order(parts))
    if (name != kDetectionPart) show_part(name, parts.at(name), figures, page);
  const Json& missing = audit.at("not_measured");
  if (missing.empty()) return;
  page.heading("What was not measured, and why");
  std::vector<std::string> items;
  for (const auto& [name, why] : missing.items())
    items.push_back(words_of_part(name, Json()).title + ": " + why.get<std::string>());
  page.list(items);
}

void show_audit_reach(const Json& audit, AuditFigures& figures, HtmlPage& page) {
  show_rivals(audit, page);
  show_limits(audit.at("detection_limit"), figures, page);
}

void show_audit_advice(const Json& audit, HtmlPage& page) {
  const Json& advice = audit.at("advice");
  if (advice.empty()) return;
  page.heading("What to do about it", "advice");
  const bool placeholders = std::any_of(advice.begin(), advice.end(), [](const Json& cure) {
    return cure.value("command", "").find(" DIR") != std::string::npos;
  });
  if (placeholders)
    page.paragraph("In the commands, words in capitals such as DIR stand for your own folders and files.");
  for (const Json& cure : advice) {
    page.subheading(cure.at("title"));
    page.paragraph(cure.at("text"));
    if (const std::string command = cure.value("command", ""); !command.empty()) page.command(command);
  }
}

void show_audit_inputs(const Json& audit, HtmlPage& page) {
  page.heading("Runs and images", "inputs");
  show_runs(audit.at("runs"), page);
  show_images(audit.at("images"), page);
  show_thresholds(audit.at("thresholds"), page);
  page.heading("Options and features");
  page.preformatted(Json{{"options", audit.at("options")}, {"extractor", audit.at("extractor")}}.dump(2));
}

}  // namespace torsor
