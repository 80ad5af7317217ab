#include "audit/shown_examples.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace torsor {

namespace {

constexpr std::int64_t kColumnsEach = 3;  // of the worst, and of the median ones

}  // namespace

std::vector<std::int64_t> worst_and_median(const at::Tensor& values) {
  const at::Tensor order = values.argsort(0, /*descending=*/true);
  const std::int64_t n = order.numel();
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < std::min(n, kColumnsEach); ++i) places.push_back(i);
  const std::int64_t middle = std::max(std::ssize(places), n / 2 - kColumnsEach / 2);
  for (std::int64_t i = middle; i < std::min(n, middle + kColumnsEach); ++i) places.push_back(i);
  std::vector<std::int64_t> out;
  for (const std::int64_t i : places) out.push_back(order[i].item<std::int64_t>());
  return out;
}

}  // namespace torsor
