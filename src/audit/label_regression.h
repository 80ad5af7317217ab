// A logistic regression of several classes.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace torsor {

/// One logistic regression (metric/logistic.h) for each class against all others; the class with the largest
/// log odds is the answer. Every class weighs the same, whatever its number of images. Features are centred
/// and scaled to deviation 1 over the rows that it is fitted to, and divided by the root of their number.
class LabelRegression {
 public:
  /// rows [n,d] float64, classes [n] int64 of 0 ... count-1. A class without a row is never an answer. Throws
  /// Error where no class has one.
  LabelRegression(const at::Tensor& rows, const at::Tensor& classes, std::int64_t count);

  /// [m,d] float64 -> [m] int64.
  at::Tensor predict(const at::Tensor& rows) const;

 private:
  at::Tensor mean_, scale_;          // [d]
  at::Tensor basis_;                 // [d,r]: where the rows lie; all that weight decay sees of them
  at::Tensor weights_, intercepts_;  // [r,count], [count]
};

/// What a regression that was fitted without an image's group says of it: [n] int64. Groups are dealt out to
/// at most five folds in turn, in the order of their classes, so that each fold has of all; nothing is drawn.
/// Throws Error where all rows are of one group.
at::Tensor held_out_classes(const at::Tensor& rows, const at::Tensor& classes,
                            const std::vector<std::int64_t>& groups, std::int64_t count);

}  // namespace torsor
