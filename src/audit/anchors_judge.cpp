#include <algorithm>
#include <optional>

#include "audit/anchors.h"
#include "audit/paired_test.h"
#include "audit/rival_standing.h"
#include "audit/rivals.h"
#include "audit/run_classes.h"
#include "core/error.h"

namespace torsor {

namespace {

constexpr double kClearlyWrongColours = 3;  // margins: beyond calibration, another map
constexpr double kMostAreWrong = 0.5;       // share of pairs from which the run is wrong
constexpr std::size_t kNamedRivals = 3;     // in a sentence

// What the judgement of one kind of evidence in one direction looks at.
struct AnchorCase {
  std::string kind, direction;
  const Json& evidence;
  std::vector<RivalStanding> rivals;
  std::vector<std::string> beaten_otherwise;  // by the other kind of evidence
  const AuditThresholds& thresholds;

  bool of_pairs() const { return kind == "pairs"; }
  double run_error() const { return evidence.at("error").at("value"); }
  std::string observed() const {
    return of_pairs() ? fmt::format("{} pairs", evidence.at("pairs").get<std::int64_t>())
                      : fmt::format("{} labelled images", evidence.at("images").get<std::int64_t>());
  }
};

// One reason against green.
struct AnchorReason {
  AuditVerdict verdict = AuditVerdict::amber;
  std::string title, text, needed;
  std::optional<Estimate> estimate = std::nullopt;
  std::optional<double> threshold = std::nullopt;
};

std::string anchor_percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

// Whether what is preferred is another solution. One image for all inputs has a small error where answers are
// sharp and not exact; and of two runs of one answer one is always a little the better.
bool is_another_solution(const RivalStanding& rival, double run_error, const AuditThresholds& t) {
  if (rival.id == kConstantRival) return false;
  return rival.shown_other || run_error - rival.error > t.difference_margin;
}

// Of answers that are preferred the one of the least error; those that are no other solution last.
const RivalStanding* strongest_preferred(const AnchorCase& c) {
  const auto strength = [&](const RivalStanding& rival) {
    return std::pair(is_another_solution(rival, c.run_error(), c.thresholds), rival.improvement);
  };
  const RivalStanding* out = nullptr;
  for (const RivalStanding& rival : c.rivals)
    if (rival.preferred && (out == nullptr || strength(rival) > strength(*out))) out = &rival;
  return out;
}

std::optional<AnchorReason> rival_is_preferred(const AnchorCase& c) {
  const RivalStanding* rival = strongest_preferred(c);
  if (rival == nullptr) return std::nullopt;
  const bool clearly = is_another_solution(*rival, c.run_error(), c.thresholds) &&
                       rival->improvement > c.thresholds.correction_margin;
  AnchorReason out;
  out.verdict = clearly ? AuditVerdict::red : AuditVerdict::amber;
  out.title = fmt::format("{} {}: another answer is nearer to the truth", c.of_pairs() ? "pairs" : "labels",
                          c.direction);
  out.text = fmt::format(
      "On {} the answer \"{}\" has an error that is {} smaller than this translator's ({:.2g}, its own "
      "{:.2g}), "
      "which is no accident: {}.",
      c.observed(), rival->text, anchor_percent(rival->improvement), rival->error, c.run_error(),
      clearly              ? (rival->id == "copy" ? "it changes what it should have kept"
                                                  : "training chose the wrong one of several solutions")
      : rival->shown_other ? "the difference is small, but this translator is not the best of the answers"
                           : "the two are not shown to be different answers, but this one is not the better");
  out.needed = clearly ? "train again with pairs as anchors, or with another seed, and audit that"
                       : "audit the better answer in its place";
  return out;
}

std::optional<AnchorReason> classes_are_exchanged_or_wrong(const AnchorCase& c) {
  const Json& wrong = c.evidence.at("wrong");
  if (wrong.at("interval").at(0).get<double>() <= kMostAreWrong) return std::nullopt;
  AnchorReason out;
  out.verdict = AuditVerdict::red;
  out.title = fmt::format("{}: most answers are wrong", c.direction);
  out.text = fmt::format("{} of {} {}.", anchor_percent(wrong.at("share")), c.observed(),
                         c.of_pairs() ? "are clearly wrong somewhere in the image"
                                      : "change their class when they are translated");
  return out;
}

struct CountedCorrection {
  const Json* json = nullptr;
  Estimate improvement;
  bool is_red = false;
};

// The correction that takes most away of those that say something of the map.
CountedCorrection counted_correction(const AnchorCase& c) {
  CountedCorrection best;
  if (!c.evidence.contains("corrections")) return best;
  const double margin = c.thresholds.correction_margin;
  for (const Json& one : c.evidence.at("corrections")) {
    const Estimate improvement = Estimate::from(one.at("improvement"));
    if (one.at("kind") == "sharpness" || improvement.value <= margin ||
        one.at("taken_away").get<double>() < c.thresholds.copy_share)
      continue;
    const bool other_map = one.at("kind") == "wrong_map" ||
                           (one.at("name") == "colour" && improvement.value > kClearlyWrongColours * margin);
    const bool is_red = other_map && improvement.low() > 0;
    if (best.json != nullptr &&
        std::pair(best.is_red, best.improvement.value) >= std::pair(is_red, improvement.value))
      continue;
    best = {&one, improvement, is_red};
  }
  return best;
}

std::optional<AnchorReason> correction_helps(const AnchorCase& c) {
  const CountedCorrection best = counted_correction(c);
  if (best.json == nullptr) return std::nullopt;
  const std::string text = best.json->at("text");
  AnchorReason out;
  out.verdict = best.is_red ? AuditVerdict::red : AuditVerdict::amber;
  out.title = fmt::format("{}: {} makes the answers better", c.direction, text);
  out.text = fmt::format(
      "{}, fitted on half of the pairs, takes {} of the error away on the other half: {}.",
      std::string(1, static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])))) + text.substr(1),
      anchor_percent(best.improvement.value),
      best.is_red ? "the translator is wrong in the same way everywhere" : "the answers are not calibrated");
  out.needed = "train longer or with pairs as anchors, or apply the correction and audit the result";
  out.estimate = best.improvement;
  out.threshold = c.thresholds.correction_margin;
  return out;
}

