#include "metric/confusion.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "core/error.h"

namespace torsor {

namespace {

constexpr std::int64_t kMaxClasses = 16;

double entropy_bits(const std::vector<double>& shares) {
  double sum = 0;
  for (const double p : shares)
    if (p > 0) sum -= p * std::log2(p);
  return sum;
}

// Each cycle from its smallest element, in the order of these.
std::vector<std::vector<std::int64_t>> cycles_of(const std::vector<std::int64_t>& permutation) {
  const auto n = std::ssize(permutation);
  std::vector<char> seen(permutation.size(), 0);
  std::vector<std::vector<std::int64_t>> cycles;
  for (std::int64_t start = 0; start < n; ++start) {
    if (seen[static_cast<std::size_t>(start)]) continue;
    cycles.emplace_back();
    for (std::int64_t at = start; !seen[static_cast<std::size_t>(at)];) {
      seen[static_cast<std::size_t>(at)] = 1;
      cycles.back().push_back(at);
      at = permutation[static_cast<std::size_t>(at)];
      if (at < 0 || at >= n) fail("{} is not in 0..{}: no permutation", at, n - 1);
    }
    if (permutation[static_cast<std::size_t>(cycles.back().back())] != start)
      fail("{} is met twice: no permutation", permutation[static_cast<std::size_t>(cycles.back().back())]);
  }
  return cycles;
}

}  // namespace

ConfusionMatrix::ConfusionMatrix(std::int64_t classes) {
  if (classes < 1 || classes > kMaxClasses)
    fail("a confusion matrix of {} classes; 1 to {} are possible", classes, kMaxClasses);
  counts_.assign(static_cast<std::size_t>(classes),
                 std::vector<std::int64_t>(static_cast<std::size_t>(classes), 0));
}

void ConfusionMatrix::add(std::int64_t from, std::int64_t to) {
  if (std::min(from, to) < 0 || std::max(from, to) >= classes())
    fail("class {} to class {}; there are 0 to {}", from, to, classes() - 1);
  ++counts_[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
}

std::int64_t ConfusionMatrix::total() const {
  std::int64_t sum = 0;
  for (const auto& row : counts_) sum = std::accumulate(row.begin(), row.end(), sum);
  return sum;
}

std::vector<std::vector<double>> ConfusionMatrix::shares() const {
  std::vector<std::vector<double>> out;
  for (const auto& row : counts_) {
    const auto sum = static_cast<double>(std::accumulate(row.begin(), row.end(), std::int64_t{0}));
    out.emplace_back();
    for (const std::int64_t count : row) out.back().push_back(sum > 0 ? static_cast<double>(count) / sum : 0);
  }
  return out;
}

ConfusionSummary summarize(const ConfusionMatrix& matrix) {
  const auto total = static_cast<double>(matrix.total());
  if (total == 0) fail("a confusion matrix without counts");
  const auto shares = matrix.shares();
  const std::size_t n = shares.size();
  ConfusionSummary s;
  s.permutation = best_assignment(shares);
  std::vector<double> outputs(n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    const auto& row = matrix.counts()[i];
    const double weight =
        static_cast<double>(std::accumulate(row.begin(), row.end(), std::int64_t{0})) / total;
    s.permutation_share += shares[i][static_cast<std::size_t>(s.permutation[i])] / static_cast<double>(n);
    s.identity_share += shares[i][i] / static_cast<double>(n);
    s.row_entropy += weight * entropy_bits(shares[i]);
    for (std::size_t j = 0; j < n; ++j) outputs[j] += weight * shares[i][j];
  }
  s.output_entropy = entropy_bits(outputs);
  s.mutual_information = s.output_entropy - s.row_entropy;
  return s;
}

// best[set] is the largest sum of the first |set| rows over the columns of the set.
std::vector<std::int64_t> best_assignment(const std::vector<std::vector<double>>& gains) {
  const std::size_t n = gains.size();
  if (n == 0 || n > static_cast<std::size_t>(kMaxClasses))
    fail("an assignment of {} rows; 1 to {} are possible", n, kMaxClasses);
  for (const auto& row : gains)
    if (row.size() != n)
      fail("an assignment needs as many columns as rows, and has {} and {}", row.size(), n);
  std::vector<double> best(std::size_t{1} << n, -std::numeric_limits<double>::infinity());
  std::vector<std::int64_t> last(best.size(), -1);
  best[0] = 0;
  for (std::size_t set = 0; set + 1 < best.size(); ++set) {
    const auto row = static_cast<std::size_t>(std::popcount(set));
    for (std::size_t column = 0; column < n; ++column) {
      const std::size_t with = set | std::size_t{1} << column;
      const double sum = best[set] + gains[row][column];
      if (with == set || !(sum > best[with])) continue;
      best[with] = sum;
      last[with] = static_cast<std::int64_t>(column);
    }
  }
  std::vector<std::int64_t> columns(n);
  for (std::size_t set = best.size() - 1, row = n; row-- > 0;) {
    columns[row] = last[set];
    set &= ~(std::size_t{1} << last[set]);
  }
  return columns;
}

std::string cycles_text(const std::vector<std::int64_t>& permutation) {
  std::string text;
  for (const auto& cycle : cycles_of(permutation))
    if (cycle.size() > 1) text += fmt::format("({})", fmt::join(cycle, " "));
  return text.empty() ? "identity" : text;
}

std::vector<std::int64_t> cycle_type(const std::vector<std::int64_t>& permutation) {
  std::vector<std::int64_t> lengths;
  for (const auto& cycle : cycles_of(permutation)) lengths.push_back(std::ssize(cycle));
  std::sort(lengths.begin(), lengths.end(), std::greater<>());
  return lengths;
}

}  // namespace torsor
