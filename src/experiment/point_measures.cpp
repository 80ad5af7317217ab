#include "experiment/point_measures.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "metric/metric_result.h"
#include "metric/statistics.h"
#include "transport/block_energy.h"
#include "transport/map_transport.h"
#include "transport/pair_costs.h"

namespace torsor {

namespace {

using at::Tensor;

constexpr std::int64_t kPointSplits = 4;  // into halves, for the corrected cost of the best plan

Tensor point_costs(const Tensor& x, const Tensor& y) { return pair_costs(x, y, CostOptions{}); }

double mean_distance_between(const Tensor& x, const Tensor& y) {
  return at::cdist(x.to(at::kDouble), y.to(at::kDouble)).mean().item<double>();
}

// Of different points.
double mean_distance_within(const Tensor& x) {
  const auto n = static_cast<double>(x.size(0));
  return mean_distance_between(x, x) * n / (n - 1);
}

double mean_step(const Tensor& difference) {
  return difference.to(at::kDouble).norm(2, -1).mean().item<double>();
}

// Of each two points, by Gaussian kernels of several widths.
Tensor kernel_between(const Tensor& x, const Tensor& y, double width) {
  const Tensor squares = at::cdist(x.to(at::kDouble), y.to(at::kDouble)).square();
  Tensor sum = at::zeros_like(squares);
  for (const double part : {0.125, 0.25, 0.5, 1.0})
    sum += (squares / (-2 * part * part * width * width)).exp() / 4;
  return sum;
}

// The mean over pairs of different points; each point's kernel with itself is 1.
double kernel_within(const Tensor& x, double width) {
  const auto n = static_cast<double>(x.size(0));
  return (kernel_between(x, x, width).sum().item<double>() - n) / (n * (n - 1));
}

double discrepancy(const Tensor& x, const Tensor& y, double width) {
  return kernel_within(x, width) + kernel_within(y, width) -
         2 * kernel_between(x, y, width).mean().item<double>();
}

MapTransport transport_of(const PointTest& test, const Tensor& made) {
  std::vector<std::int64_t> alone(static_cast<std::size_t>(test.x.size(0)));
  for (std::size_t i = 0; i < alone.size(); ++i) alone[i] = static_cast<std::int64_t>(i);
  const SampleUnits units(alone);
  MapOptions options;
  options.subsamples = 0;
  options.splits = kPointSplits;
  return map_transport({point_costs(test.x, made), test.between, test.from, test.to}, units, units, options);
}

Json value_of(const TransportNumber& number) { return number.value ? json_number(*number.value) : Json(); }

// The gap by the formula for the least cost, where there is one: sampling does not matter then.
Json gap_to_least(const MapTransport& transport, const std::optional<double>& least) {
  if (!least) return value_of(transport.gap);
  return (transport.cost.value.value() - *least) / (transport.random.value.value() - *least);
}

// What one start makes of the test's points: [n,d], but for `many` [4n,d].
struct MadePoints {
  Tensor made, many, returned;  // the last undefined without a way back
  std::vector<Tensor> residuals;
};

Json measured_start(const PointTest& test, const MadePoints& start) {
  const auto& [made, many, returned, residuals] = start;
  Json out = {{"miss", json_number(missed_share(test, many))}};
  for (const char* key : {"cost", "own", "gap", "cycle", "straightness", "largest_share", "increasing"})
    out[key] = nullptr;
  if (!made.isfinite().all().item<bool>()) return out;
  const MapTransport transport = transport_of(test, made);
  out["cost"] = value_of(transport.cost);
  out["own"] = value_of(transport.own);
  out["gap"] = gap_to_least(transport, test.least);
  if (made.size(1) == 1) out["increasing"] = (test.x * made).sum().item<double>() > 0;
  if (returned.defined()) out["cycle"] = mean_step(returned - test.x) / test.inputs_apart;
  if (residuals.empty()) return out;
  const BlockEnergy blocks = block_energy(residuals);
  const std::vector<double> shares = blocks.shares();
  out["straightness"] = blocks.straightness.mean().item<double>();
  out["largest_share"] = *std::max_element(shares.begin(), shares.end());
  return out;
}

Json apart_of(const PointTest& test, const Tensor& made, const Json& runs) {
  double sum = 0;
  std::int64_t count = 0;
  const auto meets = [&](std::int64_t r) {
    return runs[static_cast<std::size_t>(r)].at("miss") <= kMostMissed;
  };
  for (std::int64_t i = 0; i < made.size(0); ++i)
    for (std::int64_t j = 0; j < i; ++j) {
      if (!meets(i) || !meets(j)) continue;
      sum += mean_step(made[i] - made[j]) / test.unrelated;
      ++count;
    }
  return count > 0 ? Json(sum / static_cast<double>(count)) : Json();
}

}  // namespace

PointTest draw_point_test(const PointProblem& problem, std::int64_t count, std::uint64_t seed) {
  RngStreams rng(seed);
  PointTest out;
  out.x = problem.a(count, rng["test.a"]).to(at::kFloat);
  out.y = problem.b(count, rng["test.b"]).to(at::kFloat);
  out.between = point_costs(out.x, out.y);
  out.from = point_costs(out.x, out.x);
  out.to = point_costs(out.y, out.y);
  out.many_x = problem.a(4 * count, rng["test.a"]).to(at::kFloat);
  out.many_y = problem.b(4 * count, rng["test.b"]).to(at::kFloat);
  out.width = at::cdist(out.y, out.y).median().item<double>();
  const Tensor others = problem.b(4 * count, rng["test.b"]).to(at::kFloat), middle = others.mean(0);
  out.shrunk = discrepancy(middle + (others - middle) / 2, out.many_y, out.width);
  out.unrelated = mean_distance_within(out.y);
  out.inputs_apart = mean_distance_within(out.x);
  out.least = problem.least;
  return out;
}

double missed_share(const PointTest& test, const Tensor& made) {
  if (!made.isfinite().all().item<bool>()) return std::numeric_limits<double>::infinity();
  return discrepancy(made, test.many_y, test.width) / test.shrunk;
}

Json measure_points(const PointProblem& problem, const PointArm& arm, const PointTranslators& translators,
                    const PointTest& test) {
  const at::NoGradGuard no_grad;
  const VectorPass there = translators.there(test.x.unsqueeze(0));  // [R,n,d]
  const Tensor back = translators.b_to_a.empty() ? Tensor() : translators.back(there.out).out;
  const Tensor many = translators.there(test.many_x.unsqueeze(0)).out;
  Json runs = Json::array();
  for (std::int64_t r = 0; r < there.out.size(0); ++r) {
    MadePoints start{there.out[r], many[r], back.defined() ? back[r] : back, {}};
    for (const Tensor& all : there.residuals) start.residuals.push_back(all[r]);
    runs.push_back(measured_start(test, start));
    for (const PointTruth& truth : problem.truths)
      runs.back()["error_" + truth.name] =
          json_number(mean_step(there.out[r] - truth.map(test.x)) / test.unrelated);
  }
  return {{"problem", problem.name},
          {"arm", arm.name},
          {"runs", runs},
          {"apart", apart_of(test, there.out, runs)}};
}

const Json& point_row(const Json& rows, const std::string& problem, const std::string& arm) {
  for (const Json& row : rows)
    if (row.at("problem") == problem && row.at("arm") == arm) return row;
  throw std::logic_error("no row of " + problem + ", " + arm);
}

std::vector<double> met_values(const Json& row, const std::string& key) {
  std::vector<double> out;
  for (const Json& run : row.at("runs"))
    if (run.at("miss") <= kMostMissed && run.contains(key) && run.at(key).is_number())
      out.push_back(run.at(key));
  return out;
}

std::int64_t starts_met(const Json& row) { return std::ssize(met_values(row, "miss")); }

Table point_table(const Json& rows, const std::vector<std::pair<std::string, std::string>>& keys) {
  Table table{{"problem", "arm", "meet the target", "cost", "gap", "own", "apart"}, {}, ""};
  for (const auto& [key, header] : keys) table.header.push_back(header);
  for (const Json& row : rows) {
    const Json& apart = row.at("apart");
    table.rows.push_back({row.at("problem"), row.at("arm"),
                          fmt::format("{} of {}", starts_met(row), row.at("runs").size()),
                          mean_text(met_values(row, "cost")), mean_text(met_values(row, "gap")),
                          mean_text(met_values(row, "own")),
                          apart.is_null() ? "-" : fmt::format("{:.2f}", apart.get<double>())});
    for (const auto& [key, header] : keys) table.rows.back().push_back(mean_text(met_values(row, key)));
  }
  table.caption =
      "Means over the starts that meet the target, with 95 % intervals. Gap: 0 is the least cost, 1 that of "
      "random pairs. Own: the cost over that of the best re-matching of inputs and outputs. Apart: how far "
      "the maps of two starts are from each other, where 1 is two random points of the target.";
  return table;
}

}  // namespace torsor
