#include "theory/line_bound.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/error.h"

namespace torsor {

namespace {

double mean_gap(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
  return sum / static_cast<double>(a.size());
}

template <class Map>
std::vector<double> images(const Map& map, const std::vector<double>& points) {
  std::vector<double> out;
  for (const double p : points) out.push_back(map(p));
  return out;
}

// Jensen-Shannon divergence of the uniform distributions on two lists of points; equal points are one atom.
double jensen_shannon(const std::vector<double>& a, const std::vector<double>& b) {
  std::map<double, std::pair<double, double>> mass;
  for (const double v : a) mass[v].first += 1.0 / static_cast<double>(a.size());
  for (const double v : b) mass[v].second += 1.0 / static_cast<double>(b.size());
  const auto part = [](double p, double q) { return p > 0 ? p * std::log(2 * p / (p + q)) : 0; };
  double sum = 0;
  for (const auto& [point, m] : mass) sum += (part(m.first, m.second) + part(m.second, m.first)) / 2;
  return sum;
}

// Where phi sends each atom of x, as an index.
std::vector<std::size_t> permutation_of(const LineProblem& p) {
  std::vector<std::size_t> out;
  for (const double x : p.x) {
    const auto found = std::find(p.x.begin(), p.x.end(), p.phi(x));
    if (found == p.x.end()) fail("the problem '{}': phi does not map X to itself at {}", p.name, x);
    out.push_back(static_cast<std::size_t>(found - p.x.begin()));
  }
  return out;
}

std::vector<double> picked(const std::vector<double>& values, const std::vector<std::size_t>& indices) {
  std::vector<double> out;
  for (const std::size_t i : indices) out.push_back(values[i]);
  return out;
}

std::vector<double> sorted_uniform(Rng& rng, std::int64_t n, double low, double high) {
  std::vector<double> out;
  for (std::int64_t i = 0; i < n; ++i) out.push_back(rng.uniform(low, high));
  std::sort(out.begin(), out.end());
  return out;
}

// Increments of random sizes over several orders of magnitude: slopes from gentle to steep.
std::vector<double> increasing_from(double start, std::size_t n, Rng& rng) {
  std::vector<double> out = {start};
  while (out.size() < n) out.push_back(out.back() + std::exp(rng.uniform(-3, 1)));
  return out;
}

// x reversed, with knots of its own between the atoms and beyond them.
LineMap random_reversal(const std::vector<double>& x, Rng& rng) {
  std::vector<double> from, to;
  from.push_back(x.front() - rng.uniform(0.1, 5));
  to.push_back(x.back() + rng.uniform(0.1, 5));
  for (std::size_t i = 0; i < x.size(); ++i) {
    from.push_back(x[i]);
    to.push_back(x[x.size() - 1 - i]);
    if (i + 1 == x.size()) break;
    const double part = rng.uniform(0.1, 0.9), image = rng.uniform(0.1, 0.9);
    from.push_back(x[i] + part * (x[i + 1] - x[i]));
    to.push_back(x[x.size() - 1 - i] - image * (x[x.size() - 1 - i] - x[x.size() - 2 - i]));
  }
  from.push_back(x.back() + rng.uniform(0.1, 5));
  to.push_back(x.front() - rng.uniform(0.1, 5));
  return {from, to};
}

// The identity on x; whatever increases beyond it.
LineMap random_drift(const std::vector<double>& x, Rng& rng) {
  std::vector<double> from = x, to = x;
  const std::vector<double> more = increasing_from(x.back() + 0.1, 4, rng),
                            images = increasing_from(x.back() + 0.1, 4, rng);
  from.insert(from.end(), more.begin(), more.end());
  to.insert(to.end(), images.begin(), images.end());
  return {from, to};
}

LineMap identity() { return {{0, 1}, {0, 1}}; }

}  // namespace

LineMap::LineMap(std::vector<double> from, std::vector<double> to)
    : from_(std::move(from)), to_(std::move(to)) {
  if (from_.size() != to_.size() || from_.size() < 2)
    fail("a line map needs as many images as knots, two or more");
  const double direction = to_[1] - to_[0];
  for (std::size_t k = 1; k < from_.size(); ++k)
    if (!(from_[k] > from_[k - 1]) || !((to_[k] - to_[k - 1]) * direction > 0))
      fail("a line map needs increasing knots and strictly monotone images");
}

double LineMap::operator()(double x) const {
  const auto above = std::lower_bound(from_.begin(), from_.end(), x);
  if (above != from_.end() && *above == x) return to_[static_cast<std::size_t>(above - from_.begin())];
  const std::ptrdiff_t last = std::ssize(from_) - 1;
  const auto k = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(above - from_.begin(), 1, last));
  return to_[k - 1] + (x - from_[k - 1]) * (to_[k] - to_[k - 1]) / (from_[k] - from_[k - 1]);
}

LineMap LineMap::inverse() const {
  std::vector<double> from = to_, to = from_;
  if (from.front() > from.back()) {
    std::reverse(from.begin(), from.end());
    std::reverse(to.begin(), to.end());
  }
  return {std::move(from), std::move(to)};
}

