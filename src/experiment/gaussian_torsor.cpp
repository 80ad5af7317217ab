// S0-C2 trained: linear translators between Gaussians in the plane, whose solutions are O(2).
#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "experiment/experiments.h"
#include "experiment/gaussian_arms.h"
#include "metric/statistics.h"
#include "report/animation.h"

namespace torsor {

namespace {

constexpr double kConverged = 0.01;    // loss
constexpr double kOnGroup = 0.02;      // distance of a converged G from O(2), in any entry
constexpr double kCollapsed = 3;       // degrees from 0
constexpr double kMinMoved = 5;        // degrees, median
constexpr double kMaxResultant = 0.5;  // resultant length up to which angles count as spread
constexpr std::int64_t kMinRuns = 50, kMinOfASign = 15;

// What the verdict needs of one arm.
struct ArmSummary {
  std::int64_t runs = 0, converged = 0, rotations = 0, reflections = 0;
  double largest_loss = 0, smallest_loss = 0, largest_off = 0, median_moved = 0;
  double largest_rotation = 0;  // degrees from 0
  std::int64_t stayed = 0,
               under_way = 0;        // rotations not at 0 that came less, or more, than kMinMoved nearer
  double most_moved_reflection = 0;  // degrees
  double resultant_rotations = 0, resultant_reflections = 0, p_rotations = 1, p_reflections = 1;
};

// One preferred direction shows in the angles, two in their doubles, four in their fourfold: the largest
// resultant length of these, and the smallest p of Rayleigh's test (after Bonferroni) as to whether it is
// chance.
double largest_resultant(const std::vector<double>& angles, double& p) {
  double largest = 0;
  if (angles.empty()) return largest;
  for (const int fold : {1, 2, 4}) {
    std::vector<double> folded;
    for (const double a : angles) folded.push_back(a * fold * std::numbers::pi / 180);
    largest = std::max(largest, resultant_length(folded));
    p = std::min(p, 3 * rayleigh_p(folded));
  }
  return largest;
}

ArmSummary summary_of(const Json& arm) {
  ArmSummary s;
  std::vector<double> moved, turned, mirrored;
  for (const Json& run : arm.at("runs")) {
    const double loss = run.at("loss"), end = run.at("end");
    s.smallest_loss = s.runs == 0 ? loss : std::min(s.smallest_loss, loss);
    s.largest_loss = std::max(s.largest_loss, loss);
    ++s.runs;
    moved.push_back(run.at("moved"));
    const bool rotation = run.at("rotation");
    (rotation ? turned : mirrored).push_back(end);
    if (rotation) s.largest_rotation = std::max(s.largest_rotation, std::abs(end));
    if (!rotation) s.most_moved_reflection = std::max(s.most_moved_reflection, moved.back());
    if (rotation && std::abs(end) > kCollapsed)
      ++(std::abs(run.at("start").get<double>()) - std::abs(end) < kMinMoved ? s.stayed : s.under_way);
    if (!(loss <= kConverged)) continue;
    ++s.converged;
    s.largest_off = std::max(s.largest_off, run.at("off_group").get<double>());
  }
  s.rotations = std::ssize(turned);
  s.reflections = std::ssize(mirrored);
  s.resultant_rotations = largest_resultant(turned, s.p_rotations);
  s.resultant_reflections = largest_resultant(mirrored, s.p_reflections);
  if (!moved.empty()) {
    std::nth_element(moved.begin(), moved.begin() + std::ssize(moved) / 2, moved.end());
    s.median_moved = moved[moved.size() / 2];
  }
  return s;
}

const Json& arm_named(const Json& results, const std::string& name) {
  for (const Json& arm : results.at("arms"))
    if (arm.at("name") == name) return arm;
  fail("the results have no arm '{}'", name);
}

Finding judge_pure(const std::string& name, const ArmSummary& s) {
  const auto doubt = [](std::string why) { return Finding{Verdict::cannot_tell, std::move(why)}; };
  if (s.largest_off > kOnGroup)
    return {Verdict::disagrees,
            fmt::format("arm {}: a converged run is {:.3g} away from O(2)", name, s.largest_off)};
  if (s.runs < kMinRuns) return doubt(fmt::format("arm {}: {} runs, {} are needed", name, s.runs, kMinRuns));
  if (s.converged < s.runs)
    return doubt(fmt::format("arm {}: {} of {} runs reached loss {}", name, s.converged, s.runs, kConverged));
  if (s.rotations < kMinOfASign || s.reflections < kMinOfASign)
    return {Verdict::disagrees,
            fmt::format("arm {}: {} rotations and {} reflections; one kind is hardly found", name,
                        s.rotations, s.reflections)};
  if (std::max(s.resultant_rotations, s.resultant_reflections) > kMaxResultant)
    return {
        Verdict::disagrees,
        fmt::format(
            "arm {}: the angles concentrate (resultant length {:.2f} for rotations, {:.2f} for reflections)",
            name, s.resultant_rotations, s.resultant_reflections)};
  if (s.median_moved < kMinMoved)
    return doubt(fmt::format("arm {}: half of the runs moved less than {} degrees: the start decides", name,
                             kMinMoved));
  return {Verdict::agrees, ""};
}

std::string spread_text(double resultant, double p) { return fmt::format("{:.2f} (p {:.2g})", resultant, p); }

std::string two_digits(double value) { return fmt::format("{:.2g}", value); }

// Two circles: O(2) drawn as its rotations and its reflections.
Animation torsor_animation(const Json& results) {
  std::vector<Point> circle;
  for (int i = 0; i <= 96; ++i) {
    const double a = i * 2 * std::numbers::pi / 96;
    circle.push_back({std::cos(a), std::sin(a)});
  }
  Animation animation;
  animation.panels = {{"det G > 0: rotations by the angle from the right", -2, 2, {circle}},
                      {"det G < 0: reflections", -2, 2, {circle}}};
  animation.groups = {"without the identity term", "with it, from the solutions found"};
  int group = 0;
  for (const Json* arm : {&arm_named(results, "equal"), &arm_named(results, "continued")}) {
    for (const Json& saved : arm->at("frames")) {
      AnimationFrame frame;
      frame.label = fmt::format("{}, step {}", group == 0 ? "no identity term" : "identity term on",
                                saved.at("step").get<std::int64_t>());
      for (const Json& p : saved.at("points"))
        frame.points.push_back({p.at(0) == 1 ? 0 : 1, {p.at(1), p.at(2)}, group});
      animation.frames.push_back(std::move(frame));
    }
    // All runs are at rest, all round: what the identity term does to them then comes after.
    if (group == 0) animation.poster = animation.frames.size() - 1;
    ++group;
  }
  return animation;
}

LineChart orbit_chart(const Json& orbit) {
  LineChart chart{"Loss along the orbit, G = R(angle)", {"angle of R, degrees"}, {"loss"}, {}};
  const auto add = [&](const char* key, const char* label) {
    chart.series.push_back({label, orbit.at("angle"), orbit.at(key)});
  };
  add("rotations", "rotations");
  add("rotations_identity", "rotations, identity term");
  add("reflections", "reflections");
  add("reflections_identity", "reflections, identity term");
  return chart;
}

LineChart scatter_chart(const Json& arm) {
  LineChart chart{arm.at("what"),
                  {"angle at the start, degrees", AxisScale::linear, -180, 180},
                  {"angle at the end", AxisScale::linear, -180, 180},
                  {}};
  chart.width = 300;  // three beside each other
  chart.plot_height = 220;
  Series turned{"rotations", {}, {}, Mark::points}, mirrored{"reflections", {}, {}, Mark::points};
  for (const Json& run : arm.at("runs")) {
    Series& s = run.at("rotation").get<bool>() ? turned : mirrored;
    s.x.push_back(run.at("start"));
    s.y.push_back(run.at("end"));
  }
  chart.series = {turned, mirrored};
  return chart;
}

class GaussianTorsor : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S0-C2-gaussian",
        .title = "linear translators of Gaussians: training finds all of O(2)",
        .plain =
            "The same task is trained again and again from other starts, and the animation shows "
            "where these trainings end: each dot is one of them, each place on a circle another "
            "answer that is just as good.",
        .claim =
            "For X = N(0, I) in the plane and linear translators, Aut(X) is O(2), so by Prop. 2.2 the "
            "solutions are one of them times every rotation and reflection: training may return any. The "
            "identity term chooses among them when X = Y.",
        .rule = fmt::format("agrees: without the identity term at least {} random starts all reach a loss of "
                            "{}, every G is within {} of the predicted set, rotations and reflections each "
                            "come out {} times or more, the angles of neither concentrate (resultant "
                            "length {} or less for one, two and four preferred directions; 0 = all round, "
                            "1 = all alike), and the median run ends {} degrees or more from where it "
                            "started; and with the identity term every start of positive determinant ends "
                            "within {} degrees of 0. disagrees: a converged run off the set, a kind of "
                            "solution missing, angles that concentrate, or a rotation that the identity "
                            "term does not bring {} degrees nearer to 0. cannot tell: runs that did not "
                            "converge or are still under way, or angles that stay where they start.",
                            kMinRuns, kConverged, kOnGroup, kMinOfASign, kMaxResultant, kMinMoved, kCollapsed,
                            kMinMoved),
        .takes = {"6 s", "1 min", "6 min"},
        .seeds = {"0", "0", "0"}};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override {
    return {
        {"X", "N(0, I) in the plane", "any example of the paper's remark on spherical Gaussians"},
        {"Y", "N(0, I); and N(0, S) with standard deviations 2 and 0.5, turned by 30 degrees", "any will do"},
        {"translators", "G(x) = Gx, F(y) = Fy, 2x2 matrices", "the smallest with the whole of O(2) in reach"},
        {"f-divergence", "Kullback-Leibler, in closed form: the discriminator is ideal",
         "the paper allows any; no discriminator's errors enter"},
        {"norm", "Euclidean; L1 in the arm that says so",
         "the paper says typically L1, any will do; the Euclidean one prefers no direction"},
        {"alpha_cyc, alpha_id",
         fmt::format("{}, and {} where the identity term is on", kGaussianAlphaCycle, kGaussianAlphaIdentity),
         "any will do"},
        {"starts",
         fmt::format("{} a seed, entries independent standard normals, det F signed as det G", runs(scale)),
         "the divergence is infinite at det = 0, so no training crosses it, and pairs of opposite signs "
         "can never meet; an arm of its own shows that"},
        {"optimiser", fmt::format("Adam {}, beta1 0.9, {} steps, cosine to 0", kGaussianRate, steps(scale)),
         "any will do"}};
  }

