// S0-C3, Lemma 2.1 (A.1): a diffeomorphism can be moved to the other side of an f-divergence.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "core/rng.h"
#include "experiment/experiments.h"

namespace torsor {

namespace {

constexpr double kTolerance = 1e-4;  // relative, of the two sides
constexpr double kWrongSide = 1e-2;  // by which the wrong formula must miss, in the median

struct DivergenceKind {
  const char* name;
  double (*f)(double t);
};

constexpr std::array<DivergenceKind, 6> kDivergences = {
    {{"Kullback-Leibler", [](double t) { return t * std::log(t); }},
     {"reverse Kullback-Leibler", [](double t) { return -std::log(t); }},
     {"Jensen-Shannon", [](double t) { return (t * std::log(t) - (t + 1) * std::log((t + 1) / 2)) / 2; }},
     {"Pearson chi-squared", [](double t) { return (t - 1) * (t - 1); }},
     {"squared Hellinger", [](double t) { return (std::sqrt(t) - 1) * (std::sqrt(t) - 1); }},
     {"total variation", [](double t) { return std::abs(t - 1) / 2; }}}};

// A mixture of three normals of unit variance: any two have a finite divergence of every kind.
class Mixture {
 public:
  explicit Mixture(Rng& rng) {
    double sum = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      centre_[k] = rng.uniform(-2, 2);
      sum += weight_[k] = rng.uniform(0.2, 1);
    }
    for (double& w : weight_) w /= sum;
  }
  double operator()(double x) const {
    double sum = 0;
    for (std::size_t k = 0; k < 3; ++k)
      sum += weight_[k] * std::exp(-(x - centre_[k]) * (x - centre_[k]) / 2);
    return sum / std::sqrt(2 * std::numbers::pi);
  }

 private:
  std::array<double, 3> centre_{}, weight_{};
};

// sign (x + a tanh(b (x - c))), a diffeomorphism of the line.
class Bend {
 public:
  explicit Bend(Rng& rng)
      : a_(rng.uniform(-0.7, 1.5)),
        b_(rng.uniform(0.5, 1.2)),
        c_(rng.uniform(-1, 1)),
        sign_(rng.coin() ? 1 : -1) {}
  double operator()(double x) const { return sign_ * (x + a_ * std::tanh(b_ * (x - c_))); }
  double slope(double x) const {
    const double t = std::tanh(b_ * (x - c_));
    return sign_ * (1 + a_ * b_ * (1 - t * t));
  }
  double inverse(double y) const {
    double low = sign_ * y - 2, high = sign_ * y + 2;  // |a| < 2
    for (int i = 0; i < 70; ++i) {
      const double middle = (low + high) / 2;
      (sign_ * (*this)(middle) < sign_ * y ? low : high) = middle;
    }
    return (low + high) / 2;
  }

 private:
  double a_, b_, c_, sign_;
};

// The integral of q f(p/q), by the trapezoid rule.
double divergence(const DivergenceKind& kind, const std::vector<double>& p, const std::vector<double>& q,
                  double step) {
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) sum += q[i] * kind.f(p[i] / q[i]);
  return sum * step;
}

// Densities on a grid: phi_* is pushed, (phi^-1)_* is pulled.
struct Grid {
  std::vector<double> p, q, p_pushed, q_pushed, q_pulled;
};

// What one pair of densities and one diffeomorphism give, by divergence.
struct Sides {
  std::array<double, kDivergences.size()> left{}, right{}, wrong{};

  Sides(const Grid& grid, double step) {
    for (std::size_t k = 0; k < kDivergences.size(); ++k) {
      left[k] = divergence(kDivergences[k], grid.p_pushed, grid.q, step);
      right[k] = divergence(kDivergences[k], grid.p, grid.q_pulled, step);
      wrong[k] = divergence(kDivergences[k], grid.p, grid.q_pushed, step);
    }
  }
};

