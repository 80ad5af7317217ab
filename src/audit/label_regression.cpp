#include "audit/label_regression.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/error.h"
#include "metric/logistic.h"

namespace torsor {

namespace {

constexpr double kLabelPenalty = 1;         // that of the two-sample classifier (MetricOptions::c2st_penalty)
constexpr std::int64_t kLabelFolds = 5;     // as its c2st_folds
constexpr double kLeastEigenvalue = 1e-10;  // of the largest: below it is rounding

// An orthonormal basis [d,r] of the span of rows [n,d]; of more rows than columns the columns themselves.
at::Tensor span_of(const at::Tensor& rows) {
  if (rows.size(0) >= rows.size(1)) return at::eye(rows.size(1), at::kDouble);
  const auto [values, vectors] = at::linalg_eigh(at::matmul(rows, rows.t()));
  const at::Tensor kept =
      at::nonzero(values > kLeastEigenvalue * values.max().clamp_min(std::numeric_limits<double>::min()))
          .flatten();
  return at::matmul(rows.t(), vectors.index_select(1, kept)) / values.index_select(0, kept).sqrt();
}

// The fold of each row; groups in the order of their first row's class, then of their first row.
std::vector<std::int64_t> label_folds(const at::Tensor& classes, const std::vector<std::int64_t>& groups) {
  const auto class_of = classes.accessor<std::int64_t, 1>();
  std::map<std::int64_t, std::int64_t> first;  // row of a group
  for (std::int64_t i = 0; i < std::ssize(groups); ++i) first.emplace(groups[std::size_t(i)], i);
  std::vector<std::pair<std::int64_t, std::int64_t>> order;  // first row, group
  for (const auto& [group, row] : first) order.emplace_back(row, group);
  std::sort(order.begin(), order.end(), [&](const auto& x, const auto& y) {
    return std::pair(class_of[x.first], x.first) < std::pair(class_of[y.first], y.first);
  });
  std::map<std::int64_t, std::int64_t> fold;
  for (std::int64_t k = 0; k < std::ssize(order); ++k)
    fold[order[std::size_t(k)].second] = k % std::min(kLabelFolds, std::ssize(order));
  std::vector<std::int64_t> out;
  for (const std::int64_t group : groups) out.push_back(fold.at(group));
  return out;
}

}  // namespace

LabelRegression::LabelRegression(const at::Tensor& rows, const at::Tensor& classes, std::int64_t count) {
  mean_ = rows.mean(0);
  const at::Tensor deviation = (rows - mean_).square().mean(0).sqrt();
  scale_ = at::where(deviation > 0, deviation, at::ones_like(deviation)) *
           std::sqrt(static_cast<double>(rows.size(1)));
  const at::Tensor scaled = (rows - mean_) / scale_;
  basis_ = span_of(scaled);
  const at::Tensor inside = at::matmul(scaled, basis_);  // [n,r]
  weights_ = at::zeros({basis_.size(1), count}, at::kDouble);
  intercepts_ = at::full({count}, -std::numeric_limits<double>::infinity(), at::kDouble);
  for (std::int64_t k = 0; k < count; ++k) {
    const at::Tensor is_class = (classes == k).to(at::kDouble);
    const auto members = is_class.sum().item<std::int64_t>();
    if (members == 0) continue;
    if (members == rows.size(0)) {  // the only class there is
      intercepts_[k] = 0;
      continue;
    }
    const LogisticFit fit = fit_logistic(inside, is_class, kLabelPenalty);
    weights_.select(1, k).copy_(fit.weights);
    intercepts_[k] = fit.intercept;
  }
  if (!intercepts_.isfinite().any().item<bool>()) fail("a regression of labels without a labelled image");
}

at::Tensor LabelRegression::predict(const at::Tensor& rows) const {
  const at::Tensor inside = at::matmul((rows.to(at::kDouble) - mean_) / scale_, basis_);
  return (at::matmul(inside, weights_) + intercepts_).argmax(1);
}

at::Tensor held_out_classes(const at::Tensor& rows, const at::Tensor& classes,
                            const std::vector<std::int64_t>& groups, std::int64_t count) {
  const at::Tensor fold = at::tensor(label_folds(classes, groups), at::kLong);
  const auto folds = fold.max().item<std::int64_t>() + 1;
  if (folds < 2)
    fail("all labelled images are of one group (--groups): none is left to test a classifier of labels on");
  at::Tensor out = at::empty_like(classes);
  for (std::int64_t f = 0; f < folds; ++f) {
    const at::Tensor inside = at::nonzero(fold == f).flatten(), outside = at::nonzero(fold != f).flatten();
    const LabelRegression fit(rows.index_select(0, outside), classes.index_select(0, outside), count);
    out.index_copy_(0, inside, fit.predict(rows.index_select(0, inside)));
  }
  return out;
}

}  // namespace torsor
