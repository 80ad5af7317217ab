#include "loss/distance.h"

#include <torch/types.h>

#include "core/registry.h"

namespace torsor {

namespace {

using Elementwise = at::Tensor (*)(const at::Tensor&, const at::Tensor&, std::int64_t reduction);

const Registry<Elementwise>& norms() {
  static const Registry<Elementwise> table = [] {
    Registry<Elementwise> r("norm");
    r.add("l1",
          [](const at::Tensor& x, const at::Tensor& y, std::int64_t how) { return at::l1_loss(x, y, how); });
    r.add("l2",
          [](const at::Tensor& x, const at::Tensor& y, std::int64_t how) { return at::mse_loss(x, y, how); });
    return r;
  }();
  return table;
}

}  // namespace

at::Tensor distance(const at::Tensor& x, const at::Tensor& y, const std::string& norm) {
  return norms().at(norm)(x, y, at::Reduction::Mean);
}

at::Tensor distance_per_sample(const at::Tensor& x, const at::Tensor& y, const std::string& norm) {
  return norms().at(norm)(x, y, at::Reduction::None).flatten(1).mean(1);
}

std::vector<std::string> distance_norms() { return norms().names(); }

}  // namespace torsor
