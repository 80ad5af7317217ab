// The masses of points.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "transport/network_simplex.h"

namespace torsor {

/// `masses` divided by their sum, or of `count` points alike where there are none. Throws Error naming `what`
/// ("rows") for another number of masses, one that is negative or not finite, or when all are 0.
std::vector<double> checked_masses(const std::vector<double>& masses, std::int64_t count,
                                   const std::string& what);

/// The same as whole numbers with equal sums: exact where all points of a side are alike, else to 2^-50 of
/// the whole, by largest remainders.
WholeMasses whole_masses(const std::vector<double>& rows, const std::vector<double>& columns);

}  // namespace torsor