std::vector<const RivalStanding*> unbeaten_rivals(const AnchorCase& c) {
  std::vector<const RivalStanding*> out;
  for (const RivalStanding& rival : c.rivals) {
    const bool elsewhere =
        std::find(c.beaten_otherwise.begin(), c.beaten_otherwise.end(), rival.id) != c.beaten_otherwise.end();
    if (rival.required() && !rival.beaten && !elsewhere) out.push_back(&rival);
  }
  return out;
}

std::string rival_texts(const std::vector<const RivalStanding*>& rivals) {
  std::string out;
  for (std::size_t i = 0; i < std::min(kNamedRivals, rivals.size()); ++i)
    out += (i > 0 ? ", \"" : "\"") + rivals[i]->text + "\"";
  return rivals.size() > kNamedRivals ? fmt::format("{} and {} more", out, rivals.size() - kNamedRivals)
                                      : out;
}

// Enough to beat all of these, tested together.
std::string pairs_to_separate(const AnchorCase& c, std::size_t rivals) {
  const auto groups = c.evidence.at("groups").get<std::int64_t>();
  const std::int64_t least = pairs_for_rivals(static_cast<std::int64_t>(rivals));
  const char* what = c.of_pairs() ? "pairs" : "labelled images";
  const std::string others = c.of_pairs() ? "" : "pairs, since labels may not tell these answers apart, or ";
  if (groups < least)
    return fmt::format("{}at least {} {} of different patients, clips or originals (there are {})", others,
                       least, what, groups);
  return fmt::format("{}more {} than {}, best of those under \"Which pair to acquire\"", others, what,
                     groups);
}

