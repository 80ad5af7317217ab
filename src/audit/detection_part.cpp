// The limit of detection: the smallest planted change of the run's answers that this audit's own tests find.
#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <optional>

#include "audit/anchor_evidence.h"
#include "audit/corrections.h"
#include "audit/parts.h"
#include "audit/planted_changes.h"
#include "core/error.h"
#include "metric/bootstrap.h"
#include "metric/kernel_distance.h"

namespace torsor {

namespace {

constexpr std::int64_t kDetectionTrials = 40;
constexpr double kFoundInTrials = 0.95;         // share of them
constexpr std::int64_t kDetectionImages = 128;  // in which changes are planted
constexpr std::int64_t kGateImages = 64;        // of them, whose features are taken for each change
constexpr std::int64_t kLeastDetectionGroups = 5;

std::string detection_why_not(const AuditMaterial&) { return ""; }

// Resamples of the groups of some images: how often each image is drawn in each trial.
struct DetectionTrials {
  at::Tensor images;  // [T,N]
  at::Tensor units;   // [N]: group of each image
  std::int64_t groups = 0;
};

DetectionTrials make_trials(const std::vector<std::int64_t>& groups, Rng& rng) {
  std::map<std::int64_t, std::int64_t> ids;
  std::vector<std::int64_t> rows;
  for (const std::int64_t group : groups) rows.push_back(ids.emplace(group, std::ssize(ids)).first->second);
  DetectionTrials out;
  out.groups = std::ssize(ids);
  out.units = at::tensor(rows, at::kLong);
  at::Tensor weights = at::zeros({kDetectionTrials, out.groups}, at::kDouble);
  auto values = weights.accessor<double, 2>();
  for (std::int64_t t = 0; t < kDetectionTrials; ++t)
    for (std::int64_t g = 0; g < out.groups; ++g) ++values[t][rng.index(out.groups)];
  out.images = weights.index_select(1, out.units);
  return out;
}

// Mean and its lower 95 % limit over groups in each trial: [T] each.
struct TrialMeans {
  at::Tensor mean, low;
};

TrialMeans trial_means(const at::Tensor& values, const DetectionTrials& trials) {
  const at::Tensor total = trials.images.sum(1);
  const at::Tensor mean = at::mv(trials.images, values) / total;  // [T]
  // The residuals of each group, for the error of a ratio of sums.
  const at::Tensor residuals = trials.images * (values.unsqueeze(0) - mean.unsqueeze(1));  // [T,N]
  const at::Tensor of_groups =
      at::zeros({residuals.size(0), trials.groups}, at::kDouble).index_add(1, trials.units, residuals);
  // A group drawn w times stands for w groups of as many residuals.
  const at::Tensor drawn = at::zeros_like(of_groups).index_add(1, trials.units, trials.images) /
                           at::bincount(trials.units, {}, trials.groups).to(at::kDouble).unsqueeze(0);
  const at::Tensor squares = (of_groups.square() / drawn.clamp_min(1)).sum(1);
  const double n = static_cast<double>(trials.groups);
  const at::Tensor error = (squares * (n / (n - 1))).sqrt() / total;
  return {mean, mean - student_t(n - 1) * error};
}

// What the tests need of the run's answers, taken once.
struct DetectionBase {
  Direction direction;
  at::Tensor made;  // the answers that changes are planted in
  std::vector<std::int64_t> groups;
  DetectionTrials trials;
  MeanDistances unrelated, floor;
};

DetectionBase detection_base(AuditMaterial& material) {
  DetectionBase out;
  out.direction = material.directions().front();
  const AuditImages images = material.images(out.direction.from).first(kDetectionImages);
  out.made = material.translated(0, out.direction).narrow(0, 0, images.size());
  out.groups = images.groups;
  Rng rng = material.stream("detection/trials");
  out.trials = make_trials(out.groups, rng);
  out.unrelated = material.unrelated(out.direction.to);
  if (material.has_cycle()) {
    const Direction back = out.direction.opposite();
    const ImageDistances own =
        image_distances(material.brought_back(0, 0, back), material.images(back.from).values);
    out.floor = {own.whole.mean().item<double>() / out.unrelated.whole,
                 own.worst.mean().item<double>() / out.unrelated.worst};
  }
  return out;
}

// Would a run that does this differ from one that does not? [T] of bools.
at::Tensor found_by_runs(const DetectionBase& base, const at::Tensor& planted, const AuditThresholds& t) {
  const ImageDistances apart = image_distances(planted, base.made);
  const auto beyond = [&](const at::Tensor& values, double unrelated, double line) {
    return trial_means(values / unrelated, base.trials).low > line;
  };
  return beyond(apart.whole, base.unrelated.whole, base.floor.whole + t.difference_margin)
      .logical_or(beyond(apart.worst, base.unrelated.worst, base.floor.worst + t.local_margin));
}

// The gate's KID, image by image.
class GateTest {
 public:
  GateTest(AuditMaterial& material, const DetectionBase& base)
      : domain_(base.direction.to), real_(material.real_features(domain_)) {
    count_ = std::min(kGateImages, base.made.size(0));
    weights_ = base.trials.images.narrow(1, 0, count_);
    const at::Tensor& inputs = material.real_features(base.direction.from);
    if (inputs.size(0) < 2 || real_.size(0) < 2) return;
    limit_ = material.options().thresholds.solution_share * kernel_distance(inputs, real_);
    const at::Tensor kernel = kernel_of(real_, real_);
    const auto n = static_cast<double>(real_.size(0));
    among_real_ = (kernel.sum() - kernel.diagonal().sum()).item<double>() / (n * (n - 1));
  }

