// S2-E1 on images: the cost of trained CycleGANs, by architecture and initialisation.
#include <algorithm>

#include "experiment/experiments.h"
#include "experiment/image_costs.h"
#include "metric/statistics.h"

namespace torsor {

namespace {

constexpr double kNearLeastImage = 0.1;      // gap up to which a cost is not far from the least
constexpr std::int64_t kRunsPerProblem = 2;  // directions of runs that are solutions

// The numbers of all runs of a row that are solutions, both directions.
std::vector<double> solved_values(const Json& rows, const std::string& problem, const std::string& arm,
                                  const char* key) {
  std::vector<double> out;
  for (const Json& row : rows) {
    if (row.at("problem") != problem || row.at("arm") != arm) continue;
    for (const auto& [direction, of] : row.at("directions").items())
      if (of.at("solution").get<bool>() && of.at(key).is_number()) out.push_back(of.at(key));
  }
  return out;
}

std::vector<std::string> problems_in(const Json& rows) {
  std::vector<std::string> out;
  for (const Json& row : rows)
    if (std::find(out.begin(), out.end(), row.at("problem")) == out.end()) out.push_back(row.at("problem"));
  return out;
}

class ImageCost : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S2-E1-images",
        .title = "is the transport cost of a CycleGAN of images near the least?",
        .plain =
            "CycleGANs translate small images: the page shows how much further than needed they move them, "
            "for networks "
            "with and without skips, and for small and large weights to begin with.",
        .claim =
            "The transport cost of CycleGAN is not far from the least, for ResNets that begin with small "
            "weights.",
        .rule = fmt::format("gap = (cost - least) / (cost of random pairs - least) in pixels, its mean over "
                            "the directions of runs "
                            "that are solutions, of a ResNet with an initial gain of 0.02. agrees: on every "
                            "problem the upper limit "
                            "of its 95 % interval is at most {0}. disagrees: on some problem the lower limit "
                            "is above {0}. cannot "
                            "tell: otherwise, or where fewer than {1} directions are solutions.",
                            kNearLeastImage, kRunsPerProblem),
        .data = "a folder with MNIST's files, or any other that torsor train takes as --data",
        .takes = {"20 s", "1 h", "10 h"},
        .seeds = {"0", "0-1", "0-4"},
        .networks = true};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override { return image_cost_settings(scale); }

  Json measure(const Request& request) const override {
    return {{"rows", measure_image_costs(image_problems(request), request)}};
  }

  Finding judge(const Json& results) const override {
    const Json& rows = results.at("rows");
    bool far = false, near = true;
    std::vector<std::string> said;
    for (const std::string& problem : problems_in(rows)) {
      const std::vector<double> gaps = solved_values(rows, problem, kUsualImageArm, "gap");
      said.push_back(fmt::format("{} {}", problem, gaps.empty() ? "has no solution" : mean_text(gaps)));
      if (std::ssize(gaps) < kRunsPerProblem) {
        near = false;
        continue;
      }
      const Interval interval = mean_interval(gaps).interval;
      far = far || interval.low > kNearLeastImage;
      near = near && interval.high <= kNearLeastImage;
    }
    const std::string numbers = fmt::format("gaps of {}: {}", kUsualImageArm, join(said, "; "));
    if (far) return {Verdict::disagrees, numbers};
    return {near && !said.empty() ? Verdict::agrees : Verdict::cannot_tell, numbers};
  }

  void present(const Json& results, ReproductionPage& page) const override {
    const Json& rows = results.at("rows");
    Table table{{"problem", "generator", "solutions", "cost", "gap", "own"}, {}, ""};
    for (const std::string& problem : problems_in(rows))
      for (const ImageArm& arm : image_arms()) {
        const auto text = [&](const char* key) {
          return mean_text(solved_values(rows, problem, arm.name, key));
        };
        table.rows.push_back({problem, arm.name, solutions_text(rows, problem, arm.name), text("cost"),
                              text("gap"), text("own")});
      }
    table.caption =
        "Means over the directions of runs that are solutions, with 95 % intervals. Gap: 0 is the least "
        "cost, 1 that "
        "of random pairs. Own: the cost over that of the best re-matching of inputs and translations.";
    page.html().table(table);
    Table reasons{{"problem", "generator", "seed", "direction", "why it does not count"}, {}, ""};
    for (const Json& row : rows)
      for (const auto& [direction, of] : row.at("directions").items())
        if (!of.at("solution").get<bool>())
          reasons.rows.push_back(
              {row.at("problem"), row.at("arm"), row.at("seed").dump(), direction, of.at("reason")});
    if (!reasons.rows.empty()) page.html().table(reasons);
  }

 private:
  static std::string solutions_text(const Json& rows, const std::string& problem, const std::string& arm) {
    std::size_t solved = 0, all = 0;
    for (const Json& row : rows) {
      if (row.at("problem") != problem || row.at("arm") != arm) continue;
      for (const auto& [direction, of] : row.at("directions").items()) {
        ++all;
        solved += of.at("solution").get<bool>();
      }
    }
    return fmt::format("{} of {}", solved, all);
  }
};

}  // namespace

std::shared_ptr<const Experiment> image_cost() { return std::make_shared<ImageCost>(); }

}  // namespace torsor
