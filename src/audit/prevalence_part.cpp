// G: does content stay, or does it follow the target's prevalence?
#include <ATen/core/Tensor.h>

#include "audit/direction_text.h"
#include "audit/parts.h"
#include "audit/prevalence_judge.h"
#include "audit/prevalence_measures.h"

namespace torsor {

namespace {

std::string prevalence_why_not(const AuditMaterial& material) {
  return material.directions().empty() ? "the runs have no direction of translation in common" : "";
}

std::string moved_text(const Json& moved) {
  return moved.is_null() ? "no clear difference" : Estimate::from(moved).text();
}

Json class_table(const std::string& direction, const Json& classes) {
  Json rows = Json::array();
  for (const Json& row : classes.at("prevalences")) {
    Json cells = Json::array({row.at("class")});
    for (const char* key : {"x", "translated", "y"}) cells.push_back(Estimate::from(row.at(key)).text());
    cells.push_back(moved_text(row.at("moved")));
    rows.push_back(std::move(cells));
  }
  return {{"caption", direction_text(direction) + ": shares of images by class, by " +
                          classes.at("source").get<std::string>()},
          {"header", {"class", "inputs", "translations", "target", "part of the way moved"}},
          {"rows", rows}};
}

Json matrix_table(const std::string& direction, const Json& classes) {
  Json header = Json::array({"class of the input"}), rows = Json::array();
  for (const Json& name : classes.at("classes")) header.push_back(name);
  for (std::size_t i = 0; i < classes.at("classes").size(); ++i) {
    Json row = Json::array({classes.at("classes").at(i)});
    for (const Json& count : classes.at("matrix").at(i))
      row.push_back(std::to_string(count.get<std::int64_t>()));
    rows.push_back(std::move(row));
  }
  return {{"caption", direction_text(direction) + ": how many translations are of which class"},
          {"header", header},
          {"rows", rows}};
}

Json unlabelled_table(const std::string& direction, const Json& measured) {
  Json rows = Json::array();
  for (const auto& [polarity, spots] : measured.at("spots").items()) {
    Json row = Json::array({"share of images with a " + polarity + " spot"});
    for (const char* key : {"x", "translated", "y"}) row.push_back(Estimate::from(spots.at(key)).text());
    row.push_back(moved_text(spots.at("moved")));
    rows.push_back(std::move(row));
  }
  for (const Json& attribute : measured.at("attributes")) {
    Json row = Json::array({attribute.at("title")});
    for (const char* key : {"x", "translated", "y"})
      row.push_back(fmt::format("{:.3g}", attribute.at(key).get<double>()));
    row.push_back(moved_text(attribute.at("moved")));
    rows.push_back(std::move(row));
  }
  return {{"caption", direction_text(direction) + ": what needs no labels; a style may well change it"},
          {"header", {"", "inputs", "translations", "target", "part of the way moved"}},
          {"rows", rows}};
}

Json prevalence_measure(AuditMaterial& material) {
  Json directions = Json::object(), tables = Json::array();
  for (const Direction& direction : material.directions()) {
    const std::string name = direction.name();
    Json measured = {{"images", material.images(direction.from).size()},
                     {"target_images", material.images(direction.to).size()}};
    if (material.labels()) {
      measured["labels"] = class_content(material, direction);
      tables.push_back(class_table(name, measured.at("labels")));
      tables.push_back(matrix_table(name, measured.at("labels")));
    }
    measured["spots"] = spot_content(material, direction);
    measured["attributes"] = attribute_content(material, direction);
    tables.push_back(unlabelled_table(name, measured));
    directions[name] = std::move(measured);
  }
  return {{"run", material.subject().name}, {"directions", directions}, {"tables", tables}};
}

std::vector<AuditFinding> prevalence_judge(const Json& parts, const AuditThresholds& thresholds) {
  std::vector<AuditFinding> out;
  const auto add = [&](std::vector<AuditFinding> findings) {
    for (AuditFinding& finding : findings) out.push_back(std::move(finding));
  };
  for (const auto& [direction, measured] : parts.at("prevalence").at("directions").items()) {
    std::vector<AuditFinding> spots = judge_spots(direction, measured.at("spots"), thresholds);
    if (measured.contains("labels")) {
      add(judge_classes(direction, measured.at("labels"), thresholds));
      for (AuditFinding& finding : spots) finding.needed.clear();  // the labels that it asks for are there
    }
    add(std::move(spots));
  }
  return out;
}

}  // namespace

AuditPart prevalence_part() {
  return {
      "prevalence",
      "Content and prevalence",
      "Do translations keep what their inputs show? Where a structure is frequent in one domain and rare in "
      "the other, a generator learns to add or remove it, since its translations have to look like the "
      "target's images.",
      prevalence_why_not,
      prevalence_measure,
      prevalence_judge};
}

}  // namespace torsor
