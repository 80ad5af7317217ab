#include "experiment/cure_report.h"

#include <algorithm>

#include "core/text.h"

namespace torsor {

namespace {

// A number of each run, that of the direction where it is larger.
std::string larger_text(const Json& row, const std::string& key) {
  std::vector<std::string> out;
  for (const Json& run : row.at("runs"))
    out.push_back(fmt::format(
        "{:.2f}", std::max(run.at(key + "_a_to_b").get<double>(), run.at(key + "_b_to_a").get<double>())));
  return join(out);
}

std::string pass_text(const Json& row) {
  double least = 1;
  for (const Json& run : row.at("runs"))
    least = std::min({least, run.at("pass_a_to_b").get<double>(), run.at("pass_b_to_a").get<double>()});
  return fmt::format("{:.0f} %", 100 * least);
}

Table cure_table(const Json& rows, const World& world, const std::vector<CureColumn>& more) {
  const bool audited = rows.at(0).contains("with_pairs");
  Table table{{"training", "the runs are", "error of each run", "agreement", "shapes"}, {}, ""};
  if (audited) table.header.insert(table.header.end(), {"without pairs", "with pairs"});
  for (const CureColumn& column : more) table.header.push_back(column.name);
  for (const Json& row : rows) {
    if (row.at("world") != world.name) continue;
    table.rows.push_back({row.at("arm"), row.at("planted"), larger_text(row, "error"),
                          fmt::format("{:.2f}", row.at("agreement").get<double>()), pass_text(row)});
    if (audited)
      for (const char* key : {"without_pairs", "with_pairs"}) table.rows.back().push_back(row.at(key));
    for (const CureColumn& column : more) table.rows.back().push_back(column.text(row));
  }
  table.caption = fmt::format(
      "World \"{}\": {}. Errors: median distance of what the object shows from what is right, the larger of "
      "both directions; 1 is the farthest there is, and up to {} (a hue that is 20 degrees off) a run is "
      "right. Agreement: the largest such distance between two runs. Shapes: the least share of images with "
      "the right shape at its place on the right ground.",
      world.name, world.about, kRightError);
  for (const CureColumn& column : more) table.caption += " " + column.about;
  return table;
}

const CureArm& arm_named(const std::vector<CureArm>& arms, const std::string& name) {
  return *std::find_if(arms.begin(), arms.end(), [&](const CureArm& arm) { return arm.name == name; });
}

// Every mistaken verdict.
Table mistakes(const Json& rows) {
  Table out{{"case", "error", "what the audit says"}, {}, "Every mistaken verdict, with the audit's reason."};
  for (const Json& row : rows)
    if (const std::string error = row.value("error", ""); !error.empty())
      out.rows.push_back(
          {row.at("case"), error,
           row.at(error.find("without pairs") == std::string::npos ? "because_with" : "because_without")});
  return out;
}

// Whether the audit calls a wrong run trustworthy, or any run without pairs.
bool is_green_over_wrong(const Json& row) {
  return row.at("without_pairs") == "green" ||
         (row.at("with_pairs") == "green" && !row.at("subject_right").get<bool>());
}

}  // namespace

std::vector<Setting> cure_settings(const CureScale& scale) {
  std::vector<Setting> out = {
      {"images", fmt::format("discs and squares of {0} x {0} pixels: {1} training images of either domain, "
                             "{2} tests, {3} held-out pairs",
                             kWorldSide, scale.world.training, scale.world.tests, scale.world.pairs)},
      {"training",
       fmt::format("the lesson of the demonstration without an identity term, {} steps", scale.steps)}};
  for (const World& world : worlds()) out.push_back({"world \"" + world.name + "\"", world.about});
  return out;
}

Setting cure_audits() {
  return {"audits", "of all seeds together, the first is judged; images are compared by pixels",
          "images are small, and nothing is to be downloaded"};
}

const Json* cure_row(const Json& rows, const std::string& world, const std::string& arm) {
  for (const Json& row : rows)
    if (row.at("world") == world && row.at("arm") == arm) return &row;
  return nullptr;
}

bool all_right(const Json& row) { return row.at("planted") == "right"; }

bool none_right(const Json& row) {
  const Json& runs = row.at("runs");
  return std::none_of(runs.begin(), runs.end(), [](const Json& run) { return run.at("right").get<bool>(); });
}

std::optional<Finding> green_over_wrong(const Json& rows) {
  const auto green = cases_where(rows, is_green_over_wrong);
  if (green.empty()) return std::nullopt;
  return Finding{Verdict::disagrees,
                 fmt::format("an audit is green over a wrong run or without pairs: {}", join(green))};
}

std::vector<std::string> cases_where(const Json& rows, const std::function<bool(const Json&)>& holds) {
  std::vector<std::string> out;
  for (const Json& row : rows)
    if (holds(row)) out.push_back(row.at("case"));
  return out;
}

CureColumn cost_column() {
  return {"cost", "Cost: mean of (G(x) - x)^2 over that of the right translations, of each run.",
          [](const Json& row) { return larger_text(row, "cost"); }};
}

CureColumn step_column(const Json& costs, const std::string& base) {
  return {"step", "Step: time of a step over that " + base + ".", [costs](const Json& row) {
            return fmt::format("{:.2f}", costs.at(row.at("arm").get<std::string>()).get<double>());
          }};
}

void present_cures(const Json& rows, const std::vector<CureArm>& arms, const std::vector<CureColumn>& more,
                   ReproductionPage& page) {
  for (const World& world : worlds()) {
    const bool shown =
        std::any_of(rows.begin(), rows.end(), [&](const Json& row) { return row.at("world") == world.name; });
    if (!shown) continue;
    page.html().subheading("World \"" + world.name + "\"");
    page.html().table(cure_table(rows, world, more));
    for (const Json& row : rows)
      if (row.at("world") == world.name)
        page.picture(row.at("case"), fmt::format("{}: inputs, what is right, the translations of each seed",
                                                 arm_named(arms, row.at("arm")).what));
  }
  const Table errors = mistakes(rows);
  if (!errors.rows.empty()) page.html().table(errors);
}

}  // namespace torsor
