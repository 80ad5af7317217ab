// S0-C10, Lemma A.2: an injective immersion becomes an embedding on a ball.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "experiment/experiments.h"

namespace torsor {

namespace {

constexpr double kApart = 0.5;      // parameters at least so far apart
constexpr double kTouching = 1e-4;  // distance of images that counts as a failed embedding
constexpr std::array<double, 5> kRadii = {2, 5, 10, 20, 40};

using Image4 = std::array<double, 4>;

// An injective immersion of the line that is no embedding, and a pair of parameters at which that shows.
struct ImmersedLine {
  const char* name;
  Image4 (*f)(double t);
  double (*speed)(double t);  // |f'|, which does not grow with |t|
  double far_a, far_b;
};

// Its ends come back to f(0).
Image4 open_eight(double t) {
  const double s = 2 * std::atan(t);
  return {std::sin(2 * s), std::sin(s), 0, 0};
}

// Winds around a torus without end, and comes near every point of it. 80782 sqrt(2) is nearly the whole
// number 114243.
Image4 torus_line(double t) {
  const double u = t * std::numbers::sqrt2;
  return {std::cos(t), std::sin(t), std::cos(u), std::sin(u)};
}

const std::array<ImmersedLine, 2>& immersed_lines() {
  static const std::array<ImmersedLine, 2> lines = {
      {{"figure eight, open at the crossing", open_eight,
        [](double t) { return 2 * std::sqrt(5.0) / (1 + t * t); }, 0, 1e5},
       {"line of slope sqrt(2) on a torus", torus_line, [](double) { return std::sqrt(3.0); }, 0,
        2 * std::numbers::pi * 80782}}};
  return lines;
}

double image_distance(const Image4& a, const Image4& b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += (a[k] - b[k]) * (a[k] - b[k]);
  return std::sqrt(sum);
}

// The least distance of images over parameters in [-radius, radius] that are kApart or more apart: on a grid,
// and a lower bound for all parameters (each lies within half a step of the grid).
Json separation(const ImmersedLine& line, double radius, std::int64_t points) {
  const double step = 2 * radius / static_cast<double>(points - 1);
  std::vector<Image4> images;
  std::vector<double> room;  // by which an image can move within half a step
  for (std::int64_t i = 0; i < points; ++i) {
    const double t = -radius + static_cast<double>(i) * step;
    images.push_back(line.f(t));
    room.push_back(line.speed(std::max(0.0, std::abs(t) - step / 2)) * step / 2);
  }
  const auto gap = static_cast<std::size_t>(std::floor(kApart / step));
  double least = std::numeric_limits<double>::infinity(), bound = least;
  for (std::size_t i = 0; i < images.size(); ++i)
    for (std::size_t j = i + gap; j < images.size(); ++j) {
      const double distance = image_distance(images[i], images[j]);
      least = std::min(least, distance);
      bound = std::min(bound, distance - room[i] - room[j]);
    }
  return {{"radius", radius}, {"least", least}, {"bound", bound}};
}

class TruncatedImmersion : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S0-C10",
        .title = "injective immersions are embeddings on balls (Lemma A.2)",
        .plain =
            "The figure shows how far two curves stay away from themselves on stretches of "
            "growing length, although followed far enough they nearly meet themselves.",
        .claim =
            "An injective immersion of R^n, restricted to a ball, is an embedding: its inverse is "
            "continuous there, though it need not be on all of R^n. So truncated latent vectors lead to "
            "smooth automorphisms (Prop. 2.6) without the embedding assumption.",
        .rule = fmt::format("An inverse is continuous on a compact set when images of parameters {} or more "
                            "apart keep a distance. agrees: for immersions that are no embeddings (images "
                            "of far parameters come within {}) that distance has a positive lower bound on "
                            "every ball tried. disagrees: on some ball images touch. cannot tell: the grid "
                            "is too coarse for a positive bound, or the immersion is an embedding anyway.",
                            kApart, kTouching),
        .takes = {"1 s", "3 s", "20 s"}};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override {
    return {{"immersions", "an open figure eight, and a line of slope sqrt(2) on a torus in R^4",
             "the textbook's injective immersions that are no embeddings"},
            {"balls", "radius 2, 5, 10, 20, 40", "any will do"},
            {"bound",
             fmt::format("least distance on a grid of {} parameters, less what the speed |f'| allows "
                         "between them",
                         points(scale)),
             "holds for all parameters, not only the grid's"}};
  }

  Json measure(const Request& request) const override {
    Json lines = Json::array();
    for (const ImmersedLine& line : immersed_lines()) {
      Json balls = Json::array();
      for (const double radius : kRadii) {
        check_stop(request.stop);
        balls.push_back(separation(line, radius, points(request.scale)));
      }
      lines.push_back({{"name", line.name},
                       {"far_apart", line.far_b - line.far_a},
                       {"far_distance", image_distance(line.f(line.far_a), line.f(line.far_b))},
                       {"balls", balls}});
    }
    return {{"lines", lines}};
  }

  Finding judge(const Json& r) const override {
    double least = std::numeric_limits<double>::infinity();
    for (const Json& line : r.at("lines")) {
      const std::string name = line.at("name");
      if (line.at("far_distance").get<double>() > kTouching)
        return {Verdict::cannot_tell, fmt::format("{}: far parameters have images {:.2g} apart", name,
                                                  line.at("far_distance").get<double>())};
      for (const Json& ball : line.at("balls")) {
        const double radius = ball.at("radius"), bound = ball.at("bound");
        if (ball.at("least").get<double>() < kTouching)
          return {Verdict::disagrees, fmt::format("{}: images touch on the ball of radius {}", name, radius)};
        if (bound <= 0)
          return {Verdict::cannot_tell,
                  fmt::format("{}: the grid is too coarse on the ball of radius {}", name, radius)};
        least = std::min(least, bound);
      }
    }
    return {Verdict::agrees,
            fmt::format("on every ball images of parameters {} apart stay {:.2g} or more apart, while "
                        "without a ball they come within {}",
                        kApart, least, kTouching)};
  }

  void present(const Json& r, ReproductionPage& page) const override {
    LineChart chart{"How far apart images stay",
                    {"radius of the ball", AxisScale::log},
                    {"least distance", AxisScale::log},
                    {}};
    Table table{{"immersion", "radius", "least distance", "lower bound"},
                {},
                fmt::format("Images of parameters {} or more apart", kApart)};
    for (const Json& line : r.at("lines")) {
      Series s{line.at("name"), {}, {}};
      for (const Json& ball : line.at("balls")) {
        s.x.push_back(ball.at("radius"));
        s.y.push_back(ball.at("least"));
        table.rows.push_back({line.at("name"), ball.at("radius").dump(),
                              fmt::format("{:.4f}", ball.at("least").get<double>()),
                              fmt::format("{:.4f}", ball.at("bound").get<double>())});
      }
      table.rows.push_back(
          {line.at("name"), "none", fmt::format("{:.1e}", line.at("far_distance").get<double>()), ""});
      chart.series.push_back(s);
    }
    page.drawing("separation", draw(chart), "Positive on every ball, and falling to 0 as the ball grows");
    page.html().table(table);
  }

 private:
  static std::int64_t points(Scale scale) { return scale == Scale::full ? 16001 : 8001; }
};

}  // namespace

std::shared_ptr<const Experiment> truncated_immersion() { return std::make_shared<TruncatedImmersion>(); }

}  // namespace torsor