  Json measure(const Request& request) const override {
    Json arms = Json::array();
    for (const std::uint64_t seed : request.seeds) {
      RngStreams rng(seed);
      Json of_seed = Json::array();
      ExactParameters solutions;
      for (const GaussianArm& arm : gaussian_arms()) {
        const ExactParameters start = gaussian_starts(arm, runs(request.scale), rng["start." + arm.name]);
        GaussianArmResult result = run_gaussian_arm(arm, start, steps(request.scale), request.stop);
        if (arm.name == "equal") solutions = result.end;
        of_seed.push_back(std::move(result.json));
      }
      GaussianArm continued = gaussian_arms().front();
      continued.name = "continued";
      continued.what = "X = Y, the identity term turned on at the solutions of the first arm";
      continued.alpha_id = kGaussianAlphaIdentity;
      of_seed.push_back(run_gaussian_arm(continued, solutions, steps(request.scale), request.stop).json);
      add_seed(of_seed, arms);
    }
    return {{"arms", arms}, {"orbit", gaussian_orbit(gaussian_arms().front())}};
  }

  Finding judge(const Json& results) const override {
    for (const char* name : {"equal", "unequal"}) {
      const Finding finding = judge_pure(name, summary_of(arm_named(results, name)));
      if (finding.verdict != Verdict::agrees) return finding;
    }
    const ArmSummary identity = summary_of(arm_named(results, "identity"));
    if (identity.stayed > 0)
      return {Verdict::disagrees,
              fmt::format("with the identity term {} rotations stay, one by {:.1f} degrees", identity.stayed,
                          identity.largest_rotation)};
    if (identity.under_way > 0)
      return {Verdict::cannot_tell,
              fmt::format("with the identity term {} rotations were still on their way to 0",
                          identity.under_way)};
    const ArmSummary equal = summary_of(arm_named(results, "equal"));
    return {Verdict::agrees,
            fmt::format("all {} runs converged; {} rotations and {} reflections, at all angles (resultant "
                        "length {:.2f} and {:.2f}), a median {:.0f} degrees from their starts; with the "
                        "identity term the rotations end within {:.2g} degrees of 0",
                        equal.runs, equal.rotations, equal.reflections, equal.resultant_rotations,
                        equal.resultant_reflections, equal.median_moved, identity.largest_rotation)};
  }

