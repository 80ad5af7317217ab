#include "transport/exact_transport.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/machine.h"
#include "transport/masses.h"
#include "transport/network_simplex.h"

namespace torsor {

namespace {

constexpr int kMostRounds = 12;
constexpr double kGoodGap = 1e-13;  // of the cost
constexpr double kWiden = 1024;     // by how much a clip grows, and how far it lies above what is used
constexpr double kGiB = 1024.0 * 1024 * 1024;

struct Duals {
  std::vector<double> from, to;
};

class Rounds {
 public:
  Rounds(const at::Tensor& costs, const std::vector<double>& from, const std::vector<double>& to)
      : costs_(costs.data_ptr<double>()),
        rows_(costs.size(0)),
        columns_(costs.size(1)),
        masses_(whole_masses(from, to)) {
    total_ = static_cast<double>(std::accumulate(masses_.rows.begin(), masses_.rows.end(), std::int64_t{0}));
    best_.bound = std::numeric_limits<double>::infinity();
  }

  ExactTransport solve() {
    duals_ = {std::vector<double>(rows(), 0.0), std::vector<double>(columns(), 0.0)};
    lift_rows();
    lift_columns();
    double clip = largest_reduced();
    for (int round = 0; round < kMostRounds; ++round) {
      const auto [solution, used] = solve_once(clip);
      keep(solution);
      if (best_.bound <= kGoodGap * std::abs(best_.cost)) break;
      const double largest = largest_reduced();
      const double wanted = used >= clip ? clip * kWiden : largest_used(solution) * kWiden;
      const double next = std::min(wanted, largest);
      if (next == clip && !moved_) break;  // nothing would change
      clip = next;
    }
    return best_;
  }

 private:
  std::size_t rows() const { return static_cast<std::size_t>(rows_); }
  std::size_t columns() const { return static_cast<std::size_t>(columns_); }
  double cost(std::int64_t i, std::int64_t j) const { return costs_[i * columns_ + j]; }
  double reduced(std::int64_t i, std::int64_t j) const {
    return cost(i, j) - duals_.from[static_cast<std::size_t>(i)] - duals_.to[static_cast<std::size_t>(j)];
  }

  // Raises each dual to the most that the costs allow.
  void lift_rows() {
    for (std::int64_t i = 0; i < rows_; ++i) {
      double least = std::numeric_limits<double>::infinity();
      for (std::int64_t j = 0; j < columns_; ++j)
        least = std::min(least, cost(i, j) - duals_.to[static_cast<std::size_t>(j)]);
      duals_.from[static_cast<std::size_t>(i)] = least;
    }
  }
  void lift_columns() {
    std::vector<double> least(columns(), std::numeric_limits<double>::infinity());
    for (std::int64_t i = 0; i < rows_; ++i)
      for (std::int64_t j = 0; j < columns_; ++j) {
        auto& value = least[static_cast<std::size_t>(j)];
        value = std::min(value, cost(i, j) - duals_.from[static_cast<std::size_t>(i)]);
      }
    duals_.to = std::move(least);
  }

  double largest_reduced() const {
    double out = 0;
    for (std::int64_t i = 0; i < rows_; ++i)
      for (std::int64_t j = 0; j < columns_; ++j) out = std::max(out, reduced(i, j));
    return out;
  }

  double largest_used(const WholeSolution& solution) const {
    double out = 0;
    for (const WholeFlow& flow : solution.flows) out = std::max(out, reduced(flow.row, flow.column));
    return out;
  }

  struct Round {
    WholeSolution solution;
    double used = 0;  // the largest reduced cost, before the duals moved, that has flow
  };

