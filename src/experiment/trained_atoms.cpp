// S0-C7 trained: which permutation a training finds between atoms of equal and of distinct masses.
#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "core/text.h"
#include "experiment/exact_model.h"
#include "experiment/experiments.h"
#include "metric/statistics.h"
#include "theory/finite_space.h"

namespace torsor {

namespace {

constexpr double kAtomsConverged = 0.01;    // loss
constexpr std::int64_t kMinConverged = 40;  // runs a space
constexpr double kMinCovered = 0.9;         // of the solutions where all can be found

std::vector<FiniteSpace> atom_spaces() { return {{{1, 1, 1, 1}}, {{1, 1, 2, 4}}, {{1, 2, 3, 4}}}; }

// A map whose images are undecided: logits [R,n,n], row i says where atom i goes.
at::Tensor soft_map(const at::Tensor& logits) { return at::softmax(logits, -1); }

// sum m log(m / pushed), pushed = m P: [R].
at::Tensor push_forward_kl(const at::Tensor& map, const at::Tensor& masses) {
  const at::Tensor pushed = at::matmul(masses, map);  // [R,n]
  return (masses * at::log(masses / pushed)).sum(-1);
}

// Share of the mass that does not come back: the cycle loss in the metric that is 0 or 1.
at::Tensor not_returned(const at::Tensor& there, const at::Tensor& back, const at::Tensor& masses) {
  const at::Tensor returned = at::diagonal(at::matmul(there, back), 0, -2, -1);
  return 1 - (masses * returned).sum(-1);
}

ExactModel::Losses atom_losses(const at::Tensor& masses) {
  return [masses](const ExactParameters& p) {
    const at::Tensor g = soft_map(p.at("g")), f = soft_map(p.at("f"));
    return ExactLosses{{"kl_b", push_forward_kl(g, masses)},
                       {"kl_a", push_forward_kl(f, masses)},
                       {"cycle_a", not_returned(g, f, masses)},
                       {"cycle_b", not_returned(f, g, masses)}};
  };
}

at::Tensor masses_of(const FiniteSpace& space) {
  const double total = std::accumulate(space.masses.begin(), space.masses.end(), 0);
  std::vector<double> out;
  for (const int mass : space.masses) out.push_back(mass / total);
  return at::tensor(out, at::kDouble);
}

at::Tensor random_logits(std::int64_t runs, std::int64_t n, Rng& rng) {
  at::Tensor out = at::empty({runs, n, n}, at::kDouble);
  double* v = out.data_ptr<double>();
  for (std::int64_t i = 0; i < out.numel(); ++i) v[i] = rng.normal();
  return out;
}

// Counts of the maps that converged runs ended at, by text_of.
Json found_maps(const at::Tensor& g, const at::Tensor& loss, std::int64_t& converged) {
  const at::Tensor images = g.argmax(-1);  // [R,n]
  std::map<std::string, std::int64_t> counts;
  for (std::int64_t r = 0; r < images.size(0); ++r) {
    if (!(loss[r].item<double>() <= kAtomsConverged)) continue;
    ++converged;
    FiniteMap map;
    for (std::int64_t i = 0; i < images.size(1); ++i)
      map.push_back(static_cast<std::int16_t>(images[r][i].item<std::int64_t>()));
    ++counts[text_of(map)];
  }
  Json out = Json::object();
  for (const auto& [map, count] : counts) out[map] = count;
  return out;
}

Json train_atoms(const FiniteSpace& space, std::int64_t runs, std::int64_t steps, Rng& rng,
                 const StopFlag& stop) {
  const auto n = static_cast<std::int64_t>(space.size());
  OptimizerOptions optimizer;
  optimizer.lr = 0.1;
  optimizer.beta1 = 0.9;
  ExactModel model({{"g", random_logits(runs, n, rng)}, {"f", random_logits(runs, n, rng)}},
                   atom_losses(masses_of(space)), optimizer);
  train_exact(model, {steps, "cosine"}, stop);
  check_stop(stop);
  at::Tensor loss;
  for (const auto& [name, values] : model.losses()) loss = loss.defined() ? loss + values : values;
  std::int64_t converged = 0;
  const Json found = found_maps(model.parameters().at("g"), loss, converged);
  Json allowed = Json::array();
  for (const FiniteMap& map : automorphisms(space)) allowed.push_back(text_of(map));
  return {{"masses", space.text()},
          {"runs", runs},
          {"converged", converged},
          {"allowed", allowed},
          {"found", found}};
}

class TrainedAtoms : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S0-C7-trained",
        .title = "trainings between atoms: any automorphism of equal masses, one of distinct ones",
        .plain =
            "Four things are translated to themselves, in many trainings from random starts: the "
            "table shows which exchanges come out where the things are equally frequent, and "
            "which where they are not.",
        .claim =
            "With X = Y purely atomic, the zero-loss translators are the exchanges of atoms of equal mass. "
            "Training, from random starts, may return any of them; where all masses differ there is one "
            "solution.",
        .rule = fmt::format("agrees: in each space {} or more of the runs reach a loss of {}, all of these "
                            "are automorphisms, and at least {:.0f} % of the automorphisms are found. "
                            "disagrees: a converged run at another map. cannot tell: fewer converged runs "
                            "or fewer automorphisms found. (Runs that stop at a positive loss have sent "
                            "two atoms to one; they are counted, and are no solutions.)",
                            kMinConverged, kAtomsConverged, 100 * kMinCovered),
        .takes = {"3 s", "10 s", "1 min"},
        .seeds = {"0", "0", "0-4"}};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override {
    return {
        {"X = Y", "four atoms with masses 1:1:1:1, 1:1:2:4 and 1:2:3:4",
         "equal, partly equal and distinct masses"},
        {"translators", "each atom's image as a softmax over the atoms",
         "differentiable; maps are its corners"},
        {"loss", "Kullback-Leibler divergences, and the share of the mass that the cycle does not bring back",
         "any divergence and norm"},
        {"starts", fmt::format("{} a seed and space, logits standard normal", runs(scale)), "any will do"},
        {"optimiser", fmt::format("Adam 0.1, beta1 0.9, {} steps, cosine to 0", steps(scale)),
         "any will do"}};
  }

