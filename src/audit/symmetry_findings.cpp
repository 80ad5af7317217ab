#include "audit/symmetry_findings.h"

#include <algorithm>
#include <string>

#include "audit/equivalence.h"
#include "audit/needed_images.h"
#include "audit/symmetry_figures.h"
#include "core/error.h"

namespace torsor {

namespace {

// What becomes of one symmetry.
enum class SymmetryOutcome { excluded, harmless, beaten, shown, undecided };

struct JudgedSymmetry {
  const Json* entry;
  SymmetryOutcome outcome;
};

Estimate symmetry_displacement(const Json& entry) { return Estimate::from(entry.at("displacement")); }

bool is_beaten_symmetry(const Json& parts, const Json& entry) {
  if (!parts.contains("anchors") || !parts.at("anchors").contains("beaten")) return false;
  const Json& beaten = parts.at("anchors").at("beaten");
  return std::find(beaten.begin(), beaten.end(), entry.at("id")) != beaten.end();
}

SymmetryOutcome symmetry_outcome(const Json& parts, const Json& entry, const AuditThresholds& thresholds) {
  using enum SymmetryOutcome;
  const Equivalence state = equivalence_of_tests(entry.at("tests"), thresholds.automorphism);
  if (state == Equivalence::excluded) return excluded;
  if (!entry.contains("displacement") || !(symmetry_displacement(entry).low() > thresholds.matters))
    return harmless;
  if (is_beaten_symmetry(parts, entry)) return beaten;
  return state == Equivalence::shown ? shown : undecided;
}

// "mirrored left to right"; of hues together "with hues turned by 30, 60 or 90 degrees".
std::string merged_symmetries(const std::vector<const Json*>& entries) {
  if (entries.size() == 1) return entries.front()->at("text");
  std::vector<std::string> degrees;
  for (const Json* entry : entries) degrees.push_back(entry->at("name").get<std::string>().substr(4));
  const std::string last = degrees.back();
  degrees.pop_back();
  return fmt::format("with hues turned by {} or {} degrees", join(degrees), last);
}

std::string equivalence_text(const Json& entry, const AuditThresholds& thresholds) {
  const Json& test = telling_test(entry.at("tests"), thresholds.automorphism);
  const Estimate accuracy = Estimate::from(test.at("accuracy"));
  if (!accuracy.interval) return fmt::format("no test was possible: {}", accuracy.no_interval);
  return fmt::format(
      "of {} images a classifier told them from originals with accuracy {}, by {}; 0.5 is guessing, "
      "the line is {:g}",
      test.at("images").get<std::int64_t>(), accuracy.text(), test.at("extractor").get<std::string>(),
      thresholds.automorphism);
}

std::string rival_symmetry_text(const Json& entry) {
  const bool into_translation = entry.at("direction") == (entry.at("domain") == "a" ? "a_to_b" : "b_to_a");
  return fmt::format(
      "A translator {} would give translations that differ from this run's by {} (0 = the same, 1 = as far "
      "as an "
      "unrelated image)",
      into_translation ? "that is given its inputs so" : "whose answers are transformed so",
      symmetry_displacement(entry).text());
}

std::string moved_loss_text(const Json& parts, const Json& entry) {
  const Json& loss = entry.at("loss");
  if (!loss.is_object()) return "";
  const Json& plain = parts.at("symmetries").at("plain").at("loss");
  return fmt::format(" Its training loss on these images is {:.3g} instead of {:.3g}.",
                     loss.at("loss").get<double>(), plain.at("loss").get<double>());
}

std::string why_amber(SymmetryOutcome outcome) {
  return outcome == SymmetryOutcome::shown ? ", and images without pairs cannot say which of the two is "
                                             "right. This is a property of the data, "
                                             "no fault of the training."
                                           : "; whether the data rule it out is open.";
}

std::string symmetry_needs(const Json& entry, const std::string& text, SymmetryOutcome outcome,
                           const AuditThresholds& thresholds) {
  const std::string of = entry.at("of");
  if (outcome == SymmetryOutcome::shown)
    return fmt::format("pairs of images, or a constraint that images of {} {} would break", of, text);
  const double line = thresholds.automorphism;
  const Json& test = telling_test(entry.at("tests"), line);
  const Estimate accuracy = Estimate::from(test.at("accuracy"));
  const std::int64_t images = images_to_decide(accuracy, test.at("images"), line);
  if (images > kMostImagesToAskFor)
    return fmt::format(
        "pairs, or a line further from the accuracy (--automorphism), to decide whether images of {} {} keep "
        "the distribution: more images will hardly settle it, because the accuracy, {:.3f}, lies so near "
        "the line, {:g}",
        of, text, accuracy.value, line);
  if (images > 0)
    return fmt::format(
        "about {} images of {} (training images help) and --scale full to decide whether those {} keep "
        "the distribution, or pairs",
        images, of, text);
  return fmt::format("images of more patients, clips or originals of {} (--groups), or pairs", of);
}

std::vector<std::string> symmetry_files(const Json& parts, const std::vector<const Json*>& entries) {
  std::vector<std::string> out;
  for (const Json& figure : parts.at("symmetries").value("figures", Json::array()))
    for (const Json* entry : entries)
      if (figure.at("file") == fmt::format("figures/symmetry-{}-{}.png", entry->at("name").get<std::string>(),
                                           entry->at("domain").get<std::string>()))
        out.push_back(figure.at("file"));
  return out;
}

AuditFinding beaten_finding(AuditFinding out, const std::string& of, const std::string& text,
                            const std::string& accuracy) {
  out.role = FindingRole::note;
  out.verdict = AuditVerdict::green;
  out.title = fmt::format("Decided by pairs: {} {}", of, text);
  out.text = fmt::format(
      "Images of {} {} may look like originals ({}), but on the pairs this run beats the "
      "translator that would follow from them.",
      of, text, accuracy);
  return out;
}

// Of one symmetry, or of several hues with one outcome.
AuditFinding symmetry_finding(const Json& parts, const std::vector<const Json*>& entries,
                              SymmetryOutcome outcome, const AuditThresholds& thresholds) {
  const auto by_displacement = [](const Json* p, const Json* q) {
    return symmetry_displacement(*p).value < symmetry_displacement(*q).value;
  };
  const Json& most = **std::max_element(entries.begin(), entries.end(), by_displacement);
  const std::string domain = most.at("domain"), of = most.at("of"), text = merged_symmetries(entries);
  AuditFinding out;
  out.id = fmt::format(
      "symmetry-{}-{}",
      entries.size() == 1 ? most.at("name").get<std::string>() : symmetry_family(most.at("name")), domain);
  out.estimate = symmetry_displacement(most);
  out.threshold = thresholds.matters;
  const std::string accuracy = equivalence_text(most, thresholds), rival = rival_symmetry_text(most);
  if (outcome == SymmetryOutcome::beaten) return beaten_finding(std::move(out), of, text, accuracy);
  const bool shown = outcome == SymmetryOutcome::shown;
  out.title = fmt::format("{}: {} {}", shown ? "Loss-ambiguous" : "Perhaps loss-ambiguous", of, text);
  out.text = fmt::format("{} of {} {} {} ({}). {}{}{}", shown ? "Loss-ambiguous: images" : "Images", of, text,
                         shown ? "look like originals" : "may look like originals, which is undecided",
                         accuracy, rival, why_amber(outcome), moved_loss_text(parts, most));
  out.needed = symmetry_needs(most, text, outcome, thresholds);
  out.files = symmetry_files(parts, entries);
  return out;
}

std::string symmetries_with(const std::vector<JudgedSymmetry>& all, SymmetryOutcome outcome) {
  std::vector<std::string> names;
  for (const JudgedSymmetry& each : all)
    if (each.outcome == outcome)
      names.push_back(fmt::format("{} of {}", each.entry->at("name").get<std::string>(),
                                  each.entry->at("domain") == "a" ? "A" : "B"));
  return names.empty() ? "none" : join(names);
}

AuditFinding symmetry_summary(const std::vector<JudgedSymmetry>& all, const AuditThresholds& thresholds) {
  AuditFinding out;
  out.id = "symmetries";
  out.role = FindingRole::note;
  out.verdict = AuditVerdict::green;
  out.title = "Symmetries that are ruled out or do not matter";
  out.text = fmt::format(
      "Ruled out, since a classifier tells their images from originals: {}. Not ruled out, but "
      "moving translations by no more than {:g} of the distance of unrelated images, or not "
      "measurably: {}.",
      symmetries_with(all, SymmetryOutcome::excluded), thresholds.matters,
      symmetries_with(all, SymmetryOutcome::harmless));
  return out;
}

}  // namespace

std::vector<AuditFinding> judge_symmetries(const Json& parts, const AuditThresholds& thresholds) {
  const Json& measured = parts.at("symmetries");
  std::vector<JudgedSymmetry> all;
  for (const char* list : {"rivals", "others"})
    for (const Json& entry : measured.at(list))
      all.push_back({&entry, symmetry_outcome(parts, entry, thresholds)});
  std::vector<AuditFinding> out;
  std::vector<bool> told(all.size(), false);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const SymmetryOutcome outcome = all[i].outcome;
    if (told[i] || outcome == SymmetryOutcome::excluded || outcome == SymmetryOutcome::harmless) continue;
    std::vector<const Json*> together;
    for (std::size_t k = i; k < all.size(); ++k) {
      const Json &p = *all[i].entry, &q = *all[k].entry;
      if (all[k].outcome != outcome || p.at("domain") != q.at("domain") ||
          symmetry_family(p.at("name")) != symmetry_family(q.at("name")))
        continue;
      told[k] = true;
      together.push_back(&q);
    }
    out.push_back(symmetry_finding(parts, together, outcome, thresholds));
  }
  out.push_back(symmetry_summary(all, thresholds));
  return out;
}

}  // namespace torsor
