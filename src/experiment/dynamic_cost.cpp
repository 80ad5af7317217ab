// S2-Q4: the least action of a flow (Benamou and Brenier) is the static cost of transport.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "experiment/experiments.h"
#include "theory/coupling_flow.h"
#include "theory/planar_sets.h"
#include "transport/closed_forms.h"
#include "transport/exact_transport.h"

namespace torsor {

namespace {

using at::Tensor;

constexpr double kGaussianTolerance = 1e-6, kPlanarTolerance = 1e-9;
constexpr std::int64_t kTimeSteps = 400;  // of Runge and Kutta's and of Simpson's rule

// A flow of Gaussians: at time t the velocity is slope (x - mean_t) + shift, and the distribution
// N(mean_t, covariance_t) follows from it.
struct LinearFlow {
  std::function<Tensor(double t, const Tensor& covariance)> slope;
  Tensor shift;
};

struct FlowResult {
  double action = 0;     // the integral over time of E|v|^2
  double end_error = 0;  // of the covariance, relative to the target's
};

double trace_of(const Tensor& m) { return m.trace().item<double>(); }

double energy(const Tensor& slope, const Tensor& covariance, const Tensor& shift) {
  return trace_of(at::matmul(at::matmul(slope, covariance), slope.t())) + shift.square().sum().item<double>();
}

// Integrates d covariance / dt = slope covariance + covariance slope^T by Runge and Kutta's rule, which
// follows the push-forward, and the action by Simpson's.
FlowResult followed(const LinearFlow& flow, const Gaussian& from, const Gaussian& to) {
  const double h = 1.0 / kTimeSteps;
  const auto change = [&](double t, const Tensor& c) {
    const Tensor part = at::matmul(flow.slope(t, c), c);
    return part + part.t();
  };
  const auto energy_at = [&](double t, const Tensor& c) { return energy(flow.slope(t, c), c, flow.shift); };
  FlowResult out;
  Tensor c = from.covariance.clone();
  for (std::int64_t k = 0; k < kTimeSteps; ++k) {
    const double t = static_cast<double>(k) * h;
    const Tensor k1 = change(t, c), k2 = change(t + h / 2, c + h / 2 * k1),
                 k3 = change(t + h / 2, c + h / 2 * k2), k4 = change(t + h, c + h * k3);
    const Tensor next = c + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
    // The middle to fourth order, by Hermite's rule.
    const Tensor middle = (c + next) / 2 + h / 8 * (change(t, c) - change(t + h, next));
    out.action += h / 6 * (energy_at(t, c) + 4 * energy_at(t + h / 2, middle) + energy_at(t + h, next));
    c = next;
  }
  out.end_error = ((c - to.covariance).norm() / to.covariance.norm()).item<double>();
  return out;
}

Gaussian random_gaussian(std::int64_t d, Rng& rng) {
  const Tensor root = random_normal(d, d, rng) / std::sqrt(static_cast<double>(d));
  return {random_normal(1, d, rng)[0],
          at::matmul(root, root.t()) + 0.2 * at::eye(d, at::TensorOptions(at::kDouble))};
}

// The displacement interpolation's velocity; with `turn`, an antisymmetric matrix, points also turn inside of
// the distribution of each time (in coordinates where it is standard), which changes no distribution.
LinearFlow optimal_flow(const Gaussian& from, const Gaussian& to, const Tensor& turn) {
  const Tensor step =
      gaussian_map(from, to).matrix - at::eye(from.mean.numel(), at::TensorOptions(at::kDouble));
  const Tensor one = at::eye(from.mean.numel(), at::TensorOptions(at::kDouble));
  return {[=](double t, const Tensor& covariance) {
            const Tensor slope = at::matmul(step, at::linalg_inv(one + t * step));
            if (!turn.defined()) return slope;
            const Tensor root = symmetric_power(covariance, 0.5), back = symmetric_power(covariance, -0.5);
            return slope + at::matmul(at::matmul(root, turn), back);
          },
          to.mean - from.mean};
}

Json measure_gaussians(std::int64_t d, std::int64_t others, Rng& rng) {
  const Gaussian from = random_gaussian(d, rng), to = random_gaussian(d, rng);
  const double cost = bures_wasserstein(from, to);
  const FlowResult best = followed(optimal_flow(from, to, {}), from, to);
  double least = std::numeric_limits<double>::infinity(), end_error = best.end_error;
  for (std::int64_t k = 0; k < others; ++k) {
    const Tensor any = random_normal(d, d, rng) * rng.uniform(0.05, 1);
    const FlowResult other = followed(optimal_flow(from, to, any - any.t()), from, to);
    least = std::min(least, other.action);
    end_error = std::max(end_error, other.end_error);
  }
  return {{"dimensions", d},
          {"static", cost},
          {"dynamic", best.action},
          {"least_other", least},
          {"end_error", end_error}};
}

Tensor squared_distances(const Tensor& x, const Tensor& y) {  // [n,m]
  return (x.unsqueeze(1) - y.unsqueeze(0)).square().sum(2);
}

double squared_transport(const Tensor& x, const Tensor& y) {
  return exact_assignment(squared_distances(x, y)).cost;
}

// The action of a curve of distributions, each of equally many points: K sum W2^2 of neighbours. It is the
// least over all flows that pass through them.
double curve_action(const std::vector<Tensor>& curve) {
  double sum = 0;
  for (std::size_t k = 1; k < curve.size(); ++k) sum += squared_transport(curve[k - 1], curve[k]);
  return sum * static_cast<double>(curve.size() - 1);
}

// Points on the straight ways from x to y.
std::vector<Tensor> straight(const Tensor& x, const Tensor& y, std::int64_t steps) {
  std::vector<Tensor> out;
  for (std::int64_t k = 0; k <= steps; ++k)
    out.push_back(x + static_cast<double>(k) / static_cast<double>(steps) * (y - x));
  return out;
}

Tensor rematched(const Tensor& y, const std::vector<std::int64_t>& to) {
  return y.index_select(0, at::tensor(to, at::kLong));
}

Json measure_planar(const std::string& from, const std::string& to, std::int64_t points, std::int64_t steps,
                    Rng& rng) {
  const Tensor x = planar_points(from, points, rng), y = planar_points(to, points, rng);
  const Assignment best = exact_assignment(squared_distances(x, y));
  const Tensor matched = rematched(y, best.to);
  // A detour: the same ends, with the points between them pushed aside.
  std::vector<Tensor> detour = straight(x, matched, steps);
  for (std::size_t k = 1; k + 1 < detour.size(); ++k)
    detour[k] = detour[k] + 0.3 * std::sin(M_PI * static_cast<double>(k) / static_cast<double>(steps));
  return {{"from", from},
          {"to", to},
          {"static", best.cost},
          {"dynamic", curve_action(straight(x, matched, steps))},
          {"unmatched", curve_action(straight(x, y, steps))},
          {"detour", curve_action(detour)}};
}

double relative(const Json& row, const char* key) {
  return row.at(key).get<double>() / row.at("static").get<double>() - 1;
}

// Points of the optimal curve at five times: [[x...], [y...]] each.
Json shown_curve(std::int64_t points, Rng& rng) {
  const Tensor x = planar_points("moons", points, rng), y = planar_points("ring", points, rng);
  Json out = Json::array();
  for (const Tensor& at : straight(x, rematched(y, exact_assignment(squared_distances(x, y)).to), 4)) {
    const Tensor columns = at.t().contiguous();
    const auto* values = columns.data_ptr<double>();
    out.push_back({std::vector<double>(values, values + points),
                   std::vector<double>(values + points, values + 2 * points)});
  }
  return out;
}

ChartSheet curve_sheet(const Json& curve) {
  ChartSheet sheet;
  sheet.columns = curve.size();
  for (std::size_t k = 0; k < curve.size(); ++k) {
    LineChart chart;
    chart.title = fmt::format("t = {}", static_cast<double>(k) / static_cast<double>(curve.size() - 1));
    chart.plot_height = 150;
    chart.x.low = chart.y.low = -2.5;
    chart.x.high = chart.y.high = 2.5;
    chart.series.push_back(
        {"", curve[k][0].get<std::vector<double>>(), curve[k][1].get<std::vector<double>>(), Mark::points});
    sheet.charts.push_back(std::move(chart));
  }
  return sheet;
}

class DynamicCost : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S2-Q4",
        .title = "dynamic and static cost of transport agree",
        .plain =
            "Moving a heap of sand at the least effort, second by second, should cost what the best plan "
            "from start "
            "to end costs: this page computes both, and tries other movements, which cost more.",
        .claim =
            "Dynamic (Benamou-Brenier) form: the least of the integral of |v_t|^2 over flows with Phi_0 = id "
            "and "
            "Phi_1# A = B is the least of E|x - T(x)|^2 over T with T# A = B.",
        .rule = fmt::format(
            "agrees: the flow along the optimal map has the static cost as its action (relative error up to "
            "{} for "
            "Gaussians, up to {} for planar sets), and no other flow or curve tried has less. disagrees: one "
            "of these fails while all flows end in the right distribution to the same tolerance. cannot "
            "tell: "
            "otherwise.",
            kGaussianTolerance, kPlanarTolerance),
        .takes = {"3 s", "20 s", "2 min"},
        .seeds = {"0", "0-2", "0-9"}};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override {
    return {{"Gaussians", fmt::format("random ones in {} dimensions; static cost by the formula of Bures and "
                                      "Wasserstein, flows integrated in {} steps",
                                      join(dimension_names(scale)), kTimeSteps)},
            {"other flows",
             fmt::format("{} of each pair: points also turn inside of the distribution of each time, "
                         "which changes no distribution",
                         others(scale))},
            {"planar sets",
             fmt::format("{} points, static cost by exact assignment; the action of a curve of "
                         "distributions is {} times the sum of the costs between neighbours",
                         points(scale), kSteps),
             "the slides give no example"},
            {"other curves",
             "straight ways of points that are matched at random, and the optimal curve pushed aside "
             "on its way"}};
  }

