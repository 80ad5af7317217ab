#include "audit/equivalence.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>

#include "audit/group_cut.h"
#include "core/error.h"
#include "metric/bootstrap.h"
#include "metric/metrics.h"

namespace torsor {

namespace {

// Components of features: the regression costs the square of their number, and since it gives all of them the
// same scale, more than an eighth of the images' number drown what differs in noise. Half of them are of the
// images, half of what the transformation changes, be it ever so small beside how images vary.
constexpr std::int64_t kMostComponents = 128, kLeastComponents = 8, kRowsAComponent = 8;
constexpr std::int64_t kScreened = 128;  // images: what differs plainly is told by these
const std::string kPixelExtractor = "pixels";

// For 90 % power at an interval of 95 %: (1.96 + 1.28) standard errors.
constexpr double kHalfWidth = 1.96, kPowerWidth = 3.24;

// Orthonormal columns that span those of `columns` [d,k].
at::Tensor orthonormal(const at::Tensor& columns) { return std::get<0>(at::linalg_qr(columns)); }

// The leading principal directions of rows [n,d]: [d,kept], orthonormal. Fewer where the rows span fewer. By
// subspace iteration: eigenvalues of the rows' products would be as many as rows, most of them 0 where images
// repeat, at which LAPACK's solver gives up.
at::Tensor principal_directions(const at::Tensor& rows, std::int64_t kept) {
  constexpr double kNothing = 1e-10;  // of the largest variance
  constexpr std::int64_t kBeyond = 8, kRounds = 6;
  const std::int64_t k = std::min({kept + kBeyond, rows.size(0), rows.size(1)});
  Rng start(0);
  std::vector<double> drawn(static_cast<std::size_t>(rows.size(0) * k));
  for (double& value : drawn) value = start.normal();
  at::Tensor basis =
      orthonormal(at::matmul(rows.t(), at::tensor(drawn, at::kDouble).view({rows.size(0), k})));
  for (std::int64_t round = 0; round < kRounds; ++round)
    basis = orthonormal(at::matmul(rows.t(), at::matmul(rows, basis)));
  const at::Tensor variances = at::matmul(rows, basis).square().sum(0);
  const at::Tensor used = at::nonzero(variances > kNothing * variances.max()).flatten();
  basis = basis.index_select(1, used);
  const at::Tensor scores = at::matmul(rows, basis);
  const at::Tensor vectors = std::get<1>(at::linalg_eigh(at::matmul(scores.t(), scores)));  // ascending
  return at::matmul(basis, vectors.slice(1, std::max<std::int64_t>(0, vectors.size(1) - kept)));
}

// Neither the spread of all rows nor that of the changes looks at which row is an original.
void reduce_to_components(at::Tensor& x, at::Tensor& y) {
  const std::int64_t kept = std::clamp(x.size(0) / kRowsAComponent, kLeastComponents, kMostComponents);
  if (x.size(1) <= kept) return;
  const at::Tensor all = at::cat({x, y}), centred = all - all.mean(0);
  const at::Tensor of_images = principal_directions(centred, kept / 2),
                   of_changes = principal_directions(y - x, kept / 2);
  const at::Tensor scores = at::matmul(centred, of_images);
  const at::Tensor rest = (centred.square().sum(1, true) - scores.square().sum(1, true)).clamp_min(0).sqrt();
  const at::Tensor out = at::cat({scores, at::matmul(centred, of_changes), rest}, 1);
  y = out.narrow(0, x.size(0), y.size(0));
  x = out.narrow(0, 0, x.size(0));
}

std::vector<std::int64_t> evenly_spaced(std::int64_t count, std::int64_t of) {
  std::vector<std::int64_t> out;
  const std::int64_t taken = std::min(count, of);
  for (std::int64_t i = 0; i < taken; ++i) out.push_back(i * of / taken);
  return out;
}

void append_images(AuditImages& to, const AuditImages& from, const std::vector<std::int64_t>& places) {
  const std::int64_t next_group =
      to.groups.empty() ? 0 : *std::max_element(to.groups.begin(), to.groups.end()) + 1;
  const AuditImages added = from.at(places);
  to.values = at::cat({to.values, added.values});
  to.ranges.insert(to.ranges.end(), added.ranges.begin(), added.ranges.end());
  to.names.insert(to.names.end(), added.names.begin(), added.names.end());
  to.keys.insert(to.keys.end(), added.keys.begin(), added.keys.end());
  for (const std::int64_t group : added.groups) to.groups.push_back(next_group + group);
}

// Training images beside the held-out ones; one that is held out too would stand in two folds.
AuditImages with_more(const AuditImages& held_out, const std::optional<AuditImages>& more, std::int64_t most,
                      const std::string& pattern) {
  AuditImages out = held_out.size() > most ? held_out.at(evenly_spaced(most, held_out.size())) : held_out;
  if (!more || out.size() >= most) return out;
  const std::set<std::string> known(held_out.keys.begin(), held_out.keys.end());
  std::vector<std::int64_t> others;
  for (std::int64_t i = 0; i < more->size(); ++i)
    if (!known.contains(more->keys[static_cast<std::size_t>(i)])) others.push_back(i);
  std::vector<std::int64_t> chosen;
  for (const std::int64_t k : evenly_spaced(most - out.size(), std::ssize(others)))
    chosen.push_back(others[static_cast<std::size_t>(k)]);
  if (chosen.empty()) return out;
  append_images(out, *more, chosen);
  // A patient may be in both folders.
  if (!pattern.empty()) out.groups = group_by_name(out.names, {}, pattern).real;
  return out;
}

}  // namespace

std::string equivalence_name(Equivalence state) {
  return state == Equivalence::shown ? "shown" : state == Equivalence::excluded ? "excluded" : "undecided";
}

Equivalence equivalence_of(const Estimate& accuracy, double threshold) {
  // Where nothing can be told, a fold and the others depart from the mean on opposite sides: an accuracy
  // below 1/2 is that, and no certainty.
  const double below_chance = std::max(0.0, 0.5 - accuracy.value);
  if (accuracy.high() + below_chance < threshold) return Equivalence::shown;
  if (accuracy.low() > threshold) return Equivalence::excluded;
  return Equivalence::undecided;
}

std::int64_t images_to_decide(const Estimate& accuracy, std::int64_t images, double threshold) {
  constexpr double kNearest = 0.005;  // nearer to the threshold no number of images helps
  if (!accuracy.interval) return 0;
  const double half = (accuracy.high() - accuracy.low()) / 2;
  const double gap = std::max(kNearest, std::abs(std::max(0.5, accuracy.value) - threshold));
  const double factor = kPowerWidth / kHalfWidth * half / gap;
  const double needed = static_cast<double>(images) * factor * factor;
  const double step = needed > 1000 ? 100 : 10;
  return std::max(images + 1, static_cast<std::int64_t>(std::ceil(needed / step) * step));
}

Estimate transformed_accuracy(const at::Tensor& features, const at::Tensor& transformed,
                              const std::vector<std::int64_t>& groups, const MetricOptions& options) {
  if (!features.sizes().equals(transformed.sizes()) || features.size(0) != std::ssize(groups))
    throw std::logic_error("features of images and of the same images transformed");
  FeatureSets sets = grouped_sets(features, groups, transformed, groups);
  const std::int64_t least = std::max(kLeastGroups, options.c2st_folds);
  Estimate out;
  out.value = 0.5;
  if (sets.groups.count < least) {
    out.no_interval = fmt::format("{} groups of images; the test needs {}", sets.groups.count, least);
    return out;
  }
  if (at::equal(features, transformed)) {  // the classifier would have nothing to go by
    out.interval = Interval{0.5, 0.5};
    return out;
  }
  reduce_to_components(sets.real, sets.fake);
  SetScorer scorer(std::move(sets), options);
  const MetricResult& result = scorer.score("c2st");
  out.value = result.details.at("accuracy").get<double>();
  const Json& interval = result.details.at("accuracy_interval");
  if (interval.is_null())
    out.no_interval = "too few groups of images";
  else
    out.interval = Interval{interval.at(0).get<double>(), interval.at(1).get<double>()};
  return out;
}

EquivalenceTests::EquivalenceTests(AuditMaterial& material, const std::string& domain, std::int64_t most)
    : material_(material), domain_(domain) {
  const AuditImages& held_out = material.images(domain);
  images_ = with_more(held_out, material.more(domain), most, material.options().groups);
  held_out_ = std::min(most, held_out.size());
  FeatureOptions pixels;
  pixels.features = kPixelExtractor;
  extractors_.push_back(make_extractor(pixels, c10::Device(c10::kCPU)));
  // Not owned: the material outlives the tests.
  if (material.extractor().name() != kPixelExtractor)
    extractors_.emplace_back(std::shared_ptr<const FeatureExtractor>(), &material.extractor());
  known_.resize(extractors_.size());
}

std::int64_t EquivalenceTests::screened() const { return std::min(kScreened, held_out_); }

EquivalenceTests::Rows EquivalenceTests::rows(std::int64_t count, std::int64_t of) const {
  Rows out;
  out.places = evenly_spaced(count, of);
  out.values = images_.values.index_select(0, at::tensor(out.places, at::kLong));
  for (const std::int64_t place : out.places)
    out.groups.push_back(images_.groups[static_cast<std::size_t>(place)]);
  return out;
}

at::Tensor EquivalenceTests::features_of(std::size_t extractor, const std::vector<std::int64_t>& places) {
  std::map<std::int64_t, at::Tensor>& known = known_[extractor];
  std::vector<std::int64_t> missing;
  for (const std::int64_t place : places)
    if (!known.contains(place)) missing.push_back(place);
  if (!missing.empty()) {
    const at::Tensor made = material_.features_by(
        *extractors_[extractor], images_.values.index_select(0, at::tensor(missing, at::kLong)), domain_);
    for (std::size_t i = 0; i < missing.size(); ++i) known[missing[i]] = made[static_cast<std::int64_t>(i)];
  }
  std::vector<at::Tensor> out;
  for (const std::int64_t place : places) out.push_back(known.at(place));
  return at::stack(out);
}

Json EquivalenceTests::tests(const Symmetry& phi, const Rows& rows) {
  const at::NoGradGuard no_grad;
  const at::Tensor transformed = phi.map(rows.values);
  const double threshold = material_.options().thresholds.automorphism;
  Json out = Json::array();
  for (std::size_t k = 0; k < extractors_.size(); ++k) {
    const Estimate accuracy = transformed_accuracy(
        features_of(k, rows.places), material_.features_by(*extractors_[k], transformed, domain_),
        rows.groups, material_.options().metric());
    out.push_back({{"extractor", extractors_[k]->name()},
                   {"images", std::ssize(rows.places)},
                   {"groups", std::ssize(std::set<std::int64_t>(rows.groups.begin(), rows.groups.end()))},
                   {"accuracy", accuracy.json()}});
    if (equivalence_of(accuracy, threshold) == Equivalence::excluded) break;  // one that tells is enough
  }
  return out;
}

Json EquivalenceTests::screen(const Symmetry& phi) { return tests(phi, rows(kScreened, held_out_)); }

Json EquivalenceTests::decide(const Symmetry& phi, std::int64_t count) {
  return tests(phi, rows(count, images_.size()));
}

Equivalence equivalence_of_tests(const Json& tests, double threshold) {
  bool all_show = !tests.empty();
  for (const Json& test : tests) {
    const Equivalence state = equivalence_of(Estimate::from(test.at("accuracy")), threshold);
    if (state == Equivalence::excluded) return state;
    all_show = all_show && state == Equivalence::shown;
  }
  return all_show ? Equivalence::shown : Equivalence::undecided;
}

const Json& telling_test(const Json& tests, double threshold) {
  // The highest upper limit is the furthest from showing it, and of those that exclude it one that does.
  const Json* out = nullptr;
  double most = -std::numeric_limits<double>::infinity();
  for (const Json& test : tests) {
    const Estimate accuracy = Estimate::from(test.at("accuracy"));
    if (equivalence_of(accuracy, threshold) == Equivalence::excluded) return test;
    if (accuracy.high() < most) continue;
    most = accuracy.high();
    out = &test;
  }
  if (out == nullptr) throw std::logic_error("no test of a symmetry");
  return *out;
}

}  // namespace torsor
