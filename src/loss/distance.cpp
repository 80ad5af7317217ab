#include "loss/distance.h"

#include <torch/types.h>

#include "core/registry.h"

namespace torsor {

namespace {

using at::Tensor;

// What is learnt is libtorch's own mean, to the bit, and not that over samples.
struct Norm {
  Tensor (*mean)(const Tensor& x, const Tensor& y);
  Tensor (*per_sample)(const Tensor& x, const Tensor& y);
};

Tensor by_sample(const Tensor& values) { return values.flatten(1).mean(1); }

// Its slope is 0 where x = y.
Tensor euclidean(const Tensor& x, const Tensor& y) {
  return at::linalg_vector_norm((x - y).flatten(1), 2, {1});
}

const Registry<Norm>& norms() {
  static const Registry<Norm> table = [] {
    Registry<Norm> r("norm");
    r.add("l1", {[](const Tensor& x, const Tensor& y) { return at::l1_loss(x, y); },
                 [](const Tensor& x, const Tensor& y) {
                   return by_sample(at::l1_loss(x, y, at::Reduction::None));
                 }});
    r.add("l2", {[](const Tensor& x, const Tensor& y) { return at::mse_loss(x, y); },
                 [](const Tensor& x, const Tensor& y) {
                   return by_sample(at::mse_loss(x, y, at::Reduction::None));
                 }});
    r.add("euclidean", {[](const Tensor& x, const Tensor& y) { return euclidean(x, y).mean(); }, euclidean});
    return r;
  }();
  return table;
}

}  // namespace

Tensor distance(const Tensor& x, const Tensor& y, const std::string& norm) {
  return norms().at(norm).mean(x, y);
}

Tensor distance_per_sample(const Tensor& x, const Tensor& y, const std::string& norm) {
  return norms().at(norm).per_sample(x, y);
}

std::vector<std::string> distance_norms() { return norms().names(); }

}  // namespace torsor
