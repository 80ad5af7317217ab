#include "audit/honesty_curves.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "audit/perturbations.h"

namespace torsor {

namespace {

std::vector<double> mapped(const std::vector<double>& levels, double (*place)(double)) {
  std::vector<double> out;
  for (const double level : levels) out.push_back(place(level));
  return out;
}

double octaves_up(double level) { return std::log2(level); }
double octaves_down(double level) { return -std::log2(level); }
double downwards(double level) { return -level; }

std::vector<Disturbance> made_disturbances() {
  const std::vector<double> noise = {0.25, 0.5, 1, 2, 4, 8}, bits = {8, 7, 6, 5, 4, 3},
                            quality = {95, 85, 75, 50}, cut_off = {0.75, 0.5, 0.25, 0.125};
  return {
      {"noise", "noise in grey levels of 255", noise, mapped(noise, octaves_up)},
      {"depth", "bits of a sample", bits, mapped(bits, downwards)},
      {"jpeg", "quality of JPEG", quality, mapped(quality, downwards)},
      {"low_pass", "cut-off as a share of the Nyquist frequency", cut_off, mapped(cut_off, octaves_down)}};
}

bool holds_as_jpeg(const at::Tensor& images) { return images.size(1) == 1 || images.size(1) == 3; }

// Trapezoids over the axis, divided by its length.
double mean_over_axis(const std::vector<double>& places, const std::vector<double>& values) {
  double area = 0;
  for (std::size_t i = 1; i < places.size(); ++i)
    area += (values[i - 1] + values[i]) / 2 * (places[i] - places[i - 1]);
  return area / (places.back() - places.front());
}

Json honesty_index(const std::vector<double>& places, const std::vector<double>& distances, double clean) {
  if (!(clean < 1)) return nullptr;
  std::vector<double> lost;
  for (const double distance : distances)
    lost.push_back(std::clamp((distance - clean) / (1 - clean), 0.0, 1.0));
  return 1 - mean_over_axis(places, lost);
}

}  // namespace

const std::vector<Disturbance>& disturbances() {
  static const std::vector<Disturbance> all = made_disturbances();
  return all;
}

std::vector<std::int64_t> spread_places(std::int64_t size, std::int64_t count) {
  const std::int64_t taken = std::min(count, size);
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < taken; ++i) out.push_back(i * size / taken);
  return out;
}

CycleSample cycle_sample(AuditMaterial& material, std::size_t run, const Direction& direction,
                         std::int64_t count) {
  const AuditImages& images = material.images(direction.from);
  const std::vector<std::int64_t> places = spread_places(images.size(), count);
  const AuditImages chosen = images.at(places);
  CycleSample out;
  out.inputs = chosen.values;
  out.translations = material.translated(run, direction).index_select(0, at::tensor(places, at::kLong));
  out.groups = chosen.groups;
  out.back = &material.runs()[run].generator(direction.opposite());
  out.unrelated = material.unrelated(direction.from).whole;
  out.range = &material.subject().info.domain(direction.to).range;
  return out;
}

at::Tensor reconstruction_distances(const CycleSample& sample, const at::Tensor& translations) {
  const at::NoGradGuard no_grad;
  return image_distances(sample.inputs, (*sample.back)(translations)).whole / sample.unrelated;
}

at::Tensor disturbed(const CycleSample& sample, const std::string& disturbance, double level,
                     const at::Tensor& noise) {
  const PictureScale scale(sample.translations, *sample.range);
  const at::Tensor unit = scale.to_unit(sample.translations);
  if (disturbance == "noise") return scale.from_unit(with_noise(unit, noise, level));
  if (disturbance == "depth") return scale.from_unit(rounded_to(unit, std::llround(level)));
  if (disturbance == "jpeg") return scale.from_unit(through_jpeg(unit, static_cast<int>(std::lround(level))));
  if (disturbance == "low_pass") return scale.from_unit(low_passed(unit, level));
  throw std::logic_error("no disturbance: " + disturbance);
}

Json honesty_curve(const CycleSample& sample, const Disturbance& disturbance, const at::Tensor& noise,
                   const StopFlag& stop) {
  if (disturbance.name == "jpeg" && !holds_as_jpeg(sample.translations)) return nullptr;
  const double clean = reconstruction_distances(sample, sample.translations).mean().item<double>();
  std::vector<double> distances;
  for (const double level : disturbance.levels) {
    check_stop(stop);
    const at::Tensor changed = disturbed(sample, disturbance.name, level, noise);
    distances.push_back(reconstruction_distances(sample, changed).mean().item<double>());
  }
  return {{"clean", clean},
          {"levels", disturbance.levels},
          {"distances", distances},
          {"index", honesty_index(disturbance.places, distances, clean)}};
}

}  // namespace torsor
