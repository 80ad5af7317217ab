// D: the search for an automorphism.
#include <ATen/ATen.h>

#include <algorithm>

#include "audit/closeness.h"
#include "audit/group_cut.h"
#include "audit/parts.h"
#include "audit/search.h"
#include "core/error.h"
#include "metric/bootstrap.h"
#include "metric/classifier_test.h"
#include "report/grid.h"
#include "train/trainer.h"

namespace torsor {

namespace {

constexpr const char* kSearchPart = "search";
constexpr std::int64_t kSearchQuick = 500;  // images that a quick audit measures the result on
constexpr std::int64_t kSearchTerms = 128;  // of which it evaluates the losses
constexpr std::int64_t kSearchShown = 4;    // images of each kind in a figure

// As a reader knows the domain: A or B.
std::string search_letter(const std::string& domain) { return domain == "a" ? "A" : "B"; }

// The images that are transformed: those that the run's first direction starts from.
Direction search_direction(const AuditMaterial& material) {
  return material.subject().has(kAToB) ? kAToB : kBToA;
}

const AuditImages& search_source(const AuditMaterial& material) {
  const std::string domain = search_direction(material).from;
  const auto& more = material.more(domain);
  return more ? *more : material.images(domain);
}

std::string search_why_not(const AuditMaterial& material) {
  if (!material.options().search) return "it trains networks and is made on request: --search";
  const AuditImages& source = search_source(material);
  if (const std::string unfit = search_net_unfit(material.options().search_net, source.values);
      !unfit.empty())
    return unfit;
  const std::string domain = search_direction(material).from;
  // Without training images half of them are searched on; what is left is cut in two once more.
  const std::int64_t needed = (material.more(domain) ? 2 : 4) * kLeastGroups;
  const std::int64_t groups = count_groups(material.images(domain).groups);
  if (groups >= needed) return "";
  return fmt::format("the images of {} are of {} groups (patients, clips or originals), and it needs {}",
                     search_letter(domain), groups, needed);
}

/// A finished search with the images that it is measured on.
struct SearchTrial {
  Direction direction;
  Automorphism phi;
  AuditImages images;          // x
  at::Tensor moved, returned;  // phi(x), phi'(phi(x))
  at::Tensor before, after;    // G(x), G(phi(x))
};

struct SearchImageSets {
  AuditImages train, test;
};

SearchImageSets search_images(const AuditMaterial& material) {
  const std::string domain = search_direction(material).from;
  const AuditImages& held_out = material.images(domain);
  const auto bounded = [&](const AuditImages& images) {
    return material.options().size() == AuditScale::full ? images : images.first(kSearchQuick);
  };
  if (material.more(domain)) return {*material.more(domain), bounded(held_out)};
  Rng rng = material.stream("search/halves");
  const GroupCut cut = cut_by_groups(held_out.groups, rng);
  return {held_out.at(cut.first), bounded(held_out.at(cut.second))};
}

SearchTrial finished_search(const AuditMaterial& material, const SearchImageSets& images,
                            const SearchPlan& plan) {
  const Direction direction = search_direction(material);
  SearchTrial out{direction,
                  train_search(plan, images.train, material.out() / "search",
                               resolve_placement(material.placement()), material.log(), material.stop()),
                  images.test,
                  {},
                  {},
                  {},
                  {}};
  const TensorMapping& g = material.subject().generator(direction);
  out.moved = out.phi.map(out.images.values);
  out.returned = out.phi.inverse(out.moved);
  check_stop(material.stop());
  out.before = g(out.images.values);
  out.after = g(out.moved);
  return out;
}

// x and phi(x) are of one group, hence never in different folds.
Estimate search_c2st(const AuditMaterial& material, const SearchTrial& trial) {
  const std::string& domain = trial.direction.from;
  const MetricResult result =
      classifier_metric(grouped_sets(material.features(trial.images.values, domain), trial.images.groups,
                                     material.features(trial.moved, domain), trial.images.groups),
                        material.options().metric())
          .at("c2st");
  Estimate out;
  out.value = result.details.at("accuracy").get<double>();
  const Json& interval = result.details.at("accuracy_interval");
  if (interval.is_null())
    out.no_interval = result.uncertainty.none;
  else
    out.interval = Interval{interval.at(0).get<double>(), interval.at(1).get<double>()};
  return out;
}

// The run's losses with its own translators, and with (G o phi, phi' o F): [{"name", "weight", "before",
// "after"}], weights included; empty where it is not known what the run minimised.
Json search_losses(const AuditMaterial& material, const SearchTrial& trial) {
  const AuditedRun& run = material.subject();
  Json out = Json::array();
  if (run.terms.empty() || !run.maps.a_to_b || !run.maps.b_to_a || !run.maps.d_a || !run.maps.d_b) return out;
  const Translators other = moved({run.maps.a_to_b, run.maps.b_to_a}, trial.phi);
  CycleMaps composed = run.maps;
  composed.a_to_b = other.a_to_b;
  composed.b_to_a = other.b_to_a;
  const AuditImages &a = trial.images, &b = material.images("b");
  const std::int64_t n = std::min({a.size(), b.size(), kSearchTerms});
  const auto pictures_by = [&](const CycleMaps& maps) {
    Pictures made(a.values.narrow(0, 0, n), b.values.narrow(0, 0, n));
    std::vector<Picture> wanted;
    for (const LossTerm& term : run.terms)
      if (term.on()) wanted.insert(wanted.end(), term.needs.begin(), term.needs.end());
    for (const Picture which : passes_to(wanted)) made.make(which, maps);
    return made;
  };
  const Pictures before = pictures_by(run.maps), after = pictures_by(composed);
  check_stop(material.stop());
  for (const LossTerm& term : run.terms) {
    if (!term.on()) continue;
    const auto value = [&](const Pictures& pictures) {
      return term.weight * term.per_sample(pictures, run.maps).to(at::kDouble).mean().item<double>();
    };
    out.push_back(
        {{"name", term.name}, {"weight", term.weight}, {"before", value(before)}, {"after", value(after)}});
  }
  return out;
}

// Columns: the images that are changed most, then those around the median.
Json search_figure(const AuditMaterial& material, const SearchTrial& trial, const at::Tensor& displacement) {
  const at::Tensor order = displacement.argsort(0, /*descending=*/true);
  const std::int64_t n = order.size(0), shown = std::min(kSearchShown, n);
  std::vector<std::vector<Image>> rows(5);
  for (const std::int64_t begin : {std::int64_t{0}, std::max<std::int64_t>(0, (n - shown) / 2)})
    for (std::int64_t k = begin; k < begin + shown; ++k) {
      const std::int64_t i = order[k].item<std::int64_t>();
      const auto& [from, to] = trial.direction;
      rows[0].push_back(material.picture(trial.images.values[i], from));
      rows[1].push_back(material.picture(trial.moved[i], from));
      rows[2].push_back(material.picture(trial.returned[i], from));
      rows[3].push_back(material.picture(trial.before[i], to));
      rows[4].push_back(material.picture(trial.after[i], to));
    }
  return material.write_figure(
      "search-" + trial.direction.from, make_grid(rows),
      "From above: images, the transformation that was found of them, its way back, the run's translations "
      "of the images, and its translations of the transformed images, which answer the same losses. Those "
      "that are changed most, then those that are changed as most others.");
}

Json search_table(const Json& losses) {
  Json rows = Json::array();
  double before = 0, after = 0;
  const auto row = [](const std::string& name, double x, double y) {
    return Json{name, fmt::format("{:.4g}", x), fmt::format("{:.4g}", y), fmt::format("{:+.4g}", y - x)};
  };
  for (const Json& term : losses) {
    rows.push_back(row(term.at("name"), term.at("before"), term.at("after")));
    before += term.at("before").get<double>();
    after += term.at("after").get<double>();
  }
  rows.push_back(row("sum", before, after));
  return {{"caption",
           "The run's losses with its own translators, and with those before which the found "
           "transformation is made"},
          {"header", {"loss", "the run's", "with the transformation", "change"}},
          {"rows", rows}};
}

bool search_keeps_distribution(const Json& measured, const AuditThresholds& t) {
  return Estimate::from(measured.at("c2st")).high() < t.automorphism ||
         Closeness::from(measured).within(t.solution_share);
}

bool search_returns(const Json& measured, const AuditThresholds& t) {
  return Estimate::from(measured.at("return")).high() <= t.cycle_share;
}

Json search_rivals(const Json& measured, const AuditMaterial& material) {
  const AuditThresholds& t = material.options().thresholds;
  if (!search_keeps_distribution(measured, t) || !search_returns(measured, t)) return Json::array();
  const std::string domain = measured.at("domain");
  const Json rival = {{"id", "search:" + domain},
                      {"kind", "search"},
                      {"direction", measured.at("direction")},
                      {"text", "the run after the transformation that the search found"},
                      {"file", measured.at("file")}};
  return Json::array({rival});
}

Json measure_search_trial(const AuditMaterial& material, const SearchTrial& trial,
                          const MeanDistances& unrelated, const MeanDistances& unrelated_to) {
  Rng rng = material.stream("search/measure");
  const AuditImages& x = trial.images;
  const auto share = [&](const at::Tensor& values, double of) {
    return mean_estimate(values, x.groups, of, material.options().resamples, rng).json();
  };
  const ImageDistances displacement = image_distances(x.values, trial.moved);
  Json out = {{"displacement", share(displacement.whole, unrelated.whole)},
              {"worst", share(displacement.worst, unrelated.worst)},
              {"output", share(image_distances(trial.before, trial.after).whole, unrelated_to.whole)},
              {"return", share(image_distances(x.values, trial.returned).whole, unrelated.whole)},
              {"c2st", search_c2st(material, trial).json()}};
  out.update(closeness(material, x, trial.moved, rng).json());
  out["losses"] = search_losses(material, trial);
  const Json figure = search_figure(material, trial, displacement.whole);
  out["figure"] = figure.at("file");
  out["figures"] = Json::array({figure});
  return out;
}

Json measure_search(AuditMaterial& material) {
  const SearchImageSets images = search_images(material);
  const auto seed = static_cast<std::uint64_t>(material.options().audit_seed);
  const SearchPlan plan = search_plan(images.train, material.options().search_net,
                                      material.options().search_steps, derive_seed(seed, "audit/search"));
  const Direction direction = search_direction(material);
  Json out = {{"domain", direction.from},
              {"direction", direction.name()},
              {"net", plan.options.net.net_g},
              {"steps", plan.steps},
              {"images", {images.train.size(), images.test.size()}},
              {"found", true}};
  try {
    const SearchTrial trial = finished_search(material, images, plan);
    out.update(measure_search_trial(material, trial, material.unrelated(direction.from),
                                    material.unrelated(direction.to)));
  } catch (const DivergedError& error) {
    out["found"] = false;
    out["why"] = error.what();
    return out;
  }
  out["file"] = "search/" + search_file("").string();
  if (!out.at("losses").empty()) out["tables"] = Json::array({search_table(out.at("losses"))});
  out["rivals"] = search_rivals(out, material);
  return out;
}

bool search_matters(const Json& measured, const AuditThresholds& t) {
  return Estimate::from(measured.at("displacement")).low() > t.matters &&
         Estimate::from(measured.at("output")).low() > t.matters;
}

std::string search_loss_words(const Json& losses) {
  if (losses.empty()) return "";
  double before = 0, after = 0;
  for (const Json& term : losses) {
    before += term.at("before").get<double>();
    after += term.at("after").get<double>();
  }
  return fmt::format(" The run's losses are {:.3g} for its own translations and {:.3g} for those.", before,
                     after);
}

AuditFinding search_note() {
  AuditFinding out;
  out.id = kSearchPart;
  out.title = "A search for transformations";
  out.role = FindingRole::note;
  out.verdict = AuditVerdict::cannot_tell;
  return out;
}

AuditFinding found_transformation(const Json& measured, const AuditThresholds& t) {
  AuditFinding out = search_note();
  const std::string domain = search_letter(measured.at("domain"));
  out.role = FindingRole::lowers;
  out.verdict = AuditVerdict::amber;
  out.estimate = Estimate::from(measured.at("output"));
  out.threshold = t.matters;
  out.files = {measured.at("figure").get<std::string>()};
  out.text = fmt::format(
      "Loss-ambiguous: a transformation of the images of {} was found that leaves them images of {}, can be "
      "undone, and moves the run's translations by {} (0 = no change, 1 = as far as an unrelated image).{} "
      "Without other knowledge nothing says which of the two answers is right.",
      domain, domain, out.estimate->text(), search_loss_words(measured.at("losses")));
  out.needed = "pairs of images, against which both answers can be held (--pairs)";
  return out;
}

// Why a transformation does not count, in words.
std::string search_shortfall(const Json& measured, const AuditThresholds& t) {
  const auto text = [&](const char* name) { return Estimate::from(measured.at(name)).text(); };
  if (!search_matters(measured, t))
    return fmt::format(
        "it moves the images by {} and the run's translations by {}, not shown to be more than {}",
        text("displacement"), text("output"), t.matters);
  if (!search_returns(measured, t))
    return fmt::format("it cannot be undone: the way back ends {} from the image (at most {}, upper limit)",
                       text("return"), t.cycle_share);
  return fmt::format(
      "its images can be told from real ones, with an accuracy of {} and a KID of {} (blurred "
      "images: {})",
      text("c2st"), text("kid"), text("blurred"));
}

AuditFinding nothing_found(const Json& measured, const AuditThresholds& t) {
  AuditFinding out = search_note();
  const std::string why = measured.at("found").get<bool>()
                              ? search_shortfall(measured, t)
                              : "its training broke down: " + measured.at("why").get<std::string>();
  if (measured.contains("figure")) out.files = {measured.at("figure").get<std::string>()};
  out.text = fmt::format(
      "The search found no transformation of the images of {} that counts: {}. This proves nothing: another "
      "network or a longer search may find one.",
      search_letter(measured.at("domain")), why);
  return out;
}

std::vector<AuditFinding> judge_search(const Json& parts, const AuditThresholds& t) {
  const Json& measured = parts.at(kSearchPart);
  const bool counts = measured.at("found").get<bool>() && search_matters(measured, t) &&
                      search_returns(measured, t) && search_keeps_distribution(measured, t);
  return {counts ? found_transformation(measured, t) : nothing_found(measured, t)};
}

}  // namespace

AuditPart search_part() {
  return {kSearchPart,
          "A search for transformations",
          "A small network is trained to change the images as much as it can while they stay images of their "
          "kind and can be changed back. Where it succeeds, the run's translations could be exchanged for "
          "those of the changed images, and the losses would not say so.",
          search_why_not,
          measure_search,
          judge_search,
          LineUse::measuring};
}

}  // namespace torsor