  /// Whether the gate's KID has a limit that a change can exceed.
  bool can_tell() const { return limit_ > 0; }

  /// Whether the translations, so changed, are no solution any more: [T].
  at::Tensor refuses(const AuditMaterial& material, const at::Tensor& translations) const {
    const at::Tensor fake = material.features(translations.narrow(0, 0, count_), domain_);
    at::Tensor kernel = kernel_of(fake, fake);
    kernel.fill_diagonal_(0);
    const at::Tensor pairs = weights_.sum(1).square() - weights_.square().sum(1);
    const at::Tensor among = (at::mm(weights_, kernel) * weights_).sum(1) / pairs.clamp_min(1);
    const at::Tensor across = at::mv(weights_, kernel_of(fake, real_).mean(1)) / weights_.sum(1).clamp_min(1);
    return among + among_real_ - 2 * across > limit_;
  }

 private:
  static at::Tensor kernel_of(const at::Tensor& x, const at::Tensor& y) {
    return (at::mm(x, y.t()) / static_cast<double>(x.size(1)) + 1).pow(3);
  }

  std::string domain_;
  at::Tensor real_, weights_;
  std::int64_t count_ = 0;
  double limit_ = 0, among_real_ = 0;
};

// Part I's tests on pairs: corrections and answers that are wrong somewhere.
class PairsTest {
 public:
  PairsTest(AuditMaterial& material, const Direction& direction)
      : material_(material), thresholds_(material.options().thresholds) {
    const AuditPairs pairs = anchor_pairs(material);
    const AuditImages& inputs = direction.from == "a" ? pairs.a : pairs.b;
    targets_ = (direction.to == "a" ? pairs.a : pairs.b).values;
    made_ = material.subject().generator(direction)(inputs.values);
    groups_ = inputs.groups;
    Rng rng = material.stream("detection/pairs");
    trials_ = make_trials(groups_, rng);
    unrelated_ = material.unrelated(direction.to);
  }

  const at::Tensor& answers() const { return made_; }
  std::int64_t groups() const { return trials_.groups; }

  /// Whether these answers could not be green: [T].
  at::Tensor refuses(const at::Tensor& answers) const {
    return correction_helps(answers).logical_or(some_are_wrong(answers));
  }

 private:
  at::Tensor correction_helps(const at::Tensor& answers) const {
    Rng rng = material_.stream("detection/halves");
    const CorrectedErrors errors = colour_corrected(answers, targets_, groups_, rng);
    const at::Tensor before = trial_means(errors.before, trials_).mean,
                     gained = trial_means(errors.before - errors.after, trials_).mean;
    return (gained > thresholds_.correction_margin * before)
        .logical_and(gained > thresholds_.copy_share * unrelated_.whole);
  }

