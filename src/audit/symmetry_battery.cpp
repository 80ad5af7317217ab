#include "audit/symmetry_battery.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <optional>

#include "audit/equivalence.h"
#include "audit/image_distances.h"
#include "audit/symmetry_bound.h"
#include "audit/symmetry_effects.h"
#include "audit/symmetry_figures.h"
#include "audit/symmetry_labels.h"

namespace torsor {

namespace {

constexpr std::int64_t kQuickComposed = 128, kLeastComposed = 16;  // images that translators are composed on
constexpr std::int64_t kQuickPasses = 1536;                        // of images through each generator
constexpr std::int64_t kQuickTested = 512, kFullTested = 2000;     // images of a two-sample test
constexpr std::int64_t kQuickFeatures = 4096;                      // transformed images that it may cost
constexpr std::int64_t kPassesEach = 3;                            // there, back, and the identity term's

bool is_quick_battery(const AuditMaterial& material) {
  return material.options().size() == AuditScale::quick;
}

Equivalence battery_state(const Json& entry, const AuditThresholds& thresholds) {
  return equivalence_of_tests(entry.at("tests"), thresholds.automorphism);
}

// An entry whose inverse was tested already has its tests (S0-C3).
const BatteryEntry* tested_inverse(const std::vector<BatteryEntry>& entries, const std::string& domain,
                                   const Symmetry& phi) {
  for (const BatteryEntry& entry : entries)
    if (entry.domain == domain && entry.phi.inverse_name == phi.name && entry.phi.name != phi.name)
      return &entry;
  return nullptr;
}

class Battery {
 public:
  explicit Battery(AuditMaterial& material) : material_(material) {
    const std::int64_t most = is_quick_battery(material) ? kQuickTested : kFullTested;
    for (const std::string domain : {"a", "b"}) tests_.try_emplace(domain, material, domain, most);
  }

  // What differs plainly is told on few images; the others get more.
  std::vector<BatteryEntry> tested() {
    std::vector<BatteryEntry> out;
    for (const std::string domain : {"a", "b"})
      for (Symmetry& phi : symmetries_for(material_.options(), material_.images(domain), material_.out()))
        out.push_back(screened(out, domain, std::move(phi)));
    const std::int64_t undecided =
        std::count_if(out.begin(), out.end(), [&](const BatteryEntry& e) { return is_first(e) && open(e); });
    for (BatteryEntry& entry : out)
      if (is_first(entry) && open(entry)) decide(entry, undecided);
    for (BatteryEntry& entry : out) finish(entry, out);
    return out;
  }

 private:
  BatteryEntry screened(const std::vector<BatteryEntry>& before, const std::string& domain, Symmetry phi) {
    check_stop(material_.stop());
    const BatteryEntry* inverse = tested_inverse(before, domain, phi);
    Json measured = {{"id", "symmetry:" + domain + ":" + phi.name}, {"kind", "symmetry"}, {"domain", domain},
                     {"of", domain_label(material_, domain)},       {"name", phi.name},   {"text", phi.text}};
    measured["tests"] = inverse != nullptr ? Json::array() : tests_.at(domain).screen(phi);
    measured["tested_as"] = inverse != nullptr ? inverse->phi.name : phi.name;
    return {domain, std::move(phi), std::move(measured)};
  }

  static bool is_first(const BatteryEntry& entry) { return entry.measured.at("tested_as") == entry.phi.name; }

  bool open(const BatteryEntry& entry) const {
    return battery_state(entry.measured, material_.options().thresholds) != Equivalence::excluded;
  }

  void decide(BatteryEntry& entry, std::int64_t undecided) {
    EquivalenceTests& tests = tests_.at(entry.domain);
    const std::int64_t share = is_quick_battery(material_) ? kQuickFeatures / undecided : kFullTested;
    const std::int64_t count = std::min(tests.size(), std::max(tests.screened(), share));
    if (count <= tests.screened()) return;
    check_stop(material_.stop());
    entry.measured["tests"] = tests.decide(entry.phi, count);
  }

  void finish(BatteryEntry& entry, const std::vector<BatteryEntry>& all) const {
    if (!is_first(entry))
      for (const BatteryEntry& other : all)
        if (other.domain == entry.domain && other.phi.name == entry.measured.at("tested_as"))
          entry.measured["tests"] = other.measured.at("tests");
    const double threshold = material_.options().thresholds.automorphism;
    entry.measured["automorphism"] =
        equivalence_name(equivalence_of_tests(entry.measured.at("tests"), threshold));
  }