Sides sides_on_the_line(Rng& rng, std::int64_t points) {
  const Mixture p(rng), q(rng);
  const Bend phi(rng);
  constexpr double kEnd = 14;
  const double step = 2 * kEnd / static_cast<double>(points - 1);
  Grid grid;
  for (std::int64_t i = 0; i < points; ++i) {
    const double x = -kEnd + static_cast<double>(i) * step, before = phi.inverse(x);
    grid.p.push_back(p(x));
    grid.q.push_back(q(x));
    grid.p_pushed.push_back(p(before) / std::abs(phi.slope(before)));
    grid.q_pushed.push_back(q(before) / std::abs(phi.slope(before)));
    grid.q_pulled.push_back(q(phi(x)) * std::abs(phi.slope(x)));
  }
  return Sides(grid, step);
}

// In the plane: (x, y) -> (x, y exp(s(x)) + t(x)), inverted in closed form.
Sides sides_in_the_plane(Rng& rng, std::int64_t points) {
  const Mixture p1(rng), p2(rng), q1(rng), q2(rng);
  const double a = rng.uniform(0.05, 0.12), b = rng.uniform(0.5, 1.5), c = rng.uniform(0.3, 1);
  const auto s = [&](double x) { return a * std::tanh(b * x); };
  const auto t = [&](double x) { return c * std::tanh(x); };
  constexpr double kEnd = 15;
  const double step = 2 * kEnd / static_cast<double>(points - 1);
  Grid grid;
  for (std::int64_t i = 0; i < points; ++i)
    for (std::int64_t j = 0; j < points; ++j) {
      const double x = -kEnd + static_cast<double>(i) * step, y = -kEnd + static_cast<double>(j) * step;
      const double before = (y - t(x)) * std::exp(-s(x)), after = y * std::exp(s(x)) + t(x);
      grid.p.push_back(p1(x) * p2(y));
      grid.q.push_back(q1(x) * q2(y));
      grid.p_pushed.push_back(p1(x) * p2(before) * std::exp(-s(x)));
      grid.q_pushed.push_back(q1(x) * q2(before) * std::exp(-s(x)));
      grid.q_pulled.push_back(q1(x) * q2(after) * std::exp(s(x)));
    }
  return Sides(grid, step * step);
}

double relative_gap(double a, double b) {
  return std::abs(a - b) / std::max({std::abs(a), std::abs(b), 1e-3});
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + std::ssize(values) / 2, values.end());
  return values[values.size() / 2];
}

Json rows_of(const std::string& space, const std::vector<Sides>& all) {
  Json rows = Json::array();
  for (std::size_t k = 0; k < kDivergences.size(); ++k) {
    std::vector<double> values, wrong;
    double largest = 0;
    for (const Sides& s : all) {
      values.push_back(s.left[k]);
      largest = std::max(largest, relative_gap(s.left[k], s.right[k]));
      wrong.push_back(relative_gap(s.left[k], s.wrong[k]));
    }
    rows.push_back({{"space", space},
                    {"divergence", kDivergences[k].name},
                    {"cases", all.size()},
                    {"median_value", median(values)},
                    {"largest_gap", largest},
                    {"median_gap_of_wrong_formula", median(wrong)}});
  }
  return rows;
}

