#include "audit/anchor_evidence.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>

#include "audit/corrections.h"
#include "audit/group_cut.h"
#include "audit/rival_standing.h"
#include "core/error.h"
#include "metric/confusion.h"
#include "metric/statistics.h"

namespace torsor {

namespace {

constexpr std::int64_t kQuickPairs = 128;
constexpr std::int64_t kUnrelatedTargets = 3;  // of each pair
constexpr std::int64_t kLabelledImages = 64;   // that are translated under every symmetry

MeanDistances distance_shares(const ImageDistances& distances, const MeanDistances& unrelated) {
  return {distances.whole.mean().item<double>() / unrelated.whole,
          distances.worst.mean().item<double>() / unrelated.worst};
}

// The error of answers, [N]: half by the whole image and half by the worst patch, each as a share of what
// unrelated images differ by. A background that is kept does not outweigh an object that is wrong, nor a
// faint texture everywhere one that is right.
at::Tensor error_shares(const at::Tensor& answers, const at::Tensor& targets,
                        const MeanDistances& unrelated) {
  const ImageDistances d = image_distances(answers, targets);
  return (d.whole / unrelated.whole + d.worst / unrelated.worst) / 2;
}

// How far the run's own way back and there again moves its answers.
MeanDistances run_floor(const AuditMaterial& material, const Direction& direction, const at::Tensor& made,
                        const MeanDistances& unrelated) {
  const AuditedRun& run = material.subject();
  if (!run.has(direction.opposite())) return {};
  return distance_shares(
      image_distances(run.generator(direction)(run.generator(direction.opposite())(made)), made), unrelated);
}

// Each image of x, and what the run made of it, against all rivals: `error` gives the errors of answers.
std::vector<RivalErrors> errors_of_rivals(AuditMaterial& material, const Direction& direction,
                                          const at::Tensor& x, const at::Tensor& made,
                                          const std::function<at::Tensor(const at::Tensor&)>& error) {
  const MeanDistances& unrelated = material.unrelated(direction.to);
  const std::vector<RivalAnswer> rivals = rival_answers(material, direction);
  std::vector<RivalErrors> out;
  MeanDistances floor;
  for (std::size_t i = 0; i < rivals.size(); ++i) {
    check_stop(material.stop());
    const at::Tensor answers = rivals[i].answer(x, made);
    RivalErrors errors{rivals[i].id, rivals[i].text, error(answers),
                       distance_shares(image_distances(answers, made), unrelated)};
    if (rivals[i].id.starts_with("run:")) {
      if (floor.whole == 0) floor = run_floor(material, direction, made, unrelated);
      errors.floor = floor;
    }
    out.push_back(std::move(errors));
    material.log().progress("rivals: " + direction.name(), static_cast<std::int64_t>(i + 1),
                            std::ssize(rivals));
  }
  return out;
}

// For each image one of another group, drawn anew for each column: [N,k].
std::vector<at::Tensor> strangers_of(const std::vector<std::int64_t>& groups, std::int64_t k, Rng& rng) {
  std::vector<at::Tensor> out;
  for (std::int64_t column = 0; column < k; ++column) {
    std::vector<std::int64_t> places;
    for (std::size_t i = 0; i < groups.size(); ++i) {
      std::vector<std::int64_t> others;
      for (std::size_t j = 0; j < groups.size(); ++j)
        if (groups[j] != groups[i]) others.push_back(static_cast<std::int64_t>(j));
      if (others.empty()) return {};
      places.push_back(others[static_cast<std::size_t>(rng.index(std::ssize(others)))]);
    }
    out.push_back(at::tensor(places, at::kLong));
  }
  return out;
}

// The places of the images of every second group, and of the others.
std::pair<at::Tensor, at::Tensor> two_halves(const std::vector<std::int64_t>& groups) {
  std::vector<std::int64_t> places[2];
  std::map<std::int64_t, std::int64_t> half;
  for (std::size_t i = 0; i < groups.size(); ++i)
    places[half.emplace(groups[i], std::ssize(half) % 2).first->second].push_back(
        static_cast<std::int64_t>(i));
  return {at::tensor(places[0], at::kLong), at::tensor(places[1], at::kLong)};
}

// The share of wrong observations, with Wilson's interval over groups: a group counts for the share of its
// images that are wrong, rounded against the one that the limit is for.
Json wrong_evidence(const at::Tensor& wrong, const std::vector<std::int64_t>& groups) {
  std::map<std::int64_t, std::pair<double, double>> of_group;  // wrong, all
  for (std::size_t i = 0; i < groups.size(); ++i) {
    of_group[groups[i]].first += wrong[static_cast<std::int64_t>(i)].item<bool>() ? 1 : 0;
    of_group[groups[i]].second += 1;
  }
  double sum = 0;
  for (const auto& [group, counts] : of_group) sum += counts.first / counts.second;
  constexpr double kRounding = 1e-9;
  const auto n = std::ssize(of_group);
  const Interval low = share_interval(static_cast<std::int64_t>(std::floor(sum + kRounding)), n),
                 high = share_interval(static_cast<std::int64_t>(std::ceil(sum - kRounding)), n);
  return {{"share", sum / static_cast<double>(n)},
          {"interval", {low.low, high.high}},
          {"groups", n},
          {"observations", wrong.numel()},
          {"count", wrong.sum().item<std::int64_t>()}};
}

Json corrections_json(AuditMaterial& material, const Direction& direction, const at::Tensor& made,
                      const at::Tensor& targets, const std::vector<std::int64_t>& groups) {
  Rng rng = material.stream("corrections/" + direction.name());
  const std::vector<Symmetry> symmetries = battery_of(material, direction.to);
  Json out = Json::array();
  for (const TriedCorrection& one :
       tried_corrections(made, targets, groups, symmetries, material.options().resamples, rng))
    out.push_back({{"name", one.name},
                   {"text", one.text},
                   {"kind", correction_kind_name(one.kind)},
                   {"improvement", one.improvement.json()},
                   {"taken_away", one.taken_away}});
  return out;
}

// The pair's image of other groups as the answer.
void add_unrelated_targets(std::vector<RivalErrors>& rivals, const at::Tensor& targets,
                           const at::Tensor& made, const std::vector<std::int64_t>& groups,
                           const MeanDistances& unrelated, Rng& rng) {
  at::Tensor error;
  MeanDistances displacement;
  for (const at::Tensor& places : strangers_of(groups, kUnrelatedTargets, rng)) {
    const at::Tensor answers = targets.index_select(0, places);
    const at::Tensor one = error_shares(answers, targets, unrelated);
    error = error.defined() ? error + one : one;
    displacement = distance_shares(image_distances(answers, made), unrelated);
  }
  if (error.defined())
    rivals.push_back({kUnrelatedRival, "the target of another pair",
                      error / static_cast<double>(kUnrelatedTargets), displacement});
}

// Where the run's answers are furthest from the targets, in the middle, and nearest.
std::vector<std::int64_t> shown_pairs(const at::Tensor& error) {
  const at::Tensor order = at::argsort(error, 0, /*descending=*/true);
  std::vector<std::int64_t> out;
  for (const std::int64_t place : {std::int64_t{0}, error.numel() / 2, error.numel() - 1}) {
    const auto pair = order[place].item<std::int64_t>();
    if (std::find(out.begin(), out.end(), pair) == out.end()) out.push_back(pair);
  }
  return out;
}

// One image for all inputs: the median of the targets of the other half of the groups.
void add_constant_answer(std::vector<RivalErrors>& rivals, const at::Tensor& targets, const at::Tensor& made,
                         const std::vector<std::int64_t>& groups, const MeanDistances& unrelated) {
  const auto [first, second] = two_halves(groups);
  if (first.numel() == 0 || second.numel() == 0) return;
  at::Tensor answers = at::empty_like(targets);
  const auto median_of = [&](const at::Tensor& places) {
    return std::get<0>(targets.index_select(0, places).median(0, /*keepdim=*/true));
  };
  answers.index_copy_(0, first, median_of(second).expand_as(targets.index_select(0, first)));
  answers.index_copy_(0, second, median_of(first).expand_as(targets.index_select(0, second)));
  rivals.push_back({kConstantRival, "one image for all inputs", error_shares(answers, targets, unrelated),
                    distance_shares(image_distances(answers, made), unrelated)});
}

bool copies_inputs(const std::vector<RivalErrors>& rivals, double copy_share) {
  return std::any_of(rivals.begin(), rivals.end(), [&](const RivalErrors& r) {
    return r.id == "copy" && r.displacement.whole < copy_share;
  });
}

// The classes of the held-out images of a domain, and of which images: the first that have a label.
struct Labelled {
  std::vector<std::int64_t> places, groups;
  at::Tensor classes;  // [n] int64
};

Labelled labelled_images(const AuditMaterial& material, const std::string& domain) {
  const AuditLabels& labels = *material.labels();
  const at::Tensor& all = domain == "a" ? labels.a : labels.b;
  const AuditImages& images = material.images(domain);
  Labelled out;
  for (std::int64_t i = 0; i < all.numel() && std::ssize(out.places) < kLabelledImages; ++i)
    if (all[i].item<std::int64_t>() >= 0) {
      out.places.push_back(i);
      out.groups.push_back(images.groups[static_cast<std::size_t>(i)]);
    }
  if (!out.places.empty()) out.classes = all.index_select(0, at::tensor(out.places, at::kLong));
  return out;
}

ConfusionMatrix evidence_matrix(const at::Tensor& from, const at::Tensor& to, std::int64_t classes) {
  ConfusionMatrix out(classes);
  for (std::int64_t i = 0; i < from.numel(); ++i)
    out.add(from[i].item<std::int64_t>(), to[i].item<std::int64_t>());
  return out;
}

// The classes that the best permutation of the other half's groups gives the inputs of each half: a
// permutation that was chosen on the images that it is tried on would look better than it is.
at::Tensor permuted_classes(const at::Tensor& from, const at::Tensor& to,
                            const std::vector<std::int64_t>& groups, std::int64_t classes) {
  at::Tensor out = from.clone();
  const auto [first, second] = two_halves(groups);
  for (const auto& [fitted, tried] : {std::pair(first, second), std::pair(second, first)}) {
    if (fitted.numel() == 0 || tried.numel() == 0) continue;
    const at::Tensor permutation = at::tensor(
        summarize(evidence_matrix(from.index_select(0, fitted), to.index_select(0, fitted), classes))
            .permutation,
        at::kLong);
    out.index_copy_(0, tried, permutation.index_select(0, from.index_select(0, tried)));
  }
  return out;
}

// The rival for which the right class is another one: the run's answers are its answers.
void add_permutation(std::vector<RivalErrors>& rivals, const std::string& cycles, const at::Tensor& wanted,
                     const at::Tensor& from, const at::Tensor& to) {
  if (wanted.equal(from)) return;
  rivals.push_back(
      {"labels:" + cycles, "the classes exchanged as " + cycles, (to != wanted).to(at::kDouble), {1, 1}});
}

}  // namespace

AuditPairs anchor_pairs(const AuditMaterial& material) {
  const AuditPairs& all = *material.pairs();
  if (material.options().size() == AuditScale::full || all.size() <= kQuickPairs) return all;
  return {all.a.first(kQuickPairs), all.b.first(kQuickPairs)};
}

Json pair_evidence(AuditMaterial& material, const Direction& direction) {
  const AuditPairs pairs = anchor_pairs(material);
  const AuditImages& inputs = direction.from == "a" ? pairs.a : pairs.b;
  const at::Tensor& targets = (direction.to == "a" ? pairs.a : pairs.b).values;
  const MeanDistances& unrelated = material.unrelated(direction.to);
  const at::Tensor made = material.subject().generator(direction)(inputs.values);
  if (!made.isfinite().all().item<bool>())
    fail(
        "{}: translates pairs of {} to numbers that are not finite (NaN); the training has failed, see "
        "torsor "
        "report",
        material.subject().source, inputs.folder.string());
  const ImageDistances own = image_distances(made, targets);
  const at::Tensor error = error_shares(made, targets, unrelated);
  Rng rng = material.stream("anchors/" + direction.name());
  std::vector<RivalErrors> rivals =
      errors_of_rivals(material, direction, inputs.values, made,
                       [&](const at::Tensor& answers) { return error_shares(answers, targets, unrelated); });
  add_unrelated_targets(rivals, targets, made, inputs.groups, unrelated, rng);
  add_constant_answer(rivals, targets, made, inputs.groups, unrelated);
  const auto estimate = [&](const at::Tensor& values, double scale) {
    return mean_estimate(values, inputs.groups, scale, material.options().resamples, rng).json();
  };
  Json out = {{"pairs", inputs.size()},
              {"groups", count_groups(inputs.groups)},
              {"error", estimate(error, 1)},
              {"whole_error", estimate(own.whole, unrelated.whole)},
              {"worst_error", estimate(own.worst, unrelated.worst)},
              {"copies", copies_inputs(rivals, material.options().thresholds.copy_share)}};
  out["rivals"] = tested_rivals(error, rivals, inputs.groups, 1, rng);
  out["corrections"] = corrections_json(material, direction, made, targets, inputs.groups);
  const double limit = material.options().thresholds.local_error;
  out["wrong"] = wrong_evidence(own.worst > limit * unrelated.worst, inputs.groups);
  out["wrong"]["error_from"] = limit;
  out["shown"] = shown_pairs(error);
  return out;
}

bool has_label_evidence(const AuditMaterial& material, const Direction& direction) {
  return material.labels() && !labelled_images(material, direction.from).places.empty();
}

Json label_evidence(AuditMaterial& material, const Direction& direction) {
  const AuditLabels& labels = *material.labels();
  const Labelled which = labelled_images(material, direction.from);
  const at::Tensor places = at::tensor(which.places, at::kLong),
                   x = material.images(direction.from).values.index_select(0, places),
                   made = material.translated(0, direction).index_select(0, places),
                   classes = labels.classify(made, direction.to).to(at::kLong);
  const at::Tensor own = (classes != which.classes).to(at::kDouble);
  std::vector<RivalErrors> rivals =
      errors_of_rivals(material, direction, x, made, [&](const at::Tensor& answers) {
        return (labels.classify(answers, direction.to).to(at::kLong) != which.classes).to(at::kDouble);
      });
  const auto count = static_cast<std::int64_t>(labels.classes.size());
  const ConfusionMatrix matrix = evidence_matrix(which.classes, classes, count);
  const std::vector<std::int64_t> permutation = summarize(matrix).permutation;
  add_permutation(rivals, cycles_text(permutation),
                  permuted_classes(which.classes, classes, which.groups, count), which.classes, classes);
  Rng rng = material.stream("labels/" + direction.name());
  const double accuracy = direction.to == "a" ? labels.accuracy_a : labels.accuracy_b;
  Json out = {{"images", std::ssize(which.places)},
              {"groups", count_groups(which.groups)},
              {"error", mean_estimate(own, which.groups, 1, material.options().resamples, rng).json()},
              {"copies", copies_inputs(rivals, material.options().thresholds.copy_share)},
              {"accuracy", accuracy > 0 ? accuracy : 1.0},
              {"classes", labels.classes},
              {"matrix", matrix.counts()},
              {"permutation", cycles_text(permutation)}};
  out["rivals"] = tested_rivals(own, rivals, which.groups, 1, rng);
  out["wrong"] = wrong_evidence(own > 0, which.groups);
  return out;
}

}  // namespace torsor