  AuditMaterial& material_;
  std::map<std::string, EquivalenceTests> tests_;
};

// At --scale quick no time is spent on what is no symmetry, but for the flip of the paper's table and what
// the user named.
bool is_composed(const AuditMaterial& material, const BatteryEntry& entry) {
  return !is_quick_battery(material) || material.options().symmetries != "auto" ||
         entry.measured.at("automorphism") != equivalence_name(Equivalence::excluded) ||
         (entry.domain == "a" && entry.phi.name == "hflip");
}

std::int64_t composed_images(const AuditMaterial& material, const std::vector<BatteryEntry>& entries) {
  const std::int64_t all = std::max(material.images("a").size(), material.images("b").size());
  if (!is_quick_battery(material)) return all;
  const std::int64_t composed = std::count_if(
      entries.begin(), entries.end(), [&](const BatteryEntry& e) { return is_composed(material, e); });
  return std::clamp(kQuickPasses / (kPassesEach * std::max<std::int64_t>(1, composed)), kLeastComposed,
                    kQuickComposed);
}

// The seed's identity weight; nothing where there is no such term or its two weights differ.
std::optional<double> seed_alpha(const AuditedRun& run) {
  std::optional<double> out;
  for (const LossTerm& term : run.terms) {
    if (term.kind != TermKind::identity) continue;
    if (term.on() && !is_source_identity(term)) return std::nullopt;
    if (out && *out != term.weight) return std::nullopt;
    out = term.weight;
  }
  return out;
}

// S0's Table 1: one row, on the pairs.
Json table_one(AuditMaterial& material, const std::vector<BatteryEntry>& entries, SymmetryEffects& effects) {
  const auto flip = std::find_if(entries.begin(), entries.end(), [](const BatteryEntry& e) {
    return e.domain == "a" && e.phi.name == "hflip";
  });
  if (!material.pairs() || flip == entries.end()) return nullptr;
  const std::int64_t wanted = is_quick_battery(material) ? std::min(kQuickComposed, material.pairs()->size())
                                                         : material.pairs()->size();
  std::optional<SymmetryEffects> own;
  if (!effects.images().paired || effects.images().a.size() < wanted)
    own.emplace(material, EffectImages{evenly_of(material.pairs()->a, wanted),
                                       evenly_of(material.pairs()->b, wanted), true});
  SymmetryEffects& on_pairs = own ? *own : effects;
  const Json moved = on_pairs.of(flip->phi, "a");
  const auto far = [&](const AuditImages& images) {
    return image_distances(flip->phi.map(images.values), images.values).whole.mean().item<double>();
  };
  Json out = {{"pairs", on_pairs.images().a.size()},
              {"plain", {{"loss", on_pairs.loss()}, {"psnr", on_pairs.psnr()}}},
              {"flipped", {{"loss", moved.value("loss", Json())}, {"psnr", moved.value("psnr", Json())}}},
              {"moved_a", far(on_pairs.images().a)},
              {"moved_b", far(on_pairs.images().b)}};
  const std::optional<double> alpha = seed_alpha(material.subject());
  out["alpha_id"] = alpha ? Json(*alpha) : Json(nullptr);
  return out;
}

}  // namespace

std::string domain_label(const AuditMaterial& material, const std::string& domain) {
  const std::string key = domain == "a" ? "A" : "B", &name = material.subject().info.domain(domain).name;
  return name.empty() || name == domain ? key : fmt::format("{} ({})", name, key);
}

Json measure_symmetries(AuditMaterial& material) {
  std::vector<BatteryEntry> entries = Battery(material).tested();
  SymmetryEffects effects(material, effect_images(material, composed_images(material, entries)));
  Json out = {{"scale", material.options().scale},
              {"images", {{"a", effects.images().a.size()}, {"b", effects.images().b.size()}}},
              {"paired", effects.images().paired},
              {"plain", {{"loss", effects.loss()}, {"psnr", effects.psnr()}}},
              {"left_out", effects.left_out()},
              {"rivals", Json::array()},
              {"others", Json::array()}};
  for (BatteryEntry& entry : entries) {
    if (is_composed(material, entry)) entry.measured.update(effects.of(entry.phi, entry.domain));
    out[entry.measured.contains("displacement") ? "rivals" : "others"].push_back(entry.measured);
  }
  out["classes"] = material.labels()
                       ? exchangeable_classes(*material.labels(), material.images("a"), material.images("b"))
                       : Json(nullptr);
  out["table_1"] = table_one(material, entries, effects);
  out["tables"] = symmetry_tables(out);
  out["figures"] = symmetry_figures(material, effects, entries);
  return out;
}

}  // namespace torsor
