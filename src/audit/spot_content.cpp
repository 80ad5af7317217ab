#include <ATen/ATen.h>

#include <map>

#include "audit/content_statistics.h"
#include "audit/local_contrast.h"
#include "audit/perturbations.h"
#include "audit/prevalence_measures.h"
#include "data/image_features.h"

namespace torsor {

namespace {

constexpr std::size_t kSpotsOfRun = 0;  // the run that is judged
constexpr std::int64_t kSpotPermutations = 999;

LocalContrast spots_of(const AuditMaterial& material, const at::Tensor& values, const std::string& domain) {
  return local_contrast(PictureScale(values, material.subject().info.domain(domain).range).to_unit(values));
}

// Spots of one polarity, and the other's beside them.
struct Polarity {
  std::string name;
  at::Tensor x, translated, y;  // float64
  at::Tensor other_x, other_translated;
};

Json optional_json(const std::optional<Estimate>& estimate) {
  return estimate ? estimate->json() : Json(nullptr);
}

// By the polarity's own values, then by the other's.
Json kept_spots(const AuditMaterial& material, const Polarity& spots, const ContentSample& has,
                const std::string& stream) {
  const bool fewer = has.y.mean().item<double>() < has.x.mean().item<double>();
  const at::Tensor& which = fewer ? has.x : has.translated;
  Json out = Json::array();
  for (const at::Tensor& values :
       {fewer ? spots.translated : spots.x, fewer ? spots.other_translated : spots.other_x}) {
    Rng rng = material.stream(fmt::format("{}/kept/{}", stream, out.size()));
    out.push_back(
        optional_json(rank_correlation(values, which, has.groups_x, material.options().resamples, rng)));
  }
  return out;
}

Json polarity_content(const AuditMaterial& material, const Direction& direction, const Polarity& spots) {
  const AuditImages &from = material.images(direction.from), &to = material.images(direction.to);
  const std::string stream = "prevalence/spots/" + direction.name() + "/" + spots.name;
  const double line = separating_value(spots.x, spots.y);
  const auto has = [&](const at::Tensor& values) { return (values > line).to(at::kDouble); };
  const ContentSample values{spots.x, spots.translated, spots.y, from.groups, to.groups},
      sample{has(spots.x), has(spots.translated), has(spots.y), from.groups, to.groups};
  Rng permuting = material.stream(stream + "/difference"), rng = material.stream(stream + "/shift");
  const ContentShift shift = content_shift(sample, material.options().resamples, rng);
  return {{"line", line},
          {"p", content_difference_p(values, kSpotPermutations, permuting)},
          {"x", share_estimate(sample.x, from.groups).json()},
          {"translated", share_estimate(sample.translated, from.groups).json()},
          {"y", share_estimate(sample.y, to.groups).json()},
          {"gap", shift.gap.json()},
          {"moved", optional_json(shift.moved)},
          {"kept", kept_spots(material, spots, sample, stream)}};
}

struct Attribute {
  std::string name, title;
  std::string feature;    // of image_feature_list()
  std::int64_t channels;  // that both domains need at least
};

const std::vector<Attribute>& attributes() {
  static const std::vector<Attribute> list = {
      {"brightness", "mean grey value, 0 to 1", "mean_y", 1},
      {"contrast", "standard deviation of the grey values", "std_y", 1},
      {"colourfulness", "standard deviation of red less green", "std_p", 3},
      {"sharpness", "logarithm of the detail of single pixels", "detail_1", 1}};
  return list;
}

// The features of all images by name, [N] float64 each.
std::map<std::string, at::Tensor> features_by_name(const AuditMaterial& material, const at::Tensor& values,
                                                   const std::string& domain) {
  const ValueRange& range = material.subject().info.domain(domain).range;
  std::map<std::string, std::vector<double>> columns;
  for (const at::Tensor& image : values.unbind(0)) {
    check_stop(material.stop());
    const std::vector<double> row = image_features(preview_of(image, range));
    for (std::size_t i = 0; i < row.size(); ++i) columns[image_feature_list()[i].name].push_back(row[i]);
  }
  std::map<std::string, at::Tensor> out;
  for (const auto& [name, column] : columns) out[name] = at::tensor(column, at::kDouble);
  return out;
}

}  // namespace

Json spot_content(AuditMaterial& material, const Direction& direction) {
  const LocalContrast x = spots_of(material, material.images(direction.from).values, direction.from);
  check_stop(material.stop());
  const LocalContrast g = spots_of(material, material.translated(kSpotsOfRun, direction), direction.to);
  check_stop(material.stop());
  const LocalContrast y = spots_of(material, material.images(direction.to).values, direction.to);
  Json out = Json::object();
  for (const Polarity& spots : {Polarity{"bright", x.bright, g.bright, y.bright, x.dark, g.dark},
                                Polarity{"dark", x.dark, g.dark, y.dark, x.bright, g.bright}})
    out[spots.name] = polarity_content(material, direction, spots);
  return out;
}

Json attribute_content(AuditMaterial& material, const Direction& direction) {
  const AuditImages &from = material.images(direction.from), &to = material.images(direction.to);
  auto x = features_by_name(material, from.values, direction.from),
       g = features_by_name(material, material.translated(kSpotsOfRun, direction), direction.to),
       y = features_by_name(material, to.values, direction.to);
  Json out = Json::array();
  for (const Attribute& attribute : attributes()) {
    if (std::min(from.values.size(1), to.values.size(1)) < attribute.channels) continue;
    const std::string& key = attribute.feature;
    Rng rng = material.stream("prevalence/attribute/" + direction.name() + "/" + attribute.name);
    const ContentShift shift = content_shift({x.at(key), g.at(key), y.at(key), from.groups, to.groups},
                                             material.options().resamples, rng);
    out.push_back({{"name", attribute.name},
                   {"title", attribute.title},
                   {"x", shift.x},
                   {"translated", shift.translated},
                   {"y", shift.y},
                   {"gap", shift.gap.json()},
                   {"moved", optional_json(shift.moved)}});
  }
  return out;
}

}  // namespace torsor
