#include "audit/paired_test.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <stdexcept>

#include "metric/statistics.h"

namespace torsor {

namespace {

constexpr std::int64_t kFlipBlock = 1000;  // assignments at a time: bounds their memory
constexpr std::int64_t kSignsOfDraw = 30;  // signs that one draw of the stream gives

// The means of the values of each group: [N,R] -> [G,R].
at::Tensor means_of_groups(const at::Tensor& values, const std::vector<std::int64_t>& groups) {
  std::map<std::int64_t, std::int64_t> ids;
  std::vector<std::int64_t> rows;
  for (const std::int64_t group : groups) rows.push_back(ids.emplace(group, std::ssize(ids)).first->second);
  const at::Tensor row = at::tensor(rows, at::kLong);
  const at::Tensor sums = at::zeros({std::ssize(ids), values.size(1)}, at::kDouble).index_add(0, row, values);
  return sums / at::bincount(row, {}, std::ssize(ids)).to(at::kDouble).unsqueeze(1);
}

// All assignments of signs to so many groups: [2^groups,groups].
at::Tensor all_signs(std::int64_t groups) {
  at::Tensor out = at::empty({std::int64_t{1} << groups, groups}, at::kDouble);
  auto values = out.accessor<double, 2>();
  for (std::int64_t row = 0; row < out.size(0); ++row)
    for (std::int64_t g = 0; g < groups; ++g) values[row][g] = (row >> g) & 1 ? -1 : 1;
  return out;
}

at::Tensor drawn_signs(std::int64_t rows, std::int64_t groups, Rng& rng) {
  at::Tensor out = at::empty({rows, groups}, at::kDouble);
  double* values = out.data_ptr<double>();
  std::int64_t bits = 0;
  for (std::int64_t i = 0; i < out.numel(); ++i) {
    if (i % kSignsOfDraw == 0) bits = rng.index(std::int64_t{1} << kSignsOfDraw);
    values[i] = bits & 1 ? -1 : 1;
    bits >>= 1;
  }
  return out;
}

// How many of these assignments have a sum at least as large as the observed one, and as small: [R] each.
struct SignExtremes {
  at::Tensor large, small;
};

SignExtremes sign_extremes(const at::Tensor& signs, const at::Tensor& differences) {
  const at::Tensor observed = differences.sum(0), sums = at::mm(signs, differences);
  // Equal sums differ by rounding; one that is no number decides nothing.
  const at::Tensor slack = 1e-12 * differences.abs().sum(0);
  return {(sums < observed - slack).logical_not().sum(0).to(at::kDouble),
          (sums > observed + slack).logical_not().sum(0).to(at::kDouble)};
}

// p values of large and small sums: [R] each.
SignExtremes sign_flip_p(const at::Tensor& differences, Rng& rng) {
  const std::int64_t groups = differences.size(0);
  if (groups <= kExactGroups) {
    const at::Tensor signs = all_signs(groups);
    const SignExtremes found = sign_extremes(signs, differences);
    const auto all = static_cast<double>(signs.size(0));
    return {found.large / all, found.small / all};
  }
  SignExtremes sum{at::ones({differences.size(1)}, at::kDouble),
                   at::ones({differences.size(1)}, at::kDouble)};
  for (std::int64_t done = 0; done < kDrawnFlips; done += kFlipBlock) {
    const SignExtremes found = sign_extremes(drawn_signs(kFlipBlock, groups, rng), differences);
    sum.large += found.large;
    sum.small += found.small;
  }
  const auto all = static_cast<double>(kDrawnFlips + 1);
  return {sum.large / all, sum.small / all};
}

}  // namespace

PairedTests paired_tests(const at::Tensor& run, const std::vector<at::Tensor>& rivals,
                         const std::vector<std::int64_t>& groups, Rng& rng) {
  if (run.numel() != std::ssize(groups) || groups.empty())
    throw std::logic_error("a paired test needs a group for each error");
  PairedTests out;
  if (rivals.empty()) return out;
  std::vector<at::Tensor> columns;
  for (const at::Tensor& rival : rivals) columns.push_back((rival - run).to(at::kDouble).flatten());
  const at::Tensor differences = means_of_groups(at::stack(columns, 1), groups);
  out.groups = differences.size(0);
  out.exact = out.groups <= kExactGroups;
  const SignExtremes p = sign_flip_p(differences, rng);
  const at::Tensor means = differences.mean(0);
  for (std::int64_t r = 0; r < differences.size(1); ++r)
    out.of.push_back({means[r].item<double>(), p.large[r].item<double>(), p.small[r].item<double>()});
  return out;
}

std::vector<double> holm_adjusted(const std::vector<double>& p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return p[i] < p[j]; });
  std::vector<double> out(p.size());
  double largest = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(p.size() - k) * p[order[k]]));
    out[order[k]] = largest;
  }
  return out;
}

std::int64_t pairs_for_rivals(std::int64_t rivals) {
  std::int64_t pairs = 1;
  while (static_cast<double>(rivals) * std::ldexp(1.0, -static_cast<int>(pairs)) >= kTestLevel) ++pairs;
  return pairs;
}

std::int64_t pairs_for_share(double limit) {
  std::int64_t pairs = 1;
  while (share_interval(0, pairs).high > limit) ++pairs;
  return pairs;
}

}  // namespace torsor
