// Integer transport problems, solved by LEMON's network simplex. exact_transport.h is what to call.
#pragma once

#include <cstdint>
#include <vector>

namespace torsor {

/// Costs as whole numbers, made where they are read: min(cost - from - to, clip) in units of `unit`.
struct WholeCosts {
  const double* costs = nullptr;  // [rows,columns]
  std::int64_t rows = 0, columns = 0;
  const double* from = nullptr;  // [rows] and [columns]: what is taken off first, so that the
  const double* to = nullptr;    // whole numbers resolve what decides
  double clip = 0;
  double most = 1;  // the whole number of `clip`

  double reduced(std::int64_t row, std::int64_t column) const {
    return costs[row * columns + column] - from[row] - to[column];
  }
  std::int64_t whole(std::int64_t row, std::int64_t column) const;
};

/// Rows that give and columns that take: sums are equal, all are >= 0.
struct WholeMasses {
  std::vector<std::int64_t> rows, columns;
};

struct WholeFlow {
  std::int64_t row = 0, column = 0, mass = 0;
};

struct WholeSolution {
  std::vector<WholeFlow> flows;  // those that are not 0, at most rows + columns - 1, by row and column
  /// Potentials of the whole costs: from + to <= cost, and equal where there is flow.
  std::vector<std::int64_t> from, to;
};

/// The largest whole cost that cannot overflow in a problem of this many points.
double largest_whole_cost(std::int64_t rows, std::int64_t columns);

/// What the solver takes beside the costs, in bytes.
double network_simplex_bytes(std::int64_t rows, std::int64_t columns);

/// Whether its 32-bit numbers of arcs are enough.
bool fits_network_simplex(std::int64_t rows, std::int64_t columns);

/// Minimises sum(cost * flow). Throws std::logic_error when the sums of the masses differ.
WholeSolution solve_whole(const WholeCosts& costs, const WholeMasses& masses);

}  // namespace torsor