class PushForwardLemma : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S0-C3",
        .title = "f-divergences under a diffeomorphism (Lemma 2.1)",
        .plain =
            "A rule that the paper's proofs rest on, that a change of coordinates may move from "
            "one side of a comparison of two distributions to the other, is checked by computing "
            "both sides apart: the table shows how far they differ.",
        .claim =
            "For every f-divergence and every diffeomorphism phi, D(phi_* p || q) = D(p || (phi^-1)_* q).",
        .rule = fmt::format("agrees: for six divergences, random densities and random diffeomorphisms of the "
                            "line and of the plane the two sides, integrated separately, differ by {} of "
                            "their value at most, while the tempting wrong formula D(p || phi_* q) misses "
                            "by {} in the median. disagrees: a difference above ten times that. cannot "
                            "tell: anything between, or a wrong formula that is not told apart.",
                            kTolerance, kWrongSide),
        .takes = {"1 s", "10 s", "2 min"},
        .seeds = {"0", "0", "0-4"}};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override {
    return {
        {"p, q", "mixtures of three normals of unit variance, random centres and weights", "any densities"},
        {"phi on the line", "+-(x + a tanh(b (x - c))), random a, b, c; inverted by bisection",
         "any diffeomorphism"},
        {"phi in the plane", "(x, y exp(s(x)) + t(x)), random s and t", "any diffeomorphism"},
        {"integrals",
         fmt::format("trapezoid rule, {} points, {} x {} in the plane", line_points(scale),
                     plane_points(scale), plane_points(scale)),
         "all but the total variation are smooth: exact to rounding"},
        {"cases a seed", fmt::format("{} on the line, {} in the plane", cases(scale), cases(scale) / 5),
         "any will do"}};
  }

  Json measure(const Request& request) const override {
    std::vector<Sides> line, plane;
    for (const std::uint64_t seed : request.seeds) {
      RngStreams rng(seed);
      for (std::int64_t i = 0; i < cases(request.scale); ++i) {
        check_stop(request.stop);
        line.push_back(sides_on_the_line(rng["line"], line_points(request.scale)));
        if (i % 5 == 0) plane.push_back(sides_in_the_plane(rng["plane"], plane_points(request.scale)));
      }
    }
    Json rows = rows_of("line", line);
    for (const Json& row : rows_of("plane", plane)) rows.push_back(row);
    return {{"rows", rows}};
  }

  Finding judge(const Json& results) const override {
    double largest = 0, least_wrong = 1;
    std::string where;
    for (const Json& row : results.at("rows")) {
      least_wrong = std::min(least_wrong, row.at("median_gap_of_wrong_formula").get<double>());
      if (row.at("largest_gap").get<double>() < largest) continue;
      largest = row.at("largest_gap");
      where = row.at("divergence").get<std::string>() + ", " + row.at("space").get<std::string>();
    }
    const std::string what =
        fmt::format("the sides differ by {:.1e} of their value at most ({})", largest, where);
    if (largest > 10 * kTolerance) return {Verdict::disagrees, what};
    if (largest > kTolerance) return {Verdict::cannot_tell, what};
    if (least_wrong < kWrongSide)
      return {Verdict::cannot_tell, fmt::format("the wrong formula misses by {:.1e} only", least_wrong)};
    return {Verdict::agrees, fmt::format("{}; the wrong formula misses by {:.0f} % or more in the median",
                                         what, 100 * least_wrong)};
  }

  void present(const Json& results, ReproductionPage& page) const override {
    Table table{
        {"space", "divergence", "cases", "median value", "largest difference", "wrong formula, median"},
        {},
        "Both sides integrated separately; differences relative to the value"};
    for (const Json& row : results.at("rows"))
      table.rows.push_back({row.at("space"), row.at("divergence"), row.at("cases").dump(),
                            fmt::format("{:.3g}", row.at("median_value").get<double>()),
                            fmt::format("{:.1e}", row.at("largest_gap").get<double>()),
                            fmt::format("{:.2g}", row.at("median_gap_of_wrong_formula").get<double>())});
    page.html().table(table);
  }

 private:
  static std::int64_t cases(Scale scale) {
    return scale == Scale::smoke ? 10 : scale == Scale::quick ? 100 : 200;
  }
  static std::int64_t line_points(Scale scale) { return scale == Scale::smoke ? 4001 : 20001; }
  static std::int64_t plane_points(Scale scale) { return scale == Scale::smoke ? 321 : 441; }
};

}  // namespace

std::shared_ptr<const Experiment> push_forward_lemma() { return std::make_shared<PushForwardLemma>(); }

}  // namespace torsor
