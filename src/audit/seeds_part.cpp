// Do runs that differ in nothing but their seed agree (S0, Prop 2.2)? For each two of them F_i o G_j is
// compared with F_j o G_j: were they one solution, it would bring images back as well as j's own way back.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "audit/group_cut.h"
#include "audit/parts.h"
#include "audit/run_classes.h"
#include "audit/shown_examples.h"
#include "audit/solution.h"
#include "core/error.h"
#include "metric/confusion.h"
#include "metric/metrics.h"
#include "report/grid.h"

namespace torsor {

namespace {

constexpr double kConfidence = 0.05;        // of what agreement leaves open
constexpr std::int64_t kLeastForSets = 10;  // groups of a half, for the comparison of distributions

// One ordered pair of runs in one direction.
struct SeedPair {
  std::size_t i = 0, j = 0;
  Direction direction;
  ImageDistances excess;  // per image, beyond the floor; both ways and none but one translation: from zero
  Json json;
};

Estimate estimate_of(AuditMaterial& material, const Direction& direction, const std::string& domain,
                     const at::Tensor& values, double scale) {
  Rng rng = material.stream("seeds/" + domain);
  return mean_estimate(values, material.images(direction.from).groups, scale, material.options().resamples,
                       rng);
}

// F_i o G_j against F_j o G_j: both on the images of direction.from.
SeedPair compared_by_cycle(AuditMaterial& material, std::size_t i, std::size_t j,
                           const Direction& direction) {
  const AuditImages& inputs = material.images(direction.from);
  const MeanDistances& unrelated = material.unrelated(direction.from);
  const ImageDistances own = image_distances(material.brought_back(j, j, direction), inputs.values);
  const ImageDistances other = image_distances(material.brought_back(j, i, direction), inputs.values);
  SeedPair out{i, j, direction, {other.whole - own.whole, other.worst - own.worst}, {}};
  const auto estimate = [&](const at::Tensor& values, double scale) {
    return estimate_of(material, direction, direction.from, values, scale).json();
  };
  out.json = {{"floor", estimate(own.whole, unrelated.whole)},
              {"displacement", estimate(other.whole, unrelated.whole)},
              {"excess", estimate(out.excess.whole, unrelated.whole)},
              {"worst_patch_floor", estimate(own.worst, unrelated.worst)},
              {"worst_patch_excess", estimate(out.excess.worst, unrelated.worst)},
              {"by", "cycle"}};
  return out;
}

// G_i against G_j, where there is no way back to compare by.
SeedPair compared_directly(AuditMaterial& material, std::size_t i, std::size_t j,
                           const Direction& direction) {
  const MeanDistances& unrelated = material.unrelated(direction.to);
  const ImageDistances apart =
      image_distances(material.translated(i, direction), material.translated(j, direction));
  SeedPair out{i, j, direction, apart, {}};
  out.json = {{"excess", estimate_of(material, direction, direction.to, apart.whole, unrelated.whole).json()},
              {"worst_patch_excess",
               estimate_of(material, direction, direction.to, apart.worst, unrelated.worst).json()},
              {"by", "translation"}};
  return out;
}

// What of the images' classes becomes another one on the way there by j and back by i.
void add_classes(AuditMaterial& material, SeedPair& pair) {
  if (!material.labels() || !material.has_cycle()) return;
  const auto& classify = material.labels()->classify;
  const std::string& domain = pair.direction.from;
  const auto classes = static_cast<std::int64_t>(material.labels()->classes.size());
  const auto matrix_by = [&](std::size_t by) {
    const at::Tensor from = classify(material.images(domain).values, domain),
                     to = classify(material.brought_back(pair.j, by, pair.direction), domain);
    ConfusionMatrix matrix(classes);
    for (std::int64_t k = 0; k < from.numel(); ++k)
      matrix.add(from[k].item<std::int64_t>(), to[k].item<std::int64_t>());
    return matrix;
  };
  const ConfusionMatrix other = matrix_by(pair.i), own = matrix_by(pair.j);
  const ConfusionSummary of_other = summarize(other), of_own = summarize(own);
  const auto moved = [](const ConfusionMatrix& m, double share) {
    return static_cast<std::int64_t>(std::llround((1 - share) * static_cast<double>(m.total())));
  };
  const Interval kept = share_interval(other.total() - moved(other, of_other.identity_share), other.total());
  pair.json["classes"] = {{"counts", other.counts()},
                          {"kept", of_other.identity_share},
                          {"kept_interval", {kept.low, kept.high}},
                          {"kept_by_own", of_own.identity_share},
                          {"permutation", cycles_text(of_other.permutation)},
                          {"permutation_share", of_other.permutation_share},
                          {"mutual_information", of_other.mutual_information}};
}

// Whether F_i o G_j keeps the distribution, seen against F_j o G_j on other images: artefacts of generators
// are in both.
void add_certificate(AuditMaterial& material, SeedPair& pair) {
  const AuditImages& inputs = material.images(pair.direction.from);
  if (count_groups(inputs.groups) < 2 * kLeastForSets || !material.has_cycle()) return;
  Rng rng = material.stream("seeds/halves");
  const GroupCut cut = cut_by_groups(inputs.groups, rng);
  const auto features = [&](std::size_t by, const std::vector<std::int64_t>& places) {
    const at::Tensor back = material.brought_back(pair.j, by, pair.direction);
    return material.features(back.index_select(0, at::tensor(places, at::kLong)), pair.direction.from);
  };
  SetScorer scorer(grouped_sets(features(pair.j, cut.second), inputs.at(cut.second).groups,
                                features(pair.i, cut.first), inputs.at(cut.first).groups),
                   material.options().metric());
  pair.json["kid_of_automorphism"] = Estimate::of(scorer.score("kid")).json();
}

Image seeds_grid(AuditMaterial& material, const SeedPair& pair, const std::vector<std::int64_t>& places) {
  const auto row = [&](const at::Tensor& images, const std::string& domain) {
    std::vector<Image> cells;
    for (const std::int64_t place : places) cells.push_back(material.picture(images[place], domain));
    return cells;
  };
  std::vector<std::vector<Image>> rows = {
      row(material.images(pair.direction.from).values, pair.direction.from)};
  for (std::size_t r = 0; r < material.runs().size(); ++r)
    rows.push_back(row(material.translated(r, pair.direction), pair.direction.to));
  if (material.has_cycle())
    for (const std::size_t by : {pair.j, pair.i})
      rows.push_back(row(material.brought_back(pair.j, by, pair.direction), pair.direction.from));
  return make_grid(rows);
}

std::string seeds_caption(AuditMaterial& material, const SeedPair& pair) {
  std::vector<std::string> rows = {"inputs"};
  for (const AuditedRun& run : material.runs()) rows.push_back("translated by " + run.name);
  if (material.has_cycle()) {
    const std::string& j = material.runs()[pair.j].name;
    rows.push_back(fmt::format("the translations of {0} brought back by {0}", j));
    rows.push_back(fmt::format("the translations of {} brought back by {}", j, material.runs()[pair.i].name));
  }
  return fmt::format(
      "{}; rows: {}. Columns: the images where the two runs differ most, then those in the "
      "middle of that order.",
      pair.direction.name(), join(rows, "; "));
}

// Where the runs' translations differ: the standard deviation over runs, of the image where it is largest.
Json spread_figure(AuditMaterial& material, const Direction& direction) {
  std::vector<at::Tensor> all;
  for (std::size_t r = 0; r < material.runs().size(); ++r) all.push_back(material.translated(r, direction));
  const at::Tensor spread = at::stack(all).to(at::kDouble).std(0, /*unbiased=*/true).mean(1);  // [N,H,W]
  const auto places = worst_and_median(spread.mean({1, 2}));
  std::vector<std::vector<Image>> rows(3);
  const double white = std::max(spread.max().item<double>(), 1e-12);
  for (const std::int64_t k : places) {
    rows[0].push_back(material.picture(material.images(direction.from).values[k], direction.from));
    rows[1].push_back(material.picture(at::stack(all).mean(0)[k], direction.to));
    const at::Tensor shown = (spread[k] / white * 2 - 1).to(at::kFloat).unsqueeze(0).expand({3, -1, -1});
    rows[2].push_back(preview_of(shown.contiguous(), {}));
  }
  return material.write_figure(
      "spread-" + direction.name(), make_grid(rows),
      fmt::format("{}: inputs, the mean of the runs' translations, and their spread (white is the largest). "
                  "Columns: the images with the largest spread, then those in the middle of that order.",
                  direction.name()));
}

Json seeds_table(const AuditMaterial& material, const Json& pairs) {
  Json rows = Json::array();
  const auto cell = [](const Json& pair, const char* key) {
    return pair.contains(key) ? Estimate::from(pair.at(key)).text() : std::string("-");
  };
  for (const Json& pair : pairs) {
    const auto name = [&](const char* key) { return material.runs()[pair.at(key)].name; };
    rows.push_back({name("i"), name("j"), pair.at("direction"), cell(pair, "floor"), cell(pair, "excess"),
                    cell(pair, "worst_patch_excess"), cell(pair, "kid_of_automorphism"),
                    pair.contains("classes") ? pair.at("classes").at("permutation") : Json("-")});
  }
  return {{"caption",
           "Images translated by the second run and brought back by the first: how far they come out from "
           "the inputs, beyond what the second run's own way back leaves (0 = no further, 1 = unrelated "
           "images); the same where it is largest; KID of the images that come out against those of its own "
           "way back; what happens to classes."},
          {"header",
           {"brought back by", "translated by", "direction", "own floor", "beyond it", "in the worst patch",
            "KID", "classes"}},
          {"rows", rows}};
}

std::string seeds_why_not(const AuditMaterial& material) {
  if (material.runs().size() > 1) return "";
  return "one run alone; runs of other seeds tell whether training decides on one solution (torsor train "
         "--seeds 0-2, then torsor audit with all of them)";
}

void add_pairs(AuditMaterial& material, std::vector<SeedPair>& pairs) {
  const std::size_t runs = material.runs().size();
  for (const Direction& direction : material.directions())
    for (std::size_t j = 0; j < runs; ++j)
      for (std::size_t i = 0; i < runs; ++i) {
        if (i == j || (!material.has_cycle() && i < j)) continue;
        pairs.push_back(material.has_cycle() ? compared_by_cycle(material, i, j, direction)
                                             : compared_directly(material, i, j, direction));
        SeedPair& pair = pairs.back();
        pair.json.update({{"i", i}, {"j", j}, {"direction", direction.name()}});
        add_classes(material, pair);
        material.log().progress(
            "runs compared", std::ssize(pairs),
            static_cast<std::int64_t>(runs * (runs - 1)) * std::ssize(material.directions()));
      }
}

double seed_difference(const SeedPair& pair) {
  return std::max(pair.json.at("excess").at("value").get<double>(),
                  pair.json.at("worst_patch_excess").at("value").get<double>());
}

Json measure_seeds(AuditMaterial& material) {
  std::vector<SeedPair> pairs;
  add_pairs(material, pairs);
  Json out = {{"runs", material.runs().size()}, {"pairs", Json::array()}, {"figures", Json::array()}};
  for (const Direction& direction : material.directions()) {
    SeedPair* worst = nullptr;
    for (SeedPair& pair : pairs)
      if (pair.direction == direction &&
          (worst == nullptr || seed_difference(pair) > seed_difference(*worst)))
        worst = &pair;
    add_certificate(material, *worst);
    const auto places = worst_and_median(worst->excess.worst);
    out["figures"].push_back(material.write_figure(
        "seeds-" + direction.name(), seeds_grid(material, *worst, places), seeds_caption(material, *worst)));
    out["figures"].push_back(spread_figure(material, direction));
  }
  for (const SeedPair& pair : pairs) out["pairs"].push_back(pair.json);
  out["names"] = Json::array();
  for (const AuditedRun& run : material.runs()) out["names"].push_back(run.name);
  out["tables"] = Json::array({seeds_table(material, out["pairs"])});
  return out;
}

std::vector<std::string> figure_files(const Json& part) {
  std::vector<std::string> out;
  for (const Json& figure : part.at("figures")) out.push_back(figure.at("file"));
  return out;
}

AuditFinding seeds_differ(const Json& part, const RunClasses& classes) {
  AuditFinding finding;
  const Json& worst = part.at("pairs").at(classes.worst_pair);
  const auto name = [&](const char* key) {
    return part.at("names").at(worst.at(key).get<std::size_t>()).get<std::string>();
  };
  const bool locally = classes.worst_is_local;
  finding.estimate = Estimate::from(worst.at(locally ? "worst_patch_excess" : "excess"));
  finding.verdict = AuditVerdict::red;
  finding.title = fmt::format("{} runs, {} different answers", classes.solutions.size(), classes.count);
  finding.text = fmt::format(
      "Training-ambiguous: runs that differ in nothing but their seed translate the same images differently. "
      "Images translated by {} and brought back by {} come out {}{} further from where they began than by "
      "its own way back, where 1 is an unrelated image. At most one of the answers is right, and no loss "
      "says which.",
      name("j"), name("i"), finding.estimate->text(), locally ? ", in their worst patch," : "");
  finding.files = figure_files(part);
  finding.needed =
      "pairs or labels that training never saw, which say which answer is right, or a training that "
      "leaves fewer answers open (see what to do)";
  return finding;
}

AuditFinding seeds_agree(const Json& part, const RunClasses& classes) {
  AuditFinding finding;
  const auto runs = static_cast<double>(classes.solutions.size());
  const double open = 1 - std::pow(kConfidence, 1 / (runs - 1));
  finding.role = FindingRole::note;
  finding.title = fmt::format("{} runs agree", classes.solutions.size());
  finding.text = fmt::format(
      "{} runs agree. Agreement is not truth: all may be wrong in the same way, and with 95 % confidence the "
      "share of trainings that end elsewhere may still be {:.0f} %.",
      classes.solutions.size(), 100 * open);
  finding.files = figure_files(part);
  return finding;
}

std::vector<AuditFinding> judge_seeds(const Json& parts, const AuditThresholds& thresholds) {
  const Json& part = parts.at("seeds");
  const RunClasses classes = run_classes(parts, thresholds);
  AuditFinding finding;
  if (classes.solutions.size() < 2) {
    finding.role = FindingRole::note;
    finding.title = "Too few runs to compare";
    finding.text = fmt::format("Of {} runs {} a solution, so there are no two to compare.",
                               part.at("runs").get<std::int64_t>(),
                               classes.solutions.size() == 1 ? "one is" : "none is");
    finding.needed = "a second run that is a solution";
  } else if (classes.differ) {
    finding = seeds_differ(part, classes);
  } else if (classes.undecided) {
    finding.title = "Whether the runs agree is open";
    finding.text =
        "The runs differ on these images by about the margin; more images would decide whether "
        "they are one solution.";
    finding.needed = "about four times as many held-out images";
    finding.files = figure_files(part);
  } else {
    finding = seeds_agree(part, classes);
  }
  finding.id = "seeds";
  finding.threshold = classes.worst_is_local ? thresholds.local_margin : thresholds.difference_margin;
  return {finding};
}

}  // namespace

AuditPart seeds_part() {
  return {"seeds",
          "Do runs of other seeds agree?",
          "Trainings that differ in nothing but the seed are solutions of one problem. Where they disagree, "
          "training itself does not decide on an answer; where they agree, all may still be wrong.",
          seeds_why_not,
          measure_seeds,
          judge_seeds};
}

}  // namespace torsor