std::optional<AnchorReason> rival_is_unbeaten(const AnchorCase& c) {
  const std::vector<const RivalStanding*> left = unbeaten_rivals(c);
  if (left.empty()) return std::nullopt;
  const auto tested = static_cast<std::size_t>(
      std::count_if(c.rivals.begin(), c.rivals.end(), [](const RivalStanding& r) { return r.required(); }));
  AnchorReason out;
  out.title = fmt::format("{} {}: {} of {} other answers cannot be ruled out",
                          c.of_pairs() ? "pairs" : "labels", c.direction, left.size(), tested);
  out.text = fmt::format("On {} this translator is not shown to be nearer to the truth than {}.",
                         c.observed(), rival_texts(left));
  // The tests of both directions are corrected together.
  out.needed = pairs_to_separate(c, 2 * tested);
  return out;
}

std::optional<AnchorReason> too_many_may_be_wrong(const AnchorCase& c) {
  const Json& wrong = c.evidence.at("wrong");
  const double classifier = c.of_pairs() ? 0 : 1 - c.evidence.at("accuracy").get<double>(),
               limit = c.thresholds.wrong_pairs + classifier;
  const double high = wrong.at("interval").at(1);
  if (high <= limit) return std::nullopt;
  AnchorReason out;
  out.title = fmt::format("{} {}: up to {} may be wrong", c.of_pairs() ? "pairs" : "labels", c.direction,
                          anchor_percent(high));
  out.text = fmt::format("{} of {} {}; up to {} of all images may ({} are allowed).",
                         anchor_percent(wrong.at("share")), c.observed(),
                         c.of_pairs() ? "are clearly wrong somewhere in the image" : "change their class",
                         anchor_percent(high), anchor_percent(limit));
  const auto groups = wrong.at("groups").get<std::int64_t>();
  if (limit < 1 && groups < pairs_for_share(limit))
    out.needed = fmt::format("at least {} {} of different patients, clips or originals (there are {})",
                             pairs_for_share(limit), c.of_pairs() ? "pairs" : "labelled images", groups);
  out.estimate = Estimate{wrong.at("share"), Interval{wrong.at("interval").at(0), high}, ""};
  out.threshold = limit;
  return out;
}

std::optional<AnchorReason> copying_is_not_right(const AnchorCase& c) {
  const double error = c.evidence.at("error").at("value");
  if (!c.evidence.at("copies").get<bool>() || error <= c.thresholds.copy_share) return std::nullopt;
  AnchorReason out;
  out.title = c.direction + ": the translator copies its input";
  out.text = fmt::format(
      "The answers are the inputs, and the truth differs from them by {:.2g}, where 1 is an "
      "unrelated image.",
      error);
  return out;
}

std::optional<AnchorReason> corrections_are_unknown(const AnchorCase& c) {
  if (!c.of_pairs()) return std::nullopt;
  const Json& all = c.evidence.at("corrections");
  const bool known = !all.empty() && std::none_of(all.begin(), all.end(), [](const Json& one) {
    return one.at("improvement").at("interval").is_null();
  });
  if (known) return std::nullopt;
  AnchorReason out;
  out.title = "pairs " + c.direction + ": too few to try corrections";
  out.text = fmt::format(
      "{} are too few to fit a correction on half of them and to try it on the other half.", c.observed());
  out.needed = "pairs of at least 5 different patients, clips or originals";
  return out;
}

std::vector<AnchorReason> anchor_reasons(const AnchorCase& c) {
  std::vector<AnchorReason> out;
  for (const auto look :
       {rival_is_preferred, classes_are_exchanged_or_wrong, correction_helps, rival_is_unbeaten,
        too_many_may_be_wrong, copying_is_not_right, corrections_are_unknown})
    if (std::optional<AnchorReason> reason = look(c)) out.push_back(std::move(*reason));
  std::stable_partition(out.begin(), out.end(),
                        [](const AnchorReason& r) { return r.verdict == AuditVerdict::red; });
  return out;
}

