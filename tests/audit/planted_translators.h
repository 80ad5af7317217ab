// Small scenes whose right translation is known, and translators that are right or wrong in a known way.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <vector>

#include "audit/audit_material.h"
#include "audit/parts.h"
#include "core/error.h"
#include "metric/feature_extractor.h"

namespace torsor::testing {

constexpr std::int64_t kSceneSide = 32;

/// A coloured disc and a small white spot somewhere on a dark ground, RGB in [-1, 1].
inline AuditImages scenes(const std::string& domain, std::int64_t count, std::uint64_t seed) {
  AuditImages out;
  out.domain = domain;
  out.folder = "scenes-" + domain;
  Rng rng(seed);
  out.values = at::full({count, 3, kSceneSide, kSceneSide}, -0.8, at::kFloat);
  const at::Tensor line = at::arange(kSceneSide, at::kFloat);
  const auto disc = [&](double radius) {
    const double x = rng.uniform(radius, kSceneSide - radius), y = rng.uniform(radius, kSceneSide - radius);
    return ((line - x).square().unsqueeze(0) + (line - y).square().unsqueeze(1) < radius * radius);
  };
  for (std::int64_t i = 0; i < count; ++i) {
    const at::Tensor large = disc(rng.uniform(5, 8)), small = disc(3);
    const std::int64_t strong = rng.index(3);
    for (std::int64_t c = 0; c < 3; ++c) {
      out.values[i][c].masked_fill_(large, c == strong ? 0.9 : rng.uniform(-0.8, 0.2));
      out.values[i][c].masked_fill_(small, 0.95);
    }
    out.ranges.emplace_back();
    out.names.push_back(fmt::format("{:03}.png", i));
    out.keys.push_back(fmt::format("{}-{}-{}", domain, seed, i));
    out.groups.push_back(i);
  }
  return out;
}

/// The truth: red goes to green, green to blue, blue to red; and back.
inline at::Tensor true_b(const at::Tensor& a) { return a.index_select(1, at::tensor({2, 0, 1}, at::kLong)); }
inline at::Tensor true_a(const at::Tensor& b) { return b.index_select(1, at::tensor({1, 2, 0}, at::kLong)); }

inline AuditImages translated_scenes(AuditImages a) {
  a.domain = "b";
  a.folder = "scenes-b";
  a.values = true_b(a.values);
  for (std::string& key : a.keys) key += "-b";
  return a;
}

/// About `share` of the images, by what is in them and not by where they stand: [N] of bools.
inline at::Tensor some_of(const at::Tensor& images, double share) {
  const at::Tensor bright = images.mean({1, 2, 3}) * 1e4;
  return (bright - bright.floor()) < share;
}

inline at::Tensor where_image(const at::Tensor& which, const at::Tensor& x, const at::Tensor& y) {
  return at::where(which.view({-1, 1, 1, 1}), x, y);
}

inline at::Tensor blurred_scene(const at::Tensor& x) {
  return at::avg_pool2d(at::replication_pad2d(x, {1, 1, 1, 1}), {3, 3}, {1, 1});
}

/// What is white becomes the ground.
inline at::Tensor without_spot(const at::Tensor& x) {
  return at::where(x.amin(1, /*keepdim=*/true) > 0.5, at::full_like(x, -0.8), x);
}

inline AuditedRun planted_run(const std::string& name, TensorMapping a_to_b, TensorMapping b_to_a) {
  AuditedRun out;
  out.name = name;
  out.source = name + "/model.safetensors";
  out.maps.a_to_b = std::move(a_to_b);
  out.maps.b_to_a = std::move(b_to_a);
  return out;
}

struct PlantedOptions {
  std::int64_t images = 24, pairs = 40;  // no pairs for 0
};

/// An audit of these runs on scenes, with pixels as features.
inline AuditInputs planted_inputs(std::vector<AuditedRun> runs, const PlantedOptions& options = {}) {
  FeatureOptions features;
  features.features = "pixels";
  AuditInputs out;
  out.runs = std::move(runs);
  out.a = scenes("a", options.images, 1);
  out.b = translated_scenes(scenes("a", options.images, 2));
  if (options.pairs > 0) {
    const AuditImages a = scenes("a", options.pairs, 3);
    out.pairs = AuditPairs{a, translated_scenes(a)};
  }
  out.extractor = make_extractor(features, at::kCPU);
  return out;
}

}  // namespace torsor::testing