  Json measure(const Request& request) const override {
    Json spaces = Json::array();
    for (const std::uint64_t seed : request.seeds) {
      RngStreams rng(seed);
      for (const FiniteSpace& space : atom_spaces())
        spaces.push_back(train_atoms(space, runs(request.scale), steps(request.scale),
                                     rng["atoms." + space.text()], request.stop));
    }
    return {{"spaces", spaces}};
  }

  Finding judge(const Json& r) const override {
    std::vector<std::string> said;
    for (const Json& s : r.at("spaces")) {
      const std::string masses = s.at("masses");
      const std::vector<std::string> allowed = s.at("allowed");
      for (const auto& [map, count] : s.at("found").items())
        if (std::find(allowed.begin(), allowed.end(), map) == allowed.end())
          return {Verdict::disagrees,
                  fmt::format("masses {}: {} runs converged to {}, which is no automorphism", masses,
                              count.dump(), map)};
      const std::int64_t converged = json_count(s.at("converged"));
      const double covered = static_cast<double>(s.at("found").size()) / static_cast<double>(allowed.size());
      if (converged < kMinConverged)
        return {Verdict::cannot_tell,
                fmt::format("masses {}: {} runs converged, {} are needed", masses, converged, kMinConverged)};
      if (covered < kMinCovered)
        return {Verdict::cannot_tell, fmt::format("masses {}: {} of {} automorphisms found", masses,
                                                  s.at("found").size(), allowed.size())};
      said.push_back(fmt::format("masses {}: {} of {} automorphisms found", masses, s.at("found").size(),
                                 allowed.size()));
    }
    return {Verdict::agrees, join(said, "; ") + "; no converged run at another map"};
  }

  void present(const Json& r, ReproductionPage& page) const override {
    Table table{{"masses", "runs", "converged", "automorphisms", "found", "most frequent", "rarest"},
                {},
                fmt::format("Converged: loss of {} or less. Shares of the converged runs.", kAtomsConverged)};
    for (const Json& s : r.at("spaces")) {
      std::int64_t most = 0, least = json_count(s.at("converged"));
      for (const auto& [map, count] : s.at("found").items()) {
        most = std::max(most, json_count(count));
        least = std::min(least, json_count(count));
      }
      const auto share = [&](std::int64_t count) {
        const auto all = std::max<std::int64_t>(1, json_count(s.at("converged")));
        return fmt::format("{:.1f} %", 100 * static_cast<double>(count) / static_cast<double>(all));
      };
      table.rows.push_back({s.at("masses"), s.at("runs").dump(), s.at("converged").dump(),
                            std::to_string(s.at("allowed").size()), std::to_string(s.at("found").size()),
                            share(most), share(least)});
    }
    page.html().table(table);
  }

 private:
  static std::int64_t runs(Scale scale) { return scale == Scale::smoke ? 800 : 1000; }
  static std::int64_t steps(Scale scale) { return scale == Scale::smoke ? 300 : 800; }
};

}  // namespace

std::shared_ptr<const Experiment> trained_atoms() { return std::make_shared<TrainedAtoms>(); }

}  // namespace torsor
