// What a comparison with the recorded results of the reference ends in.
#pragma once

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.h"

namespace torsor::parity {

/// One recorded folder (or network with its forward pass), compared.
struct Outcome {
  std::string name;
  double worst = 0;     // the largest relative error
  std::string failure;  // why it does not agree or could not be run; "" = it agrees
  std::string note;

  bool ok() const { return failure.empty(); }
  std::string line() const {
    return fmt::format("{:<42} worst {:.1e}  {}{}", name, worst, ok() ? "ok" : "FAILED: " + failure,
                       note.empty() ? "" : "  (" + note + ")");
  }
};

/// Collects errors; the failure is the one farthest beyond what is allowed.
class Comparison {
 public:
  explicit Comparison(Outcome& outcome) : outcome_(outcome) {}

  /// `error` is relative already. NaN counts as infinitely wrong.
  void note(const std::string& what, double error, double allowed) {
    if (std::isnan(error)) error = INFINITY;
    outcome_.worst = std::max(outcome_.worst, error);
    if (error <= allowed || error / allowed <= excess_) return;
    excess_ = error / allowed;
    outcome_.failure = fmt::format("{}: relative error {:.2e}, allowed {:.0e}", what, error, allowed);
  }

  /// Every element to allowed * max(1, |reference|).
  void elements(const std::string& what, const at::Tensor& got, const at::Tensor& reference, double allowed) {
    if (got.sizes() != reference.sizes()) fail("{}: has another shape than the reference's", what);
    if (got.numel() == 0) return;
    const at::Tensor expected = reference.to(at::kDouble);
    const at::Tensor error = (got.to(at::kDouble) - expected).abs() / expected.abs().clamp_min(1);
    note(what, error.max().item<double>(), allowed);
  }

 private:
  Outcome& outcome_;
  double excess_ = 0;
};

/// ||got - reference|| / ||reference||, over all elements.
inline double relative_l2(const at::Tensor& got, const at::Tensor& reference) {
  const at::Tensor expected = reference.to(at::kDouble);
  const double difference = (got.to(at::kDouble) - expected).norm().item<double>();
  return difference / std::max(expected.norm().item<double>(), 1e-300);
}

/// Runs `compare(outcome)`; whatever it throws is the failure.
template <class Compare>
Outcome outcome_of(const std::string& name, Compare compare) {
  Outcome outcome;
  outcome.name = name;
  try {
    compare(outcome);
  } catch (const std::exception& error) {
    const std::string text = error.what();
    outcome.failure = text.substr(0, text.find('\n'));
    outcome.worst = INFINITY;
  }
  return outcome;
}

}  // namespace torsor::parity
