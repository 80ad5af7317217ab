#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "audit/estimate.h"
#include "audit/symmetry_battery.h"
#include "core/error.h"
#include "core/text.h"

namespace torsor {

namespace {

const std::string kNoNumber = "–";

std::string symmetry_number(const Json& value, const char* form = "{:.3g}") {
  return value.is_number() ? fmt::format(fmt::runtime(form), value.get<double>()) : kNoNumber;
}

std::string symmetry_estimate(const Json& estimate) {
  return estimate.is_object() ? Estimate::from(estimate).text() : kNoNumber;
}

// "0.33 -> 0.35"
std::string change_cell(const Json& before, const Json& after, const char* form) {
  return symmetry_number(before, form) + " → " + symmetry_number(after, form);
}

std::string accuracy_cell(const Json& entry) {
  std::string out;
  for (const Json& test : entry.at("tests"))
    out += fmt::format("{}{} by {} of {} images", out.empty() ? "" : "; ",
                       symmetry_estimate(test.at("accuracy")), test.at("extractor").get<std::string>(),
                       test.at("images").get<std::int64_t>());
  if (entry.at("tested_as") != entry.at("name"))
    out += fmt::format(" (tested as its inverse {})", entry.at("tested_as").get<std::string>());
  return out;
}

std::string symmetry_direction(const std::string& direction) { return direction == "a_to_b" ? "A→B" : "B→A"; }

// The larger of the directions' shares.
std::string labels_cell(const Json& entry) {
  const Json& labels = entry.at("labels_changed");
  if (!labels.is_object()) return kNoNumber;
  std::string out;
  for (const auto& [direction, share] : labels.items())
    out += fmt::format("{}{} {}", out.empty() ? "" : "; ", symmetry_direction(direction),
                       symmetry_estimate(share));
  return out;
}

std::string psnr_cell(const Json& measured, const Json& entry, const char* direction) {
  if (!entry.at("psnr").is_object()) return kNoNumber;
  return change_cell(measured.at("plain").at("psnr").at(direction), entry.at("psnr").at(direction), "{:.1f}");
}

std::vector<std::string> battery_row(const Json& measured, const Json& entry) {
  std::vector<std::string> row = {entry.at("text"), accuracy_cell(entry), entry.at("automorphism")};
  if (!entry.contains("displacement")) {
    row.insert(row.end(), {"not composed", kNoNumber, kNoNumber, kNoNumber, kNoNumber, kNoNumber});
    return row;
  }
  const std::string direction = entry.at("direction");
  row.push_back(
      fmt::format("{} {}", symmetry_direction(direction), symmetry_estimate(entry.at("displacement"))));
  row.push_back(symmetry_estimate(entry.at("displacements").at(direction).at("worst")));
  const Json &loss = measured.at("plain").at("loss"), &moved = entry.at("loss");
  row.push_back(loss.is_object() && moved.is_object()
                    ? change_cell(loss.at("loss"), moved.at("loss"), "{:.3g}")
                    : kNoNumber);
  row.push_back(labels_cell(entry));
  row.push_back(psnr_cell(measured, entry, "a_to_b"));
  row.push_back(psnr_cell(measured, entry, "b_to_a"));
  return row;
}

Json battery_table(const Json& measured, const std::string& domain) {
  Json rows = Json::array();
  std::string of;
  for (const char* list : {"rivals", "others"})
    for (const Json& entry : measured.at(list)) {
      if (entry.at("domain") != domain) continue;
      of = entry.at("of");
      rows.push_back(battery_row(measured, entry));
    }
  if (rows.empty()) return nullptr;
  const std::string how = domain == "a"
                              ? "the inputs of A→B are transformed, and the answers of B→A transformed "
                                "back"
                              : "the answers of A→B are transformed, and the inputs of B→A transformed "
                                "back";
  return {{"caption",
           fmt::format(
               "Symmetries of {}: {}. Accuracy: of classifiers that tell transformed images from originals, "
               "0.5 = "
               "they cannot. Moved: how far translations change, 0 = not, 1 = as far as unrelated images are "
               "apart. Excluded ones are composed with the translators at --scale full, or when named.",
               of, how)},
          {"header",
           {"images", "accuracy", "keeps the distribution", "moved", "in the worst patch", "loss",
            "labels changed", "PSNR A→B", "PSNR B→A"}},
          {"rows", std::move(rows)}};
}

// "0.33 → 0.35, at most 0.36 (0.01 left)"
std::string bounded_cell(const Json& before, const Json& after, const Json& bound) {
  std::string out = change_cell(before, after, "{:.3g}");
  if (bound.is_number())
    out += fmt::format(", at most {:.3g} ({:.2g} left)", bound.get<double>(),
                       bound.get<double>() - after.get<double>());
  return out;
}

Json loss_table(const Json& measured) {
  const Json& plain = measured.at("plain").at("loss");
  if (!plain.is_object()) return nullptr;
  Json header = Json::array({"symmetry"}), rows = Json::array();
  for (const auto& [term, value] : plain.at("terms").items()) header.push_back(term);
  for (const char* column : {"loss", "bound as printed", "E|φ(x)-x|"}) header.push_back(column);
  std::string why;
  for (const Json& entry : measured.at("rivals")) {
    const Json &moved = entry.at("loss"), &bound = entry.at("bound");
    if (!moved.is_object()) continue;
    Json row = Json::array({fmt::format("{} of {}", entry.at("name").get<std::string>(),
                                        entry.at("domain") == "a" ? "A" : "B")});
    for (const auto& [term, value] : plain.at("terms").items())
      row.push_back(bounded_cell(value, moved.at("terms").at(term), bound.at("terms").at(term)));
    row.push_back(bounded_cell(plain.at("loss"), moved.at("loss"), bound.at("loss")));
    row.push_back(symmetry_number(bound.at("printed")));
    row.push_back(symmetry_number(entry.at("moved_inputs"), "{:.4f}"));
    rows.push_back(std::move(row));
    if (why.empty()) why = bound.at("why_none");
  }
  if (rows.empty()) return nullptr;
  std::string caption =
      "The training's objective without and with each symmetry, by term and weighted, and the corrected "
      "bound of "
      "Proposition 2.3, which holds for maps that keep the distribution exactly. What is left is negative "
      "where "
      "the sample is not exactly symmetric, or, in the adversarial terms (g_...), because the discriminators "
      "were learnt and are no divergences: they never decide whether a symmetry is one. The bound as the "
      "paper "
      "prints it is no theorem unless the translations of B have exactly A's distribution.";
  if (!why.empty()) caption += " Some bounds are missing: " + why + ".";
  if (const auto left_out = measured.at("left_out").get<std::vector<std::string>>(); !left_out.empty())
    caption += " Not measured: " + join(left_out) + ".";
  return {{"caption", caption}, {"header", header}, {"rows", rows}};
}

// The paper's row, for any data.
Json paper_row_table(const Json& measured) {
  const Json& row = measured.at("table_1");
  if (!row.is_object()) return nullptr;
  const Json &plain = row.at("plain"), &flipped = row.at("flipped"), &alpha = row.at("alpha_id");
  const auto loss = [](const Json& part) {
    return part.at("loss").is_object() ? part.at("loss").at("loss") : Json();
  };
  const auto psnr = [](const Json& part, const char* direction) {
    return symmetry_number(part.at("psnr").is_object() ? part.at("psnr").at(direction) : Json(), "{:.1f}");
  };
  const Json before = loss(plain), after = loss(flipped);
  std::string slope = kNoNumber;
  if (alpha.is_number() && alpha.get<double>() > 0 && before.is_number() && after.is_number())
    slope = fmt::format("{:.4f}", (after.get<double>() - before.get<double>()) / (2 * alpha.get<double>()));
  const double moved = (row.at("moved_a").get<double>() + row.at("moved_b").get<double>()) / 2;
  return {
      {"caption",
       fmt::format(
           "The paper's Table 1 for these data, on {} pairs; (f): composed with the flip left to right. "
           "PSNR with peak 255, outputs brought to the truth's own white. The slope is (Loss (f) - "
           "Loss) / 2α_id; the last column, the mean over both domains, bounds the identity term's "
           "part of it where the flip keeps the distribution.",
           row.at("pairs").get<std::int64_t>())},
      {"header",
       {"α_id", "Loss", "Loss (f)", "PSNR A→B", "(f)", "PSNR B→A", "(f)", "slope", "E|φ(x)-x| measured"}},
      {"rows", Json::array({Json::array({symmetry_number(alpha, "{:g}"), symmetry_number(before, "{:.2f}"),
                                         symmetry_number(after, "{:.2f}"), psnr(plain, "a_to_b"),
                                         psnr(flipped, "a_to_b"), psnr(plain, "b_to_a"),
                                         psnr(flipped, "b_to_a"), slope, fmt::format("{:.4f}", moved)})})}};
}

Json classes_table(const Json& measured) {
  const Json& classes = measured.at("classes");
  if (!classes.is_object()) return nullptr;
  Json rows = Json::array();
  for (const char* domain : {"a", "b"})
    for (const Json& each : classes.at(domain)) {
      const auto others = each.at("exchangeable").get<std::vector<std::string>>();
      rows.push_back({domain == std::string("a") ? "A" : "B", each.at("class"),
                      fmt::format("{}", each.at("count").get<std::int64_t>()),
                      others.empty() ? "none" : join(others)});
    }
  return {
      {"caption",
       "Classes that could be exchanged without the distribution of the labels noticing, since they are "
       "equally "
       "frequent within sampling error. This is a relabelling and no map of images: whether images of one "
       "class could be turned into the other's is not asked here."},
      {"header", {"domain", "class", "images (groups)", "could be exchanged with"}},
      {"rows", rows}};
}

}  // namespace

Json symmetry_tables(const Json& measured) {
  Json out = Json::array();
  for (Json& table :
       std::vector<Json>{paper_row_table(measured), battery_table(measured, "a"),
                         battery_table(measured, "b"), loss_table(measured), classes_table(measured)})
    if (table.is_object()) out.push_back(std::move(table));
  return out;
}

}  // namespace torsor
