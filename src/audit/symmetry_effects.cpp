#include "audit/symmetry_effects.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "audit/image_distances.h"
#include "audit/pair_psnr.h"
#include "audit/symmetry_bound.h"
#include "loss/distance.h"

namespace torsor {

namespace {

// The map of `memory`, which records or only looks up; absent where `original` is.
TensorMapping recording_map(const std::shared_ptr<RememberedMap>& memory, const TensorMapping& original) {
  if (!original) return {};
  return [memory](const at::Tensor& x) { return memory->record(x); };
}

TensorMapping remembering_map(const std::shared_ptr<RememberedMap>& memory, const TensorMapping& original) {
  if (!original) return {};
  return [memory](const at::Tensor& x) { return (*memory)(x); };
}

Json mean_psnr_json(const at::Tensor& made, const AuditImages& truth) {
  if (!made.defined()) return nullptr;
  const at::Tensor whites = eight_bit_whites(truth.ranges);
  const double black = truth.ranges.front().black;
  return pair_psnr(eight_bit_samples(made, black, whites), eight_bit_samples(truth.values, black, whites))
      .mean()
      .item<double>();
}

Json pair_psnr_json(const MeasuredPair& pair, const AuditImages& a, const AuditImages& b) {
  return {{"a_to_b", mean_psnr_json(pair.fake_b, b)}, {"b_to_a", mean_psnr_json(pair.fake_a, a)}};
}

const at::Tensor& translations_in(const MeasuredPair& pair, const Direction& direction) {
  return direction.to == "b" ? pair.fake_b : pair.fake_a;
}

// The direction whose translations are moved further; "" where there is none.
std::string largest_direction(const Json& displacements) {
  std::string out;
  double most = -1;
  for (const auto& [direction, far] : displacements.items()) {
    const double value = far.at("whole").at("value").get<double>();
    if (value <= most) continue;
    most = value;
    out = direction;
  }
  return out;
}

// E |map(x) - x| in the cycle norm.
double moved_by(const TensorMapping& map, const at::Tensor& x, const std::string& norm) {
  return distance(map(x).to(at::kDouble), x.to(at::kDouble), norm).item<double>();
}

}  // namespace

AuditImages evenly_of(const AuditImages& images, std::int64_t count) {
  std::vector<std::int64_t> places;
  const std::int64_t taken = std::min(count, images.size());
  for (std::int64_t i = 0; i < taken; ++i) places.push_back(i * images.size() / taken);
  return images.at(places);
}

EffectImages effect_images(const AuditMaterial& material, std::int64_t count) {
  const std::int64_t held_out = std::min(material.images("a").size(), material.images("b").size());
  const auto& pairs = material.pairs();
  if (pairs && pairs->size() >= std::min(count, held_out))
    return {evenly_of(pairs->a, count), evenly_of(pairs->b, count), true};
  return {evenly_of(material.images("a"), count), evenly_of(material.images("b"), count), false};
}

SymmetryEffects::SymmetryEffects(AuditMaterial& material, EffectImages images)
    : material_(material), images_(std::move(images)) {
  const AuditedRun& run = material.subject();
  terms_ = measurable_terms(run.terms, run.maps);
  terms_.left_out.insert(terms_.left_out.end(), run.unmeasured.begin(), run.unmeasured.end());
  there_ = std::make_shared<RememberedMap>(run.maps.a_to_b);
  back_ = std::make_shared<RememberedMap>(run.maps.b_to_a);
  CycleMaps record = run.maps;
  record.a_to_b = recording_map(there_, run.maps.a_to_b);
  record.b_to_a = recording_map(back_, run.maps.b_to_a);
  remembering_ = run.maps;
  remembering_.a_to_b = remembering_map(there_, run.maps.a_to_b);
  remembering_.b_to_a = remembering_map(back_, run.maps.b_to_a);
  plain_ = measure_pair(terms_.terms, record, images_.a.values, images_.b.values);
  const std::int64_t count = images_.a.size();
  if (!images_.paired && material.pairs())
    few_pairs_ = AuditPairs{evenly_of(material.pairs()->a, count), evenly_of(material.pairs()->b, count)};
  if (few_pairs_)
    psnr_ = pair_psnr_json(measure_pair({}, record, few_pairs_->a.values, few_pairs_->b.values),
                           few_pairs_->a, few_pairs_->b);
  else if (images_.paired)
    psnr_ = pair_psnr_json(plain_, images_.a, images_.b);
}

MeasuredPair SymmetryEffects::moved(const Symmetry& phi, const std::string& domain,
                                    const std::vector<LossTerm>& terms) const {
  const CycleMaps maps = moved_maps(remembering_, phi, domain);
  const bool whole = maps.a_to_b && maps.b_to_a;
  return measure_pair(whole ? terms : std::vector<LossTerm>(), maps, images_.a.values, images_.b.values);
}

Json SymmetryEffects::displacements(const MeasuredPair& moved, const std::string& stream) {
  Json out = Json::object();
  for (const Direction& direction : {kAToB, kBToA}) {
    const at::Tensor &plain = translations_in(plain_, direction), &other = translations_in(moved, direction);
    if (!plain.defined() || !other.defined()) continue;
    const ImageDistances apart = image_distances(other, plain);
    const MeanDistances& unrelated = material_.unrelated(direction.to);
    const auto& groups = (direction.from == "a" ? images_.a : images_.b).groups;
    Rng rng = material_.stream(stream + direction.name());
    const std::int64_t resamples = material_.options().resamples;
    out[direction.name()] = {
        {"whole", mean_estimate(apart.whole, groups, unrelated.whole, resamples, rng).json()},
        {"worst", mean_estimate(apart.worst, groups, unrelated.worst, resamples, rng).json()}};
  }
  return out;
}

Json SymmetryEffects::bound(const Symmetry& phi, const std::string& domain) const {
  const std::string& norm = material_.subject().cycle_norm;
  const bool of_a = domain == "a";
  BoundInputs in;
  in.domain = domain;
  in.constant = (of_a ? phi.inverse_lipschitz : phi.lipschitz).of(norm);
  in.of_inputs = moved_by(of_a ? phi.map : phi.inverse, (of_a ? images_.a : images_.b).values, norm);
  in.of_outputs = moved_by(of_a ? phi.inverse : phi.map, of_a ? plain_.fake_a : plain_.fake_b, norm);
  return corrected_bound(terms_.terms, plain_.loss, norm, in);
}

Json SymmetryEffects::labels_changed(const MeasuredPair& moved, const std::string& stream) const {
  if (!material_.labels()) return nullptr;
  Json out = Json::object();
  for (const Direction& direction : {kAToB, kBToA}) {
    const at::Tensor &plain = translations_in(plain_, direction), &other = translations_in(moved, direction);
    if (!plain.defined() || !other.defined()) continue;
    const ClassifyImages& classify = material_.labels()->classify;
    const at::Tensor changed =
        (classify(plain, direction.to) != classify(other, direction.to)).to(at::kDouble);
    const auto& groups = (direction.from == "a" ? images_.a : images_.b).groups;
    Rng rng = material_.stream(stream + "labels/" + direction.name());
    out[direction.name()] = mean_estimate(changed, groups, 1, material_.options().resamples, rng).json();
  }
  return out;
}

Json SymmetryEffects::psnr_of(const Symmetry& phi, const std::string& domain,
                              const MeasuredPair& moved) const {
  if (images_.paired) return pair_psnr_json(moved, images_.a, images_.b);
  if (!few_pairs_) return nullptr;
  const AuditImages &a = few_pairs_->a, &b = few_pairs_->b;
  return pair_psnr_json(measure_pair({}, moved_maps(remembering_, phi, domain), a.values, b.values), a, b);
}

Json SymmetryEffects::of(const Symmetry& phi, const std::string& domain) {
  check_stop(material_.stop());
  const at::NoGradGuard no_grad;
  const std::string stream = "symmetry/" + domain + "/" + phi.name + "/";
  const MeasuredPair other = moved(phi, domain, terms_.terms);
  const Json far = displacements(other, stream);
  Json out = {{"displacements", far}};
  const std::string direction = largest_direction(far);
  if (direction.empty()) return out;  // there is no way back for the only direction
  const at::Tensor& inputs = (domain == "a" ? images_.a : images_.b).values;
  const bool both = !other.loss.is_null();
  out["direction"] = direction;
  out["displacement"] = far.at(direction).at("whole");
  out["moved_inputs"] = image_distances(phi.map(inputs), inputs).whole.mean().item<double>();
  out["loss"] = other.loss;
  out["loss_change"] = nullptr;
  if (both) out["loss_change"] = other.loss.at("loss").get<double>() - loss().at("loss").get<double>();
  out["bound"] = both ? bound(phi, domain) : Json(nullptr);
  out["labels_changed"] = labels_changed(other, stream);
  out["psnr"] = psnr_of(phi, domain, other);
  return out;
}

SymmetryEffects::Shown SymmetryEffects::shown(const Symmetry& phi, const std::string& domain,
                                              const Direction& direction) {
  const at::NoGradGuard no_grad;
  return {(direction.from == "a" ? images_.a : images_.b).values, translations_in(plain_, direction),
          translations_in(moved(phi, domain, {}), direction)};
}

}  // namespace torsor