  void present(const Json& results, ReproductionPage& page) const override {
    HtmlPage& html = page.html();
    html.paragraph(
        "Each point is one training. Its place is the part of G along the rotations (first panel) or "
        "reflections "
        "(second); on the circle it is a solution. First without the identity term: every start comes to "
        "rest somewhere on the circle. Then the identity term is turned on: the rotations run to 0, and "
        "the reflections, which cannot get there, stay where they are.");
    const Animation animation = torsor_animation(results);
    html.animation(animation, "Solutions as points on O(2), over the steps of the training");
    Table table{{"arm", "runs", "converged", "largest loss", "rotations", "reflections",
                 "resultant, rotations", "resultant, reflections", "median moved", "largest rotation"},
                {},
                fmt::format("Converged: loss of {} or less. Resultant: 0 = angles all round, 1 = all alike, "
                            "with Rayleigh's p. Angles in degrees.",
                            kConverged)};
    for (const Json& arm : results.at("arms")) {
      const ArmSummary s = summary_of(arm);
      table.rows.push_back({arm.at("what"), std::to_string(s.runs), std::to_string(s.converged),
                            two_digits(s.largest_loss), std::to_string(s.rotations),
                            std::to_string(s.reflections), spread_text(s.resultant_rotations, s.p_rotations),
                            spread_text(s.resultant_reflections, s.p_reflections),
                            fmt::format("{:.1f}", s.median_moved),
                            fmt::format("{:.1f}", s.largest_rotation)});
    }
    html.table(table);
    html.paragraph(
        fmt::format("Turning the identity term on at the solutions found moves every rotation to 0, and the "
                    "reflections by {:.1f} degrees at most.",
                    summary_of(arm_named(results, "continued")).most_moved_reflection));
    const ArmSummary opposite = summary_of(arm_named(results, "opposite"));
    html.paragraph(
        fmt::format("Pairs that start with determinants of opposite signs never meet: no loss below {:.2g} "
                    "in {} runs. The loss has rotations and reflections as separate valleys, and keeps "
                    "reflections out of reach of the identity term's optimum.",
                    opposite.smallest_loss, opposite.runs));
    page.drawing(
        "orbit", draw(orbit_chart(results.at("orbit"))),
        "The loss of a solution moved by every rotation and reflection: flat without the identity term. "
        "With it, rotations slide to 0, while all reflections cost the same.");
    html.subheading("Where each run started and where it ended");
    html.beside([&] {
      for (const char* name : {"equal", "identity", "identity_l1"})
        page.drawing(fmt::format("angles-{}", name), draw(scatter_chart(arm_named(results, name))), "");
    });
    html.paragraph(
        "With L1 norms the identity term differs between reflections: it is least for those that flip one "
        "coordinate, at 0 and 180 degrees, and reflections drift there.");
  }

 private:
  static std::int64_t runs(Scale scale) { return scale == Scale::full ? 400 : 64; }
  static std::int64_t steps(Scale scale) { return scale == Scale::smoke ? 400 : 3000; }

  // Runs of several seeds are one sample; the animation shows the first seed's.
  static void add_seed(const Json& of_seed, Json& arms) {
    if (arms.empty()) {
      arms = of_seed;
      return;
    }
    for (std::size_t i = 0; i < arms.size(); ++i)
      for (const Json& run : of_seed[i].at("runs")) arms[i]["runs"].push_back(run);
  }
};

}  // namespace

std::shared_ptr<const Experiment> gaussian_torsor() { return std::make_shared<GaussianTorsor>(); }

}  // namespace torsor