AuditFinding green_anchor(const AnchorCase& c) {
  AuditFinding out;
  out.verdict = AuditVerdict::green;
  const auto beaten =
      std::count_if(c.rivals.begin(), c.rivals.end(), [](const RivalStanding& r) { return r.required(); });
  const double high = c.evidence.at("wrong").at("interval").at(1);
  if (c.of_pairs()) {
    out.title = fmt::format("pairs {}: nearer to the truth than {} other answers", c.direction, beaten);
    out.text = fmt::format(
        "On {} that training never saw this translator is nearer to the truth than each of {} answers that "
        "unpaired images may leave open; no simple correction helps it by more than {}, and at most {} of "
        "its "
        "answers are wrong somewhere.",
        c.observed(), beaten, anchor_percent(c.thresholds.correction_margin), anchor_percent(high));
  } else {
    out.title = fmt::format("labels {}: classes are kept", c.direction);
    out.text = fmt::format(
        "Of {} {} keep their class, and at most {} of all change it; what has no label is "
        "not looked at.",
        c.observed(), anchor_percent(1 - c.evidence.at("wrong").at("share").get<double>()),
        anchor_percent(high));
  }
  return out;
}

AuditFinding judged_case(const AnchorCase& c) {
  const std::vector<AnchorReason> reasons = anchor_reasons(c);
  AuditFinding out;
  if (reasons.empty()) {
    out = green_anchor(c);
  } else {
    out.verdict = reasons.front().verdict;
    out.title = reasons.front().title;
    out.text = reasons.front().text;
    for (const AnchorReason& reason : reasons)
      if (!reason.needed.empty()) out.needed += (out.needed.empty() ? "" : "; ") + reason.needed;
  }
  out.estimate = Estimate::from(c.evidence.at("error"));
  if (!reasons.empty() && reasons.front().estimate) {
    out.estimate = reasons.front().estimate;
    out.threshold = reasons.front().threshold;
  }
  out.id = (c.of_pairs() ? "anchors-" : "labels-") + c.direction;
  out.role = FindingRole::evidence;
  if (c.evidence.contains("figures"))
    for (const Json& figure : c.evidence.at("figures")) out.files.push_back(figure.at("file"));
  return out;
}

// `apart`: see runs_shown_apart().
bool is_shown_other(const std::string& id, const std::vector<std::string>& apart) {
  const std::string prefix = kRunRival;
  return !id.starts_with(prefix) ||
         std::find(apart.begin(), apart.end(), id.substr(prefix.size())) != apart.end();
}

std::vector<std::string> beaten_of(const std::vector<RivalStanding>& rivals) {
  std::vector<std::string> out;
  for (const RivalStanding& rival : rivals)
    if (rival.beaten) out.push_back(rival.id);
  return out;
}

}  // namespace

std::vector<AuditFinding> judge_anchors(const Json& parts, const AuditThresholds& thresholds) {
  const Json& anchors = parts.at("anchors");
  const std::vector<std::string> excluded = excluded_rivals(parts),
                                 apart = runs_shown_apart(parts, thresholds);
  std::vector<AuditFinding> out;
  for (const auto& [direction, of] : anchors.at("directions").items()) {
    const auto standings = [&](const char* kind) {
      std::vector<RivalStanding> all = rival_standings(anchors, kind, direction, excluded, thresholds);
      for (RivalStanding& rival : all) rival.shown_other = is_shown_other(rival.id, apart);
      return all;
    };
    for (const auto& [kind, other] : {std::pair("pairs", "labels"), std::pair("labels", "pairs")})
      if (of.contains(kind))
        out.push_back(judged_case(
            {kind, direction, of.at(kind), standings(kind), beaten_of(standings(other)), thresholds}));
  }
  return out;
}

}  // namespace torsor