  Json measure(const Request& request) const override {
    Json gaussians = Json::array(), planar = Json::array();
    for (const std::uint64_t seed : request.seeds) {
      RngStreams streams(seed);
      for (const std::int64_t d : dimensions(request.scale)) {
        check_stop(request.stop);
        gaussians.push_back(measure_gaussians(d, others(request.scale), streams["gaussians"]));
      }
      for (const auto& [from, to] :
           {std::pair{"moons", "ring"}, std::pair{"normal", "checkerboard"}, std::pair{"ring", "normal"}}) {
        check_stop(request.stop);
        planar.push_back(measure_planar(from, to, points(request.scale), kSteps, streams["planar"]));
      }
    }
    RngStreams streams(request.seeds.front());
    return {{"gaussians", gaussians},
            {"planar", planar},
            {"curve", shown_curve(std::min<std::int64_t>(200, points(request.scale)), streams["shown"])}};
  }

  Finding judge(const Json& r) const override {
    double gaussian = 0, ends = 0, planar = 0;
    std::int64_t cheaper = 0, all = 0;
    for (const Json& row : r.at("gaussians")) {
      gaussian = std::max(gaussian, std::abs(relative(row, "dynamic")));
      ends = std::max(ends, row.at("end_error").get<double>());
      cheaper += row.at("dimensions").get<int>() > 1 && relative(row, "least_other") < kGaussianTolerance;
      ++all;
    }
    for (const Json& row : r.at("planar")) {
      planar = std::max(planar, std::abs(relative(row, "dynamic")));
      for (const char* other : {"unmatched", "detour"}) cheaper += relative(row, other) <= 0;
      ++all;
    }
    if (all == 0 || !(ends <= kGaussianTolerance))
      return {Verdict::cannot_tell, fmt::format("flows miss their targets by {:.1e}", ends)};
    const std::string numbers = fmt::format(
        "in {} problems the optimal flow's action is the static cost to {:.0e} (Gaussians) and {:.0e} "
        "(planar "
        "sets), and {} other flows cost no more",
        all, gaussian, planar, cheaper);
    const bool agrees = gaussian <= kGaussianTolerance && planar <= kPlanarTolerance && cheaper == 0;
    return {agrees ? Verdict::agrees : Verdict::disagrees, numbers};
  }

