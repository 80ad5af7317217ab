// Proposition 2.3 on the line, where X and Y are finitely many points of equal mass, so that both sides of
// its bound are finite sums.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/rng.h"

namespace torsor {

/// A strictly monotone piecewise-linear homeomorphism of the line: from[k] -> to[k], straight between and
/// beyond the knots. It can be smoothed into a diffeomorphism without changing it at finitely many points or
/// its Lipschitz constants.
class LineMap {
 public:
  /// `from` increasing; `to` strictly monotone; two knots or more. Throws Error otherwise.
  LineMap(std::vector<double> from, std::vector<double> to);
  /// Exact at the knots.
  double operator()(double x) const;
  LineMap inverse() const;
  /// The largest slope in absolute value.
  double lipschitz() const;

 private:
  std::vector<double> from_, to_;
};

/// One instance: translators are needed at finitely many points only.
struct LineProblem {
  std::string name;
  std::vector<double> x, y;        // the atoms
  std::vector<double> g_x, f_g_x;  // G(x_i), F(G(x_i))
  std::vector<double> f_y, g_f_y;  // F(y_j), G(F(y_j))
  LineMap phi;                     // permutes x
  double alpha_cycle = 1, alpha_id = 1;
};

/// The parts of L_ext(G, F), weighted; the GAN part with the Jensen-Shannon divergence.
struct LineLoss {
  double gan = 0, cycle_x = 0, cycle_y = 0, id_x = 0, id_y = 0;
  double total() const { return gan + cycle_x + cycle_y + id_x + id_y; }
};
LineLoss extended_loss(const LineProblem& p);

/// L_ext(G o phi, phi^-1 o F). Throws Error when phi does not permute x.
LineLoss moved_loss(const LineProblem& p);

/// Both bounds on moved_loss().total() (S0-C4).
struct LineBound {
  double lipschitz = 1;             // C of phi^-1
  LineLoss loss;                    // of (G, F)
  double moved_x = 0, moved_f = 0;  // alpha_id E_X |phi - id|, alpha_id E_Y |phi^-1 F - F|

  /// max(C, 1) L_ext + 2 alpha_id E_X |phi - id|.
  double printed() const;
  /// L_GAN + alpha_cyc (C E_X |FG - id| + E_Y |GF - id|) + alpha_id (L_id + E_X |phi - id| + E_Y |phi^-1 F -
  /// F|).
  double corrected() const;
};
LineBound line_bound(const LineProblem& p);

/// Whether F_* nu = mu.
bool matches_x(const LineProblem& p);

/// A random instance: phi reverses x, or leaves it alone and moves what is elsewhere; F maps onto x in a
/// third of them.
LineProblem random_problem(Rng& rng);

/// The seed's counterexample: X = U[0,1], Y = U[10,11] at `atoms` quantiles, G = F = id, phi = id near X and
/// t + 1 near Y.
LineProblem counterexample(std::int64_t atoms);

/// Instances that attain the corrected bound, each by other terms.
std::vector<LineProblem> tight_problems();

}  // namespace torsor
