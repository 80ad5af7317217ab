#include "experiment/point_experiment.h"

#include <atomic>

#include "core/error.h"
#include "core/parallel.h"
#include "core/text.h"

namespace torsor {

namespace {

constexpr std::int64_t kFlowWidth = 108;  // a flow's: as many parameters as four blocks of 32 have

PointScale point_scale(Scale scale) {
  if (scale == Scale::smoke) return {2, 30, 64};
  if (scale == Scale::full) return {32, 10000};
  return {};
}

std::int64_t test_points(Scale scale) { return scale == Scale::smoke ? 60 : 400; }

std::vector<Setting> point_settings(const PointScale& scale) {
  return {
      {"generators",
       "four blocks of 32 hidden units, in the space of the points: neither encoder nor decoder, which in "
       "images decide what a block's output costs",
       "block energy and cost are of one kind then"},
      {"losses",
       "non-saturating adversarial loss (S1-Q2), L1 cycle, discriminators with two hidden layers of 64 units "
       "whose rate is five times the generators'",
       "least squares met the targets less often in trials"},
      {"training",
       fmt::format("{} starts an arm, {} steps of Adam at {}, falling to 0; {} fresh points of each set a "
                   "step",
                   scale.runs, scale.steps, scale.rate, scale.batch),
       "the slides give none; any that meets the targets will do"},
      {"a start counts where it meets its target",
       fmt::format(
           "squared maximum mean discrepancy at most {} of that of the target shrunk to half its width",
           kMostMissed),
       "a map that moves less than it has to is cheaper than the least"},
      {"least cost", "by the formula for Gaussians, or of exact assignments with their bias taken off"}};
}

// The rows of one problem and arm, whose starts are those of different seeds, as one.
Json of_all_seeds(const std::vector<Json>& rows) {
  Json out = rows.front();
  double apart = 0;
  int counted = 0;
  for (std::size_t k = 0; k < rows.size(); ++k) {
    if (rows[k].at("apart").is_number()) {
      apart += rows[k].at("apart").get<double>();
      ++counted;
    }
    if (k == 0) continue;
    for (const Json& run : rows[k].at("runs")) out["runs"].push_back(run);
    if (!out.contains("errors")) continue;
    for (auto& [name, steps] : out["errors"].items())
      for (std::size_t s = 0; s < steps.size(); ++s)
        for (const Json& error : rows[k].at("errors").at(name).at(s)) steps[s].push_back(error);
  }
  out["apart"] = counted > 0 ? Json(apart / counted) : Json();
  return out;
}

}  // namespace

std::vector<Setting> PointExperiment::setup(Scale scale) const {
  std::vector<Setting> out = {
      {"problems", join(problems(scale)), "the slides name none"},
      {"Gaussians", "from N(0, I); the line is one of a single dimension, to a deviation of 1/2"}};
  const auto append = [&](const std::vector<Setting>& more) {
    out.insert(out.end(), more.begin(), more.end());
  };
  append(own_settings());
  append(point_settings(point_scale(scale)));
  for (const PointArm& arm : arms()) out.push_back({"arm \"" + arm.name + "\"", arm.what});
  return out;
}

Json PointExperiment::measure(const Request& request) const {
  const std::vector<PointArm> all = arms();
  std::vector<PointProblem> drawn_from;
  std::vector<PointTest> drawn;
  for (const std::string& name : problems(request.scale)) {
    drawn_from.push_back(point_problem(name));
    drawn.push_back(draw_point_test(drawn_from.back(), test_points(request.scale), request.seeds.front()));
  }
  std::vector<Json> rows(drawn.size() * all.size());
  std::atomic<std::int64_t> done{0};
  in_parallel(rows.size(), request.stop, [&](std::size_t k) {
    const std::size_t p = k / all.size();
    const PointArm& arm = all[k % all.size()];
    std::vector<Json> of_seeds;
    for (const std::uint64_t seed : request.seeds)
      of_seeds.push_back(
          of_arm(drawn_from[p], arm,
                 train_points(drawn_from[p], arm, point_scale(request.scale), seed, request.stop), drawn[p]));
    rows[k] = of_all_seeds(of_seeds);
    request.log->progress("arms", ++done, std::ssize(rows));
  });
  check_stop(request.stop);
  return {{"rows", rows}};
}

PointArm one_flow(std::int64_t steps, double lambda_transport) {
  PointArm arm;
  arm.network.kind = "flow";
  arm.network.blocks = steps;
  arm.network.width = kFlowWidth;
  arm.gain = 0.2;
  arm.lambda_cycle = 0;
  arm.lambda_transport = lambda_transport;
  arm.way_back = WayBack::none;
  return arm;
}

}  // namespace torsor
