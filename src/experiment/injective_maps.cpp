// S0-C8, Proposition 2.5: a continuous injective map is an isomorphism onto its image measure.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "core/rng.h"
#include "experiment/experiments.h"

namespace torsor {

namespace {

constexpr double kRecovered = 1e-6;  // relative error of a point brought back
constexpr double kMaxScore = 5;      // standard errors of an event's frequency

using PointOnCurve = std::array<double, 2>;

// A continuous map of the line into the plane, with an inverse on its image where there is one.
struct LineToPlane {
  const char* name;
  bool injective;
  PointOnCurve (*f)(double t);
  double (*back)(const PointOnCurve& p);
};

// (sin 2s, sin s) with s = 2 atan t runs once through a figure eight; its ends come back to the middle, so it
// is injective and no embedding. The sign of cos s tells the halves apart: sin 2s = 2 sin s cos s.
PointOnCurve figure_eight(double t) {
  const double s = 2 * std::atan(t);
  return {std::sin(2 * s), std::sin(s)};
}
double figure_eight_back(const PointOnCurve& p) {
  const double s = std::asin(std::clamp(p[1], -1.0, 1.0));
  const bool inner = p[0] * p[1] >= 0;  // |s| <= pi/2
  return std::tan((inner ? s : (s >= 0 ? std::numbers::pi : -std::numbers::pi) - s) / 2);
}

constexpr std::array<LineToPlane, 4> kMaps = {
    {{"t -> (t^3, t^3): not an immersion at 0", true,
      [](double t) {
        return PointOnCurve{t * t * t, t * t * t};
      },
      [](const PointOnCurve& p) { return std::cbrt(p[0]); }},
     {"t -> (t^2, t^3): a cusp", true,
      [](double t) {
        return PointOnCurve{t * t, t * t * t};
      },
      [](const PointOnCurve& p) { return std::copysign(std::sqrt(p[0]), p[1]); }},
     {"a figure eight, open at the crossing: no embedding", true, figure_eight, figure_eight_back},
     {"t -> (t^2, t^2): not injective, to show that the check can fail", false,
      [](double t) {
        return PointOnCurve{t * t, t * t};
      },
      [](const PointOnCurve& p) { return std::sqrt(p[0]); }}}};

double normal_probability(double low, double high) {
  const double root = std::sqrt(2.0);
  return (std::erf(high / root) - std::erf(low / root)) / 2;
}

// Share of points brought back, and the largest deviation of (f_* gamma)(f(A)) from gamma(A) in standard
// errors.
Json measure_map(const LineToPlane& map, std::int64_t points, Rng& rng) {
  std::vector<double> back;
  std::int64_t recovered = 0;
  for (std::int64_t i = 0; i < points; ++i) {
    const double t = rng.normal();
    back.push_back(map.back(map.f(t)));
    recovered += std::abs(back.back() - t) <= kRecovered * std::max(1.0, std::abs(t));
  }
  std::sort(back.begin(), back.end());
  double score = 0;
  constexpr int kEvents = 100;
  for (int k = 0; k < kEvents; ++k) {
    double low = rng.normal(), high = rng.normal();
    if (low > high) std::swap(low, high);
    const double p = normal_probability(low, high), n = static_cast<double>(points);
    const auto inside =
        std::lower_bound(back.begin(), back.end(), high) - std::lower_bound(back.begin(), back.end(), low);
    const double error = std::sqrt(std::max(p * (1 - p), 1 / n) / n);
    score = std::max(score, std::abs(static_cast<double>(inside) / n - p) / error);
  }
  return {{"map", map.name},        {"injective", map.injective}, {"points", points},
          {"recovered", recovered}, {"events", kEvents},          {"score", score}};
}

class InjectiveMaps : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S0-C8",
        .title = "continuous injective maps are isomorphisms onto their image (Prop. 2.5)",
        .plain =
            "A map that sends no two points to one place should be undone from its images alone, "
            "even where it has a sharp bend or nearly meets itself: the table counts the points "
            "that come back.",
        .claim =
            "For a measure on R^n and a continuous injective f into R^m, f is an isomorphism of "
            "probability spaces onto its image measure: it has an essential inverse, even where f is no "
            "embedding.",
        .rule = fmt::format("agrees: for every injective map all points are brought back from their images "
                            "alone, to {}, and the image measure of f(A) is the measure of A within {} "
                            "standard errors for random intervals A, while the map that is not injective "
                            "loses a quarter of its points or more. disagrees: an exception among the "
                            "injective ones. cannot tell: the map that is not injective passes.",
                            kRecovered, kMaxScore),
        .takes = {"1 s", "1 s", "5 s"},
        .seeds = {"0", "0", "0-4"}};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override {
    return {
        {"measure", "standard normal on the line", "any"},
        {"maps",
         "a cubic, a cusp, and a figure eight: each breaks another condition stronger than the proposition's",
         "any continuous injective map"},
        {"points a seed", std::to_string(points(scale)), "any will do"}};
  }

  Json measure(const Request& request) const override {
    Json maps = Json::array();
    for (const std::uint64_t seed : request.seeds) {
      RngStreams rng(seed);
      for (const LineToPlane& map : kMaps)
        maps.push_back(measure_map(map, points(request.scale), rng["points"]));
    }
    return {{"maps", maps}};
  }

  Finding judge(const Json& r) const override {
    double score = 0;
    std::int64_t points = 0;
    for (const Json& m : r.at("maps")) {
      const std::string name = m.at("map");
      const double share = m.at("recovered").get<double>() / m.at("points").get<double>();
      if (!m.at("injective").get<bool>()) {
        if (share > 0.75) return {Verdict::cannot_tell, "the map that is not injective passes"};
        continue;
      }
      if (share < 1)
        return {Verdict::disagrees,
                fmt::format("{}: {:.2f} % of the points are brought back", name, 100 * share)};
      if (m.at("score").get<double>() > kMaxScore)
        return {Verdict::disagrees,
                fmt::format("{}: the measure of an event is off by {:.1f} standard errors", name,
                            m.at("score").get<double>())};
      score = std::max(score, m.at("score").get<double>());
      points += json_count(m.at("points"));
    }
    if (points == 0) return {Verdict::cannot_tell, "no injective map was tried"};
    return {Verdict::agrees,
            fmt::format("all {} points are brought back, and the measures of events agree within {:.1f} "
                        "standard errors",
                        points, score)};
  }

  void present(const Json& r, ReproductionPage& page) const override {
    Table table{{"map", "points", "brought back", "largest deviation of an event's measure"},
                {},
                "Deviations in standard errors"};
    for (const Json& m : r.at("maps"))
      table.rows.push_back({m.at("map"), m.at("points").dump(), m.at("recovered").dump(),
                            fmt::format("{:.1f}", m.at("score").get<double>())});
    page.html().table(table);
  }

 private:
  static std::int64_t points(Scale scale) { return scale == Scale::smoke ? 10000 : 200000; }
};

}  // namespace

std::shared_ptr<const Experiment> injective_maps() { return std::make_shared<InjectiveMaps>(); }

}  // namespace torsor
