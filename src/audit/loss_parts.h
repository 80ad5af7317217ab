// The objective of a pair of translators on images at rest: its terms, in double precision.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

#include "core/json.h"
#include "model/objective.h"

namespace torsor {

/// What a pair makes of images, and its loss there.
struct MeasuredPair {
  /// {"gan", "cycle", "identity", "loss", "terms": {name: number}}, and "transport" where a term is of that
  /// kind, weights included, each the mean over its
  /// domain's images; null without terms.
  Json loss;
  at::Tensor fake_b, fake_a;  // [N,Cb,H,W], [M,Ca,H,W] float32; undefined where there is no such generator
};

/// The terms that are on, of real images a [N,Ca,H,W] and b [M,Cb,H,W], N and M at least 1. Maps see float32
/// in batches of about 16; distances and scores are taken in float64. `terms` may be empty; else all maps
/// that they need must be there. Without gradients.
MeasuredPair measure_pair(const std::vector<LossTerm>& terms, const CycleMaps& maps, const at::Tensor& a,
                          const at::Tensor& b);

/// The terms that these maps can be asked for: without a discriminator those of scores cannot.
struct MeasurableTerms {
  std::vector<LossTerm> terms;
  std::vector<std::string> left_out;  // names of others that are on
};
MeasurableTerms measurable_terms(const std::vector<LossTerm>& terms, const CycleMaps& maps);

/// A map that passes no batch twice: what it recorded it answers from memory, also for images that are equal
/// but for the rounding of an automorphism and its inverse (1e-5; black to white is 1 or 2).
class RememberedMap {
 public:
  explicit RememberedMap(TensorMapping map) : map_(std::move(map)) {}
  at::Tensor record(const at::Tensor& x);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  const at::Tensor* find(const at::Tensor& x) const;

  TensorMapping map_;
  std::vector<std::pair<at::Tensor, at::Tensor>> known_;
};

}  // namespace torsor
