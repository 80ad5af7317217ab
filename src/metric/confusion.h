// What a translation does to classes: matrices of (class of the input, class of the output), and whether they
// are a permutation (S0-E1d).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace torsor {

class ConfusionMatrix {
 public:
  /// `classes` of at least 1 and at most 16.
  explicit ConfusionMatrix(std::int64_t classes);
  /// Counts one input of class `from` whose output is of class `to`. Throws Error outside the classes.
  void add(std::int64_t from, std::int64_t to);

  std::int64_t classes() const { return std::int64_t(counts_.size()); }
  std::int64_t total() const;
  const std::vector<std::vector<std::int64_t>>& counts() const { return counts_; }
  /// Rows that sum to 1; rows without a count are 0.
  std::vector<std::vector<double>> shares() const;

 private:
  std::vector<std::vector<std::int64_t>> counts_;
};

/// Readings of a matrix. Entropies are in bits, of classes that are as frequent as the inputs.
struct ConfusionSummary {
  std::vector<std::int64_t> permutation;  // the assignment class -> class with the largest sum of shares
  double permutation_share = 0;           // mean share of the inputs that follow it
  double identity_share = 0;              // mean share of the inputs whose class stays
  double mutual_information = 0;          // between classes of inputs and outputs
  double row_entropy = 0;     // mean entropy of a row: 0 = the output's class follows from the input's
  double output_entropy = 0;  // of the outputs' classes: 0 = all outputs are of one
};
ConfusionSummary summarize(const ConfusionMatrix& matrix);

/// The assignment of columns to rows with the largest sum, exactly (dynamic programming over sets of columns,
/// at most 16 of them). Throws Error for a matrix that is not square or too large.
std::vector<std::int64_t> best_assignment(const std::vector<std::vector<double>>& gains);

/// The cycles of a permutation, fixed points left out: "(2 6)(0 3 5)", or "identity". Throws Error when it is
/// none.
std::string cycles_text(const std::vector<std::int64_t>& permutation);

/// Lengths of all its cycles, longest first, fixed points included: {3, 2, 1, 1, ...}.
std::vector<std::int64_t> cycle_type(const std::vector<std::int64_t>& permutation);

}  // namespace torsor
