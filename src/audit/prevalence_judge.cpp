#include "audit/prevalence_judge.h"

#include <algorithm>
#include <cmath>

#include "audit/direction_text.h"
#include "core/error.h"

namespace torsor {

namespace {

constexpr double kSpotP = 0.01;                      // of the test that X's and Y's spots differ
constexpr double kLeastPart = 0.1, kMostPart = 0.9;  // shares of a domain's images that are some but not all
constexpr double kLeastGap = 0.05;  // prevalences nearer than this leave "moved" to the classifier's errors

std::string percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

double value_of(const Json& estimate) { return Estimate::from(estimate).value; }

// "moved" where it is known and prevalences differ enough.
std::optional<Estimate> moved_of(const Json& measured) {
  if (measured.at("moved").is_null() || std::abs(value_of(measured.at("gap"))) < kLeastGap)
    return std::nullopt;
  return Estimate::from(measured.at("moved"));
}

AuditFinding content_note(const std::string& id, const std::string& title, const std::string& text) {
  AuditFinding out;
  out.id = id;
  out.title = title;
  out.text = text;
  out.role = FindingRole::note;
  out.verdict = AuditVerdict::green;
  return out;
}

// Whether tables show that the classifier mostly guesses.
bool too_weak(const Json& measured, double power) {
  return measured.at("known").get<bool>() &&
         std::min(measured.at("power_from").get<double>(), measured.at("power_to").get<double>()) < power;
}

std::string classifier_text(const Json& measured) {
  if (!measured.at("known").get<bool>())
    return "Classes are those of a classifier whose accuracy on these images is not known.";
  return fmt::format(
      "The classifier is right for {} and {} of the inputs' and the target's images that it had not "
      "learnt.",
      percent(measured.at("accuracy_from").get<double>()), percent(measured.at("accuracy_to").get<double>()));
}

AuditFinding agreement_finding(const std::string& direction, const Json& measured,
                               const AuditThresholds& lines) {
  const Estimate shortfall = Estimate::from(measured.at("shortfall")),
                 agreement = Estimate::from(measured.at("agreement"));
  const std::string way = direction_text(direction),
                    permutation = measured.at("permutation").get<std::string>();
  AuditFinding out = content_note(
      "classes-" + direction, "Classes of translations, " + way,
      fmt::format(
          "{} of the translations {} have the class of their input; the classifier's errors alone would "
          "leave {}.",
          percent(agreement.value), way, percent(measured.at("attainable").get<double>())));
  out.estimate = agreement;
  if (shortfall.low() > lines.label_shortfall) {
    out.role = FindingRole::lowers;
    out.verdict = AuditVerdict::amber;
    out.title = "Translations change their class, " + way;
    out.text += fmt::format(" At least {} of them show another class than the image that they were made of.",
                            percent(shortfall.low()));
    if (permutation != "identity") out.text += " Classes are exchanged: " + permutation + ".";
    out.estimate = shortfall;
    out.threshold = lines.label_shortfall;
  } else if (shortfall.value > lines.label_shortfall) {
    out.needed = "more labelled images of different groups, to tell whether translations keep their class";
  }
  out.text += " " + classifier_text(measured);
  return out;
}

std::string prevalence_text(const Json& row, const Estimate& moved) {
  return fmt::format(
      "'{}': {} of the inputs, {} of their translations and {} of the target's images; {} of the way moved",
      printable(row.at("class").get<std::string>()), percent(value_of(row.at("x"))),
      percent(value_of(row.at("translated"))), percent(value_of(row.at("y"))), moved.text());
}

// Of the classes whose prevalences differ: the one that has moved most surely, and all that have moved.
AuditFinding prevalence_finding(const std::string& direction, const Json& measured,
                                const AuditThresholds& lines) {
  std::vector<std::string> changed, differing;
  std::optional<Estimate> surest;
  for (const Json& row : measured.at("prevalences")) {
    const std::optional<Estimate> moved = moved_of(row);
    if (!moved) continue;
    differing.push_back(prevalence_text(row, *moved));
    if (moved->low() <= lines.prevalence_moved) continue;
    changed.push_back(differing.back());
    if (!surest || moved->low() > surest->low()) surest = moved;
  }
  const std::string way = direction_text(direction);
  if (changed.empty()) {
    const std::string text =
        differing.empty()
            ? "No class is clearly more frequent in one domain than in the other."
            : "Translations do not clearly follow the target's prevalences: " + join(differing, "; ") + ".";
    return content_note("prevalence-" + direction, "Prevalence of classes, " + way,
                        text + " " + classifier_text(measured));
  }
  AuditFinding out;
  out.id = "prevalence-" + direction;
  out.title = "Content is added or removed, " + way;
  out.text = fmt::format(
      "Translations {} follow the target's prevalences instead of their inputs': class {}. A structure may "
      "have "
      "been added to images that lack it, or removed from images that have it, so that translations look "
      "like "
      "the target's images (Cohen et al. 2018). {}",
      way, join(changed, "; class "), classifier_text(measured));
  out.estimate = surest;
  out.threshold = lines.prevalence_moved;
  return out;
}

bool some_but_not_all(double share) { return share >= kLeastPart && share <= kMostPart; }

// Neither polarity of the one side tells where the other has spots.
bool follow_nothing(const Json& kept, double rank_kept) {
  return std::all_of(kept.begin(), kept.end(), [&](const Json& each) {
    if (each.is_null()) return false;
    const Estimate correlation = Estimate::from(each);
    return correlation.high() < rank_kept && correlation.low() > -rank_kept;
  });
}

bool content_changed(const Json& spots, const AuditThresholds& lines) {
  const std::optional<Estimate> moved = moved_of(spots);
  const bool in_some = some_but_not_all(value_of(spots.at("x"))) || some_but_not_all(value_of(spots.at("y")));
  return spots.at("p").get<double>() < kSpotP && in_some && moved && moved->low() > lines.prevalence_moved &&
         follow_nothing(spots.at("kept"), lines.rank_kept);
}

std::string shares_text(const Json& spots) {
  return fmt::format("{} of the inputs, {} of their translations and {} of the target's images",
                     percent(value_of(spots.at("x"))), percent(value_of(spots.at("translated"))),
                     percent(value_of(spots.at("y"))));
}

AuditFinding spots_finding(const std::string& direction, const std::string& polarity, const Json& spots,
                           const AuditThresholds& lines) {
  const bool fewer = value_of(spots.at("y")) < value_of(spots.at("x"));
  AuditFinding out;
  out.id = fmt::format("spots-{}-{}", polarity, direction);
  out.title =
      fmt::format("Structures may have been {}, {}", fewer ? "removed" : "added", direction_text(direction));
  out.text = fmt::format(
      "A {} spot stands out in {}, and where it does in the translations no longer follows the inputs: "
      "structures may have been {}. This was found without labels, so it is a hint alone; a change of style "
      "can "
      "look the same.",
      polarity, shares_text(spots), fewer ? "removed" : "added");
  out.estimate = moved_of(spots);
  out.threshold = lines.prevalence_moved;
  out.needed =
      "labels of the images (--labels-a, --labels-b, or --classifier), to tell whether structures were added "
      "or removed";
  return out;
}

}  // namespace

std::vector<AuditFinding> judge_classes(const std::string& direction, const Json& measured,
                                        const AuditThresholds& thresholds) {
  if (too_weak(measured, thresholds.label_power)) {
    AuditFinding note =
        content_note("classes-" + direction, "Labels say too little, " + direction_text(direction),
                     classifier_text(measured) +
                         " That is too little beyond guessing to tell whether translations keep their "
                         "class.");
    note.needed =
        "features that tell the classes apart (--features), a classifier (--classifier), or more labelled "
        "images";
    return {note};
  }
  return {agreement_finding(direction, measured, thresholds),
          prevalence_finding(direction, measured, thresholds)};
}

std::vector<AuditFinding> judge_spots(const std::string& direction, const Json& measured,
                                      const AuditThresholds& thresholds) {
  std::vector<AuditFinding> out;
  for (const auto& [polarity, spots] : measured.items())
    if (content_changed(spots, thresholds))
      out.push_back(spots_finding(direction, polarity, spots, thresholds));
  if (!out.empty()) return out;
  return {content_note(
      "spots-" + direction, "Bright and dark spots, " + direction_text(direction),
      fmt::format("Nothing was found that adds or removes spots: a bright one stands out in {}; a "
                  "dark one in {}. Other changes of content are not seen without labels.",
                  shares_text(measured.at("bright")), shares_text(measured.at("dark"))))};
}

}  // namespace torsor
