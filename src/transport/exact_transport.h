// Optimal transport between finite sets of points, and its special case, the assignment.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace torsor {

/// One entry of a plan that is not 0.
struct PlanEntry {
  std::int64_t from = 0, to = 0;
  double mass = 0;
};

struct ExactTransport {
  double cost = 0;              // sum of mass times cost: a mean, since masses sum to 1
  double bound = 0;             // no plan is cheaper by more than this: the duality gap, in double precision
  std::vector<PlanEntry> plan;  // at most n + m - 1 entries, by `from`, then `to`
  at::Tensor dual_from, dual_to;  // [n], [m] float64: dual_from[i] + dual_to[j] <= costs[i,j]
};

/// Bytes that solving n x m points takes, their costs included.
double exact_transport_bytes(std::int64_t n, std::int64_t m);

/// A problem of n x m points, and the bytes that its caller holds beside what the solver takes.
struct TransportSize {
  std::int64_t n = 0, m = 0;
  double beside = 0;
};

/// Throws Error with the numbers when a problem does not fit into the memory that is there: one line that
/// names `what` ("the assignment of A to B") and ends with `advice` ("give --max-images").
void require_transport_room(const TransportSize& size, const std::string& what, const std::string& advice);

/// The cheapest plan for costs [n,m] between masses (>= 0; each divided by its sum; empty: all points alike).
/// Costs may be of any size: they become whole numbers for LEMON's network simplex, and where those do not
/// resolve what decides (1e32 beside 1), the problem is solved again on what the duals leave of the costs.
/// Throws Error for costs that are not finite, masses that are negative, of another number or all 0, and as
/// require_transport_room() does.
ExactTransport exact_transport(const at::Tensor& costs, const std::vector<double>& from_masses = {},
                               const std::vector<double>& to_masses = {});

struct Assignment {
  std::vector<std::int64_t> to;  // n: the column of each row, a permutation
  double cost = 0;               // the mean over the rows
  double bound = 0;              // as of ExactTransport
};

/// The cheapest assignment for costs [n,n]. Throws as exact_transport() does, and Error unless n = m.
Assignment exact_assignment(const at::Tensor& costs);

}  // namespace torsor
