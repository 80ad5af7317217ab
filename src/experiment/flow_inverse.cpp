// S2-E4: a flow comes back without a cycle loss, the better the more steps it takes.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "experiment/experiments.h"
#include "experiment/point_experiment.h"
#include "metric/statistics.h"
#include "nn/ode.h"

namespace torsor {

namespace {

using at::Tensor;

constexpr double kComesBack = 0.01;     // of the points' mean distance, that counts as coming back
constexpr double kLost = 0.1;           // and from which a flow is lost
constexpr double kLeastOrder = 0.8;     // at which Euler's error has to fall with the number of steps
constexpr std::int64_t kOrderFrom = 8;  // steps, from which that is measured
constexpr std::int64_t kTrainedSteps = 8;
constexpr const char* kFinestSolver = "rk4";

const std::vector<std::int64_t>& step_counts() {
  static const std::vector<std::int64_t> counts = {1, 2, 4, 8, 16, 32, 64};
  return counts;
}

PointArm inverse_arm(double weight) {
  PointArm arm = one_flow(kTrainedSteps, weight);
  arm.name = fmt::format("cost {:g}", weight);
  arm.what =
      fmt::format("a flow of {} Euler steps in training, one generator, no cycle loss, cost of weight {:g}",
                  kTrainedSteps, weight);
  return arm;
}

// All runs at once, in double precision: rounding is not what is measured.
struct DoubleFlow {
  VectorNetwork network;
  VectorWeights weights;

  explicit DoubleFlow(const PointTranslators& trained) : network(trained.network), weights(trained.a_to_b) {
    for (auto& [name, weight] : weights) weight = weight.to(at::kDouble);
  }
  Tensor velocity(const Tensor& x, double t) const { return vector_velocity(network, weights, x, t); }