double LineMap::lipschitz() const {
  double steepest = 0;
  for (std::size_t k = 1; k < from_.size(); ++k)
    steepest = std::max(steepest, std::abs((to_[k] - to_[k - 1]) / (from_[k] - from_[k - 1])));
  return steepest;
}

LineLoss extended_loss(const LineProblem& p) {
  return {jensen_shannon(p.f_y, p.x) + jensen_shannon(p.g_x, p.y), p.alpha_cycle * mean_gap(p.f_g_x, p.x),
          p.alpha_cycle * mean_gap(p.g_f_y, p.y), p.alpha_id * mean_gap(p.g_x, p.x),
          p.alpha_id * mean_gap(p.f_y, p.y)};
}

LineLoss moved_loss(const LineProblem& p) {
  const std::vector<std::size_t> permutation = permutation_of(p);
  const LineMap back = p.phi.inverse();
  LineProblem moved = p;
  moved.g_x = picked(p.g_x, permutation);                    // G(phi(x))
  moved.f_g_x = images(back, picked(p.f_g_x, permutation));  // phi^-1(F(G(phi(x))))
  moved.f_y = images(back, p.f_y);                           // phi^-1(F(y)); G(phi(that)) is G(F(y))
  return extended_loss(moved);
}

double LineBound::printed() const { return std::max(lipschitz, 1.0) * loss.total() + 2 * moved_x; }

double LineBound::corrected() const {
  return loss.gan + lipschitz * loss.cycle_x + loss.cycle_y + loss.id_x + loss.id_y + moved_x + moved_f;
}

LineBound line_bound(const LineProblem& p) {
  const LineMap back = p.phi.inverse();
  return {back.lipschitz(), extended_loss(p), p.alpha_id * mean_gap(images(p.phi, p.x), p.x),
          p.alpha_id * mean_gap(images(back, p.f_y), p.f_y)};
}

bool matches_x(const LineProblem& p) { return jensen_shannon(p.f_y, p.x) == 0; }

LineProblem random_problem(Rng& rng) {
  const std::int64_t n = 1 + rng.index(6);
  const std::vector<double> x = sorted_uniform(rng, n, 0, 1);
  const bool onto = rng.index(3) == 0;
  const double offset = std::vector<double>{0, 0.5, 3, 10}[static_cast<std::size_t>(rng.index(4))];
  const std::vector<double> y = sorted_uniform(rng, onto ? n : 1 + rng.index(6), offset, offset + 1);
  LineProblem p{"random", x, y, {}, {}, {}, {}, rng.coin() ? random_reversal(x, rng) : random_drift(x, rng)};
  const double noise = std::exp(rng.uniform(-5, 1));
  for (const double v : x) {
    p.g_x.push_back((rng.coin() ? v : offset + v) + noise * rng.normal());
    p.f_g_x.push_back(v + noise * rng.normal());
  }
  std::vector<std::size_t> order(x.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto j = static_cast<std::size_t>(rng.index(static_cast<std::int64_t>(i) + 1));
    order[i] = order[j];
    order[j] = i;
  }
  for (std::size_t j = 0; j < y.size(); ++j) {
    p.f_y.push_back(onto ? x[order[j]] : (rng.coin() ? y[j] : y[j] - offset) + noise * rng.normal());
    p.g_f_y.push_back(onto ? p.g_x[order[j]] : y[j] + noise * rng.normal());
  }
  p.alpha_cycle = rng.uniform(0, 10);
  p.alpha_id = rng.uniform(0, 10);
  return p;
}

LineProblem counterexample(std::int64_t atoms) {
  std::vector<double> x, y;
  for (std::int64_t i = 0; i < atoms; ++i) {
    x.push_back((static_cast<double>(i) + 0.5) / static_cast<double>(atoms));
    y.push_back(10 + x.back());
  }
  return {"the counterexample", x, y, x, x, y, y, LineMap({0, 2, 8, 11}, {0, 2, 9, 12}), 10, 10};
}

std::vector<LineProblem> tight_problems() {
  const std::vector<double> pair = {0, 1};
  // phi^-1 falls three times as steeply just above each atom, where FG leads.
  const LineMap steep = LineMap({-0.3, 0, 0.7, 1}, {1.1, 1, 0.1, 0});
  return {{"phi = id, every part of the loss",
           pair,
           {2, 4},
           {2.5, 3},
           {0.2, 1.1},
           {0.4, 0.7},
           {2.2, 4.4},
           identity()},
          {"steep phi^-1: the factor C", pair, {0, 1}, {5, 6}, {0.1, 1.1}, {7, 8}, {0, 1}, steep, 1, 0},
          {"G = id, F fixed by phi: the move of X",
           pair,
           {0, 1},
           {0, 1},
           {0.5, 0.5},
           {0.5, 0.5},
           {3, 3},
           LineMap({0, 1}, {1, 0})},
          counterexample(200)};
}

}  // namespace torsor