  void present(const Json& r, ReproductionPage& page) const override {
    const auto number = [](const Json& row, const char* key) {
      return fmt::format("{:.6f}", row.at(key).get<double>());
    };
    Table gaussians{
        {"dimensions", "static", "dynamic", "least of the other flows", "error of the ends"}, {}, ""};
    for (const Json& row : r.at("gaussians"))
      gaussians.rows.push_back(
          {row.at("dimensions").dump(), number(row, "static"), number(row, "dynamic"),
           row.at("dimensions").get<int>() > 1 ? number(row, "least_other") : "none turns",
           fmt::format("{:.1e}", row.at("end_error").get<double>())});
    gaussians.caption = "Between Gaussians";
    page.html().table(gaussians);
    Table planar{{"from", "to", "static", "dynamic", "points matched at random", "pushed aside"}, {}, ""};
    for (const Json& row : r.at("planar"))
      planar.rows.push_back({row.at("from"), row.at("to"), number(row, "static"), number(row, "dynamic"),
                             number(row, "unmatched"), number(row, "detour")});
    planar.caption = "Between sets of points in the plane: the action of curves of distributions";
    page.html().table(planar);
    page.drawing("curve", draw(curve_sheet(r.at("curve"))),
                 "The optimal flow from moons to a ring: every point goes straight, at constant speed.");
  }

 private:
  static constexpr std::int64_t kSteps = 8;
  static std::vector<std::int64_t> dimensions(Scale scale) {
    if (scale == Scale::smoke) return {1, 2};
    return {1, 2, 4, 8, 16};
  }
  static std::vector<std::string> dimension_names(Scale scale) {
    std::vector<std::string> out;
    for (const std::int64_t d : dimensions(scale)) out.push_back(std::to_string(d));
    return out;
  }
  static std::int64_t others(Scale scale) { return scale == Scale::smoke ? 2 : 10; }
  static std::int64_t points(Scale scale) {
    return scale == Scale::smoke ? 60 : scale == Scale::quick ? 300 : 1000;
  }
};

}  // namespace

std::shared_ptr<const Experiment> dynamic_cost() { return std::make_shared<DynamicCost>(); }

}  // namespace torsor