  // From time `from` by `length` in `steps` equal steps.
  Tensor travelled(const std::string& solver, Tensor x, double from, double length,
                   std::int64_t steps) const {
    const double step = length / static_cast<double>(steps);
    const VelocityField field = [this](const Tensor& at, double t) { return velocity(at, t); };
    for (std::int64_t k = 0; k < steps; ++k)
      x = x + ode_increment(runge_kutta(solver), field, x, {from + step * static_cast<double>(k), step});
    return x;
  }
};

// The largest stretch of v by x, over points and times: [R], by directions of central differences.
Tensor lipschitz_of(const DoubleFlow& flow, const Tensor& x) {
  constexpr double kNudge = 1e-4;
  constexpr std::int64_t kTimes = 9;
  Tensor largest;
  for (std::int64_t k = 0; k < kTimes; ++k) {
    const double t = static_cast<double>(k) / (kTimes - 1);
    std::vector<Tensor> columns;
    for (std::int64_t axis = 0; axis < x.size(2); ++axis) {
      Tensor nudge = at::zeros({1, 1, x.size(2)}, x.options());
      nudge[0][0][axis] = kNudge;
      columns.push_back((flow.velocity(x + nudge, t) - flow.velocity(x - nudge, t)) / (2 * kNudge));
    }
    const Tensor stretch = at::linalg_matrix_norm(at::stack(columns, -1), 2).amax(1);  // [R,n,d,d] -> [R]
    largest = largest.defined() ? at::maximum(largest, stretch) : stretch;
  }
  return largest;
}

std::vector<double> numbers_of_runs(const Tensor& values) {
  std::vector<double> out;
  for (std::int64_t r = 0; r < values.size(0); ++r) out.push_back(values[r].item<double>());
  return out;
}

// {"runs": [{"miss", "lipschitz"}], "errors": {solver: [[of each run] of each number of steps]}}
Json measure_inverse(const PointProblem& problem, const PointArm& arm, const PointTranslators& trained,
                     const PointTest& test) {
  const at::NoGradGuard no_grad;
  Json out = measure_points(problem, arm, trained, test);
  const DoubleFlow flow(trained);
  const Tensor x = test.x.to(at::kDouble).unsqueeze(0).expand({flow.weights.begin()->second.size(0), -1, -1});
  const std::vector<double> steep = numbers_of_runs(lipschitz_of(flow, x));
  for (std::size_t r = 0; r < steep.size(); ++r) out["runs"][r]["lipschitz"] = steep[r];
  for (const char* solver : {"euler", "midpoint", "rk4"}) {
    out["errors"][solver] = Json::array();
    for (const std::int64_t steps : step_counts()) {
      const Tensor there = flow.travelled(solver, x, 0, 1, steps);
      const Tensor back = flow.travelled(solver, there, 1, -1, steps);
      out["errors"][solver].push_back(numbers_of_runs((back - x).norm(2, -1).mean(1) / test.inputs_apart));
    }
  }
  return out;
}

// The order at which a run's error falls from kOrderFrom steps to the most.
double order_of(const Json& row, const char* solver, std::size_t run) {
  const auto from = static_cast<std::size_t>(
      std::find(step_counts().begin(), step_counts().end(), kOrderFrom) - step_counts().begin());
  const Json& errors = row.at("errors").at(solver);
  const double first = errors.at(from).at(run), last = errors.back().at(run);
  return std::log(first / last) / std::log(static_cast<double>(step_counts().back()) / kOrderFrom);
}

double finest_error(const Json& row, std::size_t run) {
  return row.at("errors").at(kFinestSolver).back().at(run);
}

class FlowInverse : public PointExperiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S2-E4",
        .title = "a flow is inverted by integrating backwards, without a cycle loss",
        .plain =
            "A current that carried points along can be run backwards: the page shows how near to where they "
            "began it brings "
            "them, by the number of steps that are computed, and by how steep the current is.",
        .claim =
            "A flow needs no inverse network: integrated backwards it brings every point back, up to an "
            "error that "
            "falls with the number of steps and grows with the Lipschitz constant of the velocity.",
        .rule = fmt::format("Of all trained flows, whether they meet their targets or not. agrees: each "
                            "comes back to {0} of the "
                            "points' mean distance with rk4 in {1} steps, and each one's error with Euler "
                            "steps falls at an order of "
                            "{2} or more between {3} and {1} steps. disagrees: some flow is further off than "
                            "{4} with rk4 in {1} steps. "
                            "cannot tell: otherwise.",
                            kComesBack, step_counts().back(), kLeastOrder, kOrderFrom, kLost),
        .takes = {"10 s", "10 min", "3 h"},
        .seeds = {"0", "0", "0"},
        .networks = true};
    return info;
  }

  Finding judge(const Json& results) const override {
    double worst = 0, slowest = std::numeric_limits<double>::infinity(), steepest = 0;
    std::size_t flows = 0;
    for (const Json& row : results.at("rows"))
      for (std::size_t r = 0; r < row.at("runs").size(); ++r, ++flows) {
        worst = std::max(worst, finest_error(row, r));
        slowest = std::min(slowest, order_of(row, "euler", r));
        steepest = std::max(steepest, row.at("runs")[r].at("lipschitz").get<double>());
      }
    const std::string numbers = fmt::format(
        "of {} flows with Lipschitz constants up to {:.3g} the worst comes back to {:.2g} with rk4 in {} "
        "steps; "
        "Euler's error falls at orders of {:.2f} and more",
        flows, steepest, worst, step_counts().back(), slowest);
    if (worst > kLost) return {Verdict::disagrees, numbers};
    const bool agrees = flows > 0 && worst <= kComesBack && slowest >= kLeastOrder;
    return {agrees ? Verdict::agrees : Verdict::cannot_tell, numbers};
  }

  void present(const Json& results, ReproductionPage& page) const override {
    Table table{
        {"problem", "arm", "Lipschitz constant", "euler, 8 steps", "euler, 64", "midpoint, 64", "rk4, 64"},
        {},
        "Means over the starts with 95 % intervals: the mean distance of a point from where it began, after "
        "there and back, as a share of the mean distance of two points."};
    for (const Json& row : results.at("rows")) {
      std::vector<double> steep;
      for (const Json& run : row.at("runs")) steep.push_back(run.at("lipschitz"));
      const auto error = [&](const char* solver, std::size_t place) {
        return mean_text(row.at("errors").at(solver).at(place).get<std::vector<double>>());
      };
      const std::size_t last = step_counts().size() - 1;
      table.rows.push_back({row.at("problem"), row.at("arm"), mean_text(steep), error("euler", 3),
                            error("euler", last), error("midpoint", last), error("rk4", last)});
    }
    page.html().table(table);
    page.drawing("errors", draw(error_chart(results.at("rows"))),
                 "The mean error of all starts by the number of steps, each solver with the same steps there "
                 "and back.");
    page.drawing("steepness", draw(steepness_chart(results.at("rows"))),
                 "Each start: the error of 8 Euler steps by the Lipschitz constant of its velocity.");
  }

 private:
  std::vector<PointArm> arms() const override { return {inverse_arm(0), inverse_arm(0.1)}; }
  std::vector<Setting> own_settings() const override {
    return {{"Lipschitz constant",
             "the largest spectral norm of dv/dx at the test points, at nine times; a lower bound of the "
             "constant on all of space"}};
  }
  Json of_arm(const PointProblem& problem, const PointArm& arm, const PointTranslators& translators,
              const PointTest& test) const override {
    return measure_inverse(problem, arm, translators, test);
  }

  std::vector<std::string> problems(Scale scale) const override {
    if (scale == Scale::smoke) return {"moons to ring"};
    return {"Gaussians of 2", "moons to ring", "normal to ring"};
  }

  static LineChart error_chart(const Json& rows) {
    LineChart chart;
    chart.title = "Error of coming back";
    chart.x = {"steps", AxisScale::log};
    chart.y = {"share of the mean distance", AxisScale::log};
    for (const char* solver : {"euler", "midpoint", "rk4"}) {
      Series series{solver, {}, {}};
      for (std::size_t k = 0; k < step_counts().size(); ++k) {
        double sum = 0;
        std::size_t count = 0;
        for (const Json& row : rows)
          for (const double error : row.at("errors").at(solver).at(k).get<std::vector<double>>()) {
            sum += error;
            ++count;
          }
        series.x.push_back(static_cast<double>(step_counts()[k]));
        series.y.push_back(std::max(sum / static_cast<double>(count), 1e-16));
      }
      chart.series.push_back(std::move(series));
    }
    return chart;
  }

  static LineChart steepness_chart(const Json& rows) {
    LineChart chart;
    chart.title = "Steeper flows come back less exactly";
    chart.x = {"Lipschitz constant", AxisScale::log};
    chart.y = {"error of 8 Euler steps", AxisScale::log};
    std::map<std::string, Series> by_arm;
    for (const Json& row : rows) {
      Series& series = by_arm[row.at("arm")];
      series.label = row.at("arm");
      series.mark = Mark::points;
      for (std::size_t r = 0; r < row.at("runs").size(); ++r) {
        series.x.push_back(std::max(row.at("runs")[r].at("lipschitz").get<double>(), 1e-6));
        series.y.push_back(std::max(row.at("errors").at("euler").at(3).at(r).get<double>(), 1e-16));
      }
    }
    for (auto& [arm, series] : by_arm) chart.series.push_back(std::move(series));
    return chart;
  }
};

}  // namespace

std::shared_ptr<const Experiment> flow_inverse() { return std::make_shared<FlowInverse>(); }

}  // namespace torsor