  // Solves what the duals leave of the costs, and moves the duals by that problem's.
  Round solve_once(double clip) {
    WholeCosts whole{costs_,
                     rows_,
                     columns_,
                     duals_.from.data(),
                     duals_.to.data(),
                     clip,
                     largest_whole_cost(rows_, columns_)};
    Round out{solve_whole(whole, masses_), 0};
    out.used = largest_used(out.solution);
    const Duals before = duals_;
    for (std::size_t i = 0; i < rows(); ++i)
      duals_.from[i] += static_cast<double>(out.solution.from[i]) / whole.most * clip;
    lift_columns();
    lift_rows();
    moved_ = duals_.from != before.from || duals_.to != before.to;
    return out;
  }

  // What the round found becomes the answer where its bound is the least yet.
  void keep(const WholeSolution& solution) {
    ExactTransport found;
    for (const WholeFlow& flow : solution.flows) {
      const double mass = static_cast<double>(flow.mass) / total_;
      found.plan.push_back({flow.row, flow.column, mass});
      found.cost += mass * cost(flow.row, flow.column);
      // By complementary slackness the gap is the sum of what is left of the costs where there is flow.
      found.bound += mass * std::max(reduced(flow.row, flow.column), 0.0);
    }
    if (!(found.bound < best_.bound)) return;
    found.dual_from = at::tensor(duals_.from, at::kDouble);
    found.dual_to = at::tensor(duals_.to, at::kDouble);
    best_ = std::move(found);
  }

  const double* costs_;
  std::int64_t rows_, columns_;
  WholeMasses masses_;
  double total_ = 1;
  Duals duals_;
  bool moved_ = true;
  ExactTransport best_;
};

void check_costs(const at::Tensor& costs) {
  if (costs.dim() != 2 || costs.size(0) < 1 || costs.size(1) < 1)
    fail(
        "optimal transport: expected costs of at least one point to one point, got {} numbers in {} "
        "dimensions",
        costs.numel(), costs.dim());
  if (!costs.isfinite().all().item<bool>())
    fail("optimal transport: costs must be finite, but some are NaN or infinite");
}

}  // namespace

double exact_transport_bytes(std::int64_t n, std::int64_t m) {
  return network_simplex_bytes(n, m) + sizeof(double) * static_cast<double>(n) * static_cast<double>(m);
}

void require_transport_room(const TransportSize& size, const std::string& what, const std::string& advice) {
  const double needed = exact_transport_bytes(size.n, size.m) + size.beside;
  const MemoryRoom room = memory_room();
  if (needed > room.bytes)
    fail("{}: {} x {} points need {:.1f} GiB of memory, but {} {:.1f} GiB; {}", what, size.n, size.m,
         needed / kGiB, room.bound, room.bytes / kGiB, advice);
  if (!fits_network_simplex(size.n, size.m))
    fail("{}: {} x {} points are more than the exact solver can number (2147483647 pairs); {}", what, size.n,
         size.m, advice);
}

ExactTransport exact_transport(const at::Tensor& costs, const std::vector<double>& from_masses,
                               const std::vector<double>& to_masses) {
  check_costs(costs);
  const std::int64_t n = costs.size(0), m = costs.size(1);
  require_transport_room({n, m}, "optimal transport", "take fewer points");
  const at::Tensor whole = costs.to(at::kCPU, at::kDouble).contiguous();
  return Rounds(whole, checked_masses(from_masses, n, "rows"), checked_masses(to_masses, m, "columns"))
      .solve();
}

Assignment exact_assignment(const at::Tensor& costs) {
  check_costs(costs);
  if (costs.size(0) != costs.size(1))
    fail("an assignment needs as many points on both sides, got {} and {}", costs.size(0), costs.size(1));
  const ExactTransport found = exact_transport(costs);
  Assignment out{std::vector<std::int64_t>(static_cast<std::size_t>(costs.size(0))), found.cost, found.bound};
  // With equal whole masses the solver's plans are whole too: one entry in each row.
  for (const PlanEntry& entry : found.plan) out.to[static_cast<std::size_t>(entry.from)] = entry.to;
  return out;
}

}  // namespace torsor
