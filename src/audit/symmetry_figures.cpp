#include "audit/symmetry_figures.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "audit/equivalence.h"
#include "audit/image_distances.h"
#include "audit/shown_examples.h"
#include "report/grid.h"

namespace torsor {

namespace {

constexpr std::size_t kMostSymmetryFigures = 3;

// The entries that get a picture, the first first.
std::vector<const BatteryEntry*> pictured_symmetries(const std::vector<BatteryEntry>& entries,
                                                     const AuditThresholds& thresholds) {
  std::vector<const BatteryEntry*> out;
  const auto displacement = [](const BatteryEntry* e) {
    return Estimate::from(e->measured.at("displacement"));
  };
  const auto is_shown = [](const BatteryEntry* e) {
    return e->measured.at("automorphism") == equivalence_name(Equivalence::shown);
  };
  for (const BatteryEntry& entry : entries)
    if (entry.measured.contains("displacement") &&
        entry.measured.at("automorphism") != equivalence_name(Equivalence::excluded) &&
        displacement(&entry).low() > thresholds.matters)
      out.push_back(&entry);
  std::stable_sort(out.begin(), out.end(), [&](const BatteryEntry* p, const BatteryEntry* q) {
    if (is_shown(p) != is_shown(q)) return is_shown(p);
    return displacement(p).value > displacement(q).value;
  });
  std::set<std::string> families;
  std::erase_if(out, [&](const BatteryEntry* e) {
    return !families.insert(e->domain + "/" + symmetry_family(e->phi.name)).second;
  });
  if (out.size() > kMostSymmetryFigures) out.resize(kMostSymmetryFigures);
  return out;
}

Json symmetry_grid(AuditMaterial& material, SymmetryEffects& effects, const BatteryEntry& entry) {
  const Direction direction = entry.measured.at("direction") == kAToB.name() ? kAToB : kBToA;
  const SymmetryEffects::Shown shown = effects.shown(entry.phi, entry.domain, direction);
  std::vector<std::vector<Image>> rows(3);
  for (const std::int64_t i : worst_and_median(image_distances(shown.moved, shown.plain).whole)) {
    rows[0].push_back(material.picture(shown.inputs[i], direction.from));
    rows[1].push_back(material.picture(shown.plain[i], direction.to));
    rows[2].push_back(material.picture(shown.moved[i], direction.to));
  }
  const std::string what = entry.domain == direction.from
                               ? fmt::format("the translations of the inputs {}", entry.phi.text)
                               : fmt::format("the translations {}", entry.phi.text);
  return material.write_figure(
      fmt::format("symmetry-{}-{}", entry.phi.name, entry.domain), make_grid(rows),
      fmt::format(
          "From above: inputs of {}, their translations, {}. Left the images whose translations differ "
          "most, right those in the middle.",
          domain_label(material, direction.from), what));
}

}  // namespace

std::string symmetry_family(const std::string& name) { return name.starts_with("hue-") ? "hue" : name; }

Json symmetry_figures(AuditMaterial& material, SymmetryEffects& effects,
                      const std::vector<BatteryEntry>& entries) {
  Json out = Json::array();
  for (const BatteryEntry* entry : pictured_symmetries(entries, material.options().thresholds))
    out.push_back(symmetry_grid(material, effects, *entry));
  return out;
}

}  // namespace torsor