  at::Tensor some_are_wrong(const at::Tensor& answers) const {
    const at::Tensor wrong =
        (image_distances(answers, targets_).worst > thresholds_.local_error * unrelated_.worst)
            .to(at::kDouble);
    const at::Tensor share = trial_means(wrong, trials_).mean;
    at::Tensor out = at::empty({share.numel()}, at::kBool);
    for (std::int64_t t = 0; t < share.numel(); ++t) {
      const double wrong_groups = share[t].item<double>() * static_cast<double>(trials_.groups);
      out[t] =
          share_interval(static_cast<std::int64_t>(std::ceil(wrong_groups - 1e-9)), trials_.groups).high >
          thresholds_.wrong_pairs;
    }
    return out;
  }

  AuditMaterial& material_;
  const AuditThresholds& thresholds_;
  at::Tensor targets_, made_;
  std::vector<std::int64_t> groups_;
  DetectionTrials trials_;
  MeanDistances unrelated_;
};

// The share of trials in which a test finds each change, by test.
using FoundShares = std::map<std::string, std::vector<double>>;

double found_share(const at::Tensor& found) { return found.to(at::kDouble).mean().item<double>(); }

PlantedImages planted_in(const AuditMaterial& material, const at::Tensor& images,
                         const Direction& direction) {
  return {images.size(0), images.size(1), std::min(images.size(2), images.size(3)),
          material.subject().info.domain(direction.to).range.black};
}

// Calls visit(images with the change) for each change, in order.
template <class Visit>
std::vector<PlantedChange> for_each_change(const AuditMaterial& material, const at::Tensor& images,
                                           const Direction& direction, const Visit& visit) {
  Rng rng = material.stream("detection/places");
  std::vector<PlantedChange> changes = planted_changes(planted_in(material, images, direction), rng);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    check_stop(material.stop());
    visit(changes[i].map(images));
    material.log().progress("limit of detection", static_cast<std::int64_t>(i + 1), std::ssize(changes));
  }
  return changes;
}

std::optional<double> smallest_found(const std::vector<double>& sizes, const std::vector<double>& shares) {
  std::optional<double> out;
  for (std::size_t i = sizes.size(); i-- > 0 && shares[i] >= kFoundInTrials;) out = sizes[i];
  return out;
}

// Whether this audit makes such a test: that of two runs needs two.
enum class TestUse { made, possible };

// One limit for each kind of change and test.
Json limits_of(const std::vector<PlantedChange>& changes, const std::string& test, TestUse use,
               const std::vector<double>& shares) {
  Json out = Json::array();
  for (std::size_t begin = 0; begin < changes.size();) {
    std::size_t end = begin;
    std::vector<double> sizes, found;
    Json listed = Json::array();
    for (; end < changes.size() && changes[end].text == changes[begin].text; ++end) {
      sizes.push_back(changes[end].size);
      found.push_back(shares[end]);
      listed.push_back({{"size", changes[end].size}, {"share", shares[end]}});
    }
    const std::optional<double> smallest = smallest_found(sizes, found);
    out.push_back({{"kind", changes[begin].kind},
                   {"text", changes[begin].text},
                   {"test", test},
                   {"available", use == TestUse::made},
                   {"smallest", smallest ? Json(*smallest) : Json(nullptr)},
                   {"unit", changes[begin].unit},
                   {"found", listed}});
    begin = end;
  }
  return out;
}

void append_limits(Json& all, Json more) {
  for (Json& one : more) all.push_back(std::move(one));
}

// What is refused without a change is not found by it.
Json limits_by_pairs(AuditMaterial& material, const Direction& direction) {
  const PairsTest test(material, direction);
  if (test.groups() < kLeastDetectionGroups) return Json::array();
  std::vector<double> found;
  const at::Tensor without = test.refuses(test.answers());
  const auto changes = for_each_change(material, test.answers(), direction, [&](const at::Tensor& planted) {
    found.push_back(found_share(test.refuses(planted).logical_and(without.logical_not())));
  });
  return limits_of(changes, "pairs", TestUse::made, found);
}

Json limits_table(const Json& limits) {
  static const std::map<std::string, std::string> kTests = {{"runs", "another run that lacks it"},
                                                            {"pairs", "the pairs"},
                                                            {"gate", "the look of all images (KID)"}};
  Json rows = Json::array();
  for (const Json& limit : limits)
    rows.push_back({limit.at("text"), kTests.at(limit.at("test")),
                    limit.at("smallest").is_null()
                        ? std::string("none of those tried")
                        : fmt::format("{:.3g} {}", limit.at("smallest").get<double>(),
                                      limit.at("unit").get<std::string>()),
                    limit.at("available") ? "yes" : "no"});
  return {{"caption", "The smallest planted change that is found in 95 % of trials."},
          {"header", {"change", "found by", "smallest", "part of this audit"}},
          {"rows", rows}};
}

Json measure_detection(AuditMaterial& material) {
  const AuditThresholds& thresholds = material.options().thresholds;
  const DetectionBase base = detection_base(material);
  Json out = {{"direction", base.direction.name()},
              {"trials", kDetectionTrials},
              {"images", base.made.size(0)},
              {"groups", base.trials.groups},
              {"limits", Json::array()}};
  if (base.trials.groups < kLeastDetectionGroups) {
    out["no_limits"] =
        fmt::format("{} groups of images; trials need {}", base.trials.groups, kLeastDetectionGroups);
    return out;
  }
  const GateTest gate(material, base);
  std::vector<double> runs, kid;
  const at::Tensor refused = gate.can_tell() ? gate.refuses(material, base.made) : at::Tensor();
  const auto changes = for_each_change(material, base.made, base.direction, [&](const at::Tensor& planted) {
    runs.push_back(found_share(found_by_runs(base, planted, thresholds)));
    if (gate.can_tell())
      kid.push_back(found_share(gate.refuses(material, planted).logical_and(refused.logical_not())));
  });
  append_limits(
      out["limits"],
      limits_of(changes, "runs", material.runs().size() > 1 ? TestUse::made : TestUse::possible, runs));
  if (gate.can_tell()) append_limits(out["limits"], limits_of(changes, "gate", TestUse::made, kid));
  if (material.pairs()) append_limits(out["limits"], limits_by_pairs(material, base.direction));
  out["tables"] = Json::array({limits_table(out["limits"])});
  return out;
}

// The least size by the tests that this audit makes.
std::optional<double> best_limit(const Json& limits, const std::string& text) {
  std::optional<double> out;
  for (const Json& limit : limits) {
    if (limit.at("text") != text || limit.at("smallest").is_null() || !limit.at("available").get<bool>())
      continue;
    const double size = limit.at("smallest");
    if (!out || size < *out) out = size;
  }
  return out;
}

std::vector<AuditFinding> judge_detection(const Json& parts, const AuditThresholds&) {
  const Json& part = parts.at("detection");
  AuditFinding out;
  out.id = "detection";
  out.role = FindingRole::note;
  out.title = "the limit of detection";
  if (part.contains("no_limits")) {
    out.text = "It is not known how small a wrong change this audit would find: " +
               part.at("no_limits").get<std::string>() + ".";
    return {out};
  }
  std::vector<std::string> found, missed;
  for (const Json& limit : part.at("limits")) {
    const std::string text = limit.at("text"), unit = limit.at("unit");
    const std::optional<double> size = best_limit(part.at("limits"), text);
    std::string said = size ? fmt::format("{} of {:.3g} {}", text, *size, unit) : text;
    std::vector<std::string>& list = size ? found : missed;
    if (std::find(list.begin(), list.end(), said) == list.end()) list.push_back(std::move(said));
  }
  out.text = found.empty()
                 ? "None of the changes that were planted in the translations would be found by this "
                   "audit on these images"
                 : "The smallest changes of the translations that this audit finds on these images "
                   "in 95 % of trials: " +
                       join(found);
  out.text +=
      missed.empty() || found.empty() ? "." : fmt::format("; not found at any size: {}.", join(missed));
  return {out};
}

}  // namespace

AuditPart detection_part() {
  return {"detection",
          "How small an error would be found?",
          "Known errors are planted in the translations, and the audit's own tests are run on them. What is "
          "smaller than the smallest that they find can be there without a word of this page.",
          detection_why_not,
          measure_detection,
          judge_detection,
          LineUse::measuring};
}

}  // namespace torsor
