// Flows as generators: dx/dt = v(x, t) from time 0 to 1 carries an image of one domain to the other, and back
// in time an image of the other domain to the first (S2-E3; the slides' ResNet as Euler steps, S2-Q5).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "nn/network.h"

namespace torsor {

/// The way in time that a flow is integrated.
enum class Course { forwards, backwards };

/// A generator that can be inverted: one network is both directions.
struct InvertibleGenerator : Generator {
  at::Tensor forward(const at::Tensor& x) override { return travel(x, Course::forwards, nullptr); }
  at::Tensor forward_with_residuals(const at::Tensor& x, std::vector<at::Tensor>& residuals) override {
    return travel(x, Course::forwards, &residuals);
  }
  /// [N,C,H,W] -> the x with forward(x) = y, as far as the solver's steps are exact in both directions.
  at::Tensor inverse(const at::Tensor& y) { return travel(y, Course::backwards, nullptr); }
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override {
    return describe_travel(sink, x, Course::forwards);
  }

  /// Either way; appends the differences of the states after each of the steps unless `residuals` is null.
  virtual at::Tensor travel(const at::Tensor& x, Course course, std::vector<at::Tensor>* residuals) = 0;
  virtual GraphValue describe_travel(GraphSink& sink, const GraphValue& x, Course course) const = 0;
};

/// Whether a generator of these options is an InvertibleGenerator.
bool is_invertible(const GeneratorOptions& options);

/// The generator whose forward() is the inverse of this one, and which has the same weights. Throws
/// std::logic_error for one that is no InvertibleGenerator.
std::shared_ptr<Generator> inverse_of(const std::shared_ptr<Generator>& generator);

/// The mean of |Phi^-1(Phi(x)) - x| over all elements of [N,C,H,W]; nothing for a generator that is no
/// InvertibleGenerator.
std::optional<double> return_error(Generator& generator, const at::Tensor& x);

}  // namespace torsor
