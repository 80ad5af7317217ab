// C: the null task.
#include <ATen/ATen.h>

#include <algorithm>

#include "audit/closeness.h"
#include "audit/null_task.h"
#include "audit/parts.h"
#include "core/error.h"
#include "core/text.h"
#include "metric/bootstrap.h"
#include "metric/confusion.h"
#include "report/grid.h"
#include "train/trainer.h"

namespace torsor {

namespace {

constexpr const char* kNullPart = "null-task";
constexpr std::int64_t kNullQuick = 500;       // images of a domain that a quick audit measures it on
constexpr std::int64_t kNullPartners = 4;      // of each image, for the distance of unrelated ones
constexpr std::int64_t kNullShown = 4;         // images of each kind in a figure
constexpr std::int64_t kMostNullClasses = 16;  // that a confusion matrix has

// As a reader knows the domain: A or B.
std::string null_letter(const std::string& domain) { return domain == "a" ? "A" : "B"; }

// The images that are cut in two: training images where there are some, so that held-out ones stay unseen.
const AuditImages& null_source(const AuditMaterial& material, const std::string& domain) {
  const auto& more = material.more(domain);
  return more ? *more : material.images(domain);
}

std::string too_few_null_groups(const AuditMaterial& material, const std::string& domain) {
  const std::int64_t groups = count_groups(null_source(material, domain).groups);
  if (groups >= 2 * kLeastGroups) return "";
  return fmt::format(
      "the images of {} are of {} groups (patients, clips or originals), and two halves need {} together",
      null_letter(domain), groups, 2 * kLeastGroups);
}

std::string null_task_why_not(const AuditMaterial& material) {
  if (!material.options().null_task) return "it trains networks and is made on request: --null-task";
  const AuditedRun& run = material.subject();
  if (run.info.training.empty())
    return fmt::format("{} does not say with which options it was trained, as imported weights never do",
                       run.source);
  if (config_from_json(run.info.training, run.source).model->pairing() == Pairing::aligned)
    return fmt::format(
        "{} is a {}, which learns from pairs: of an image and itself there is nothing to learn", run.source,
        run.info.type);
  return too_few_null_groups(material, "a");
}

/// What one translator of the null run is tried on.
struct NullTrial {
  std::string domain, direction;
  AuditImages images;         // at the null task's size
  at::Tensor made, returned;  // [N,C,h,w]; `returned` undefined where there is no way back
};

// Columns: the images that are displaced most, then those around the median.
std::vector<std::int64_t> null_shown_places(const at::Tensor& displacement) {
  const at::Tensor order = displacement.argsort(0, /*descending=*/true);
  const std::int64_t n = order.size(0), shown = std::min(kNullShown, n);
  std::vector<std::int64_t> out;
  for (const std::int64_t begin : {std::int64_t{0}, std::max<std::int64_t>(0, (n - shown) / 2)})
    for (std::int64_t k = begin; k < begin + shown; ++k) out.push_back(order[k].item<std::int64_t>());
  return out;
}

Json null_figure(const AuditMaterial& material, const NullTrial& trial, const at::Tensor& displacement) {
  std::vector<std::vector<Image>> rows(2);
  for (const std::int64_t i : null_shown_places(displacement)) {
    rows[0].push_back(material.picture(trial.images.values[i], trial.domain));
    rows[1].push_back(material.picture(trial.made[i], trial.domain));
  }
  return material.write_figure(
      fmt::format("null-task-{}-{}", trial.domain, trial.direction), make_grid(rows),
      fmt::format("Images of {} and what the null task's translator {} makes of them: those that it changes "
                  "most, then those that it changes as most others. The right answer is no change.",
                  null_letter(trial.domain), trial.direction));
}

// Of both the images and what is made of them the classes are the classifier's, at the same size, so that a
// class that is lost by resizing is not taken for one that is lost by translating.
Json null_classes(const AuditMaterial& material, const NullTrial& trial, Rng& rng) {
  const AuditLabels& labels = *material.labels();
  const at::Tensor& audited = material.images(trial.domain).values;
  const auto classes_of = [&](const at::Tensor& values) {
    const std::vector<std::int64_t> size = {audited.size(2), audited.size(3)};
    return labels.classify(at::upsample_bilinear2d(values, size, /*align_corners=*/false), trial.domain);
  };
  const at::Tensor from = classes_of(trial.images.values), to = classes_of(trial.made);  // [N]
  Json out = {{"kept", mean_estimate((from == to).to(at::kDouble), trial.images.groups, 1,
                                     material.options().resamples, rng)
                           .json()},
              {"classes", labels.classes}};
  const std::int64_t classes = std::ssize(labels.classes);
  if (classes > kMostNullClasses) return out;
  ConfusionMatrix matrix(classes);
  for (std::int64_t i = 0; i < from.size(0); ++i)
    matrix.add(from[i].item<std::int64_t>(), to[i].item<std::int64_t>());
  out["counts"] = matrix.counts();
  out["permutation"] = cycles_text(summarize(matrix).permutation);
  return out;
}

Json measure_null_trial(const AuditMaterial& material, const NullTrial& trial, Json& figures) {
  const std::string stream = fmt::format("null/{}/{}", trial.domain, trial.direction);
  Rng rng = material.stream(stream);
  const AuditImages& x = trial.images;
  const MeanDistances unrelated = unrelated_distances(x.values, x.groups, kNullPartners, rng);
  const ImageDistances moved = image_distances(x.values, trial.made);
  const auto share = [&](const at::Tensor& values, double of) {
    return mean_estimate(values, x.groups, of, material.options().resamples, rng).json();
  };
  Json out = {{"direction", trial.direction},
              {"images", x.size()},
              {"displacement", share(moved.whole, unrelated.whole)},
              {"worst", share(moved.worst, unrelated.worst)},
              {"cycle", nullptr}};
  if (trial.returned.defined())
    out["cycle"] = share(image_distances(x.values, trial.returned).whole, unrelated.whole);
  out.update(closeness(material, x, trial.made, rng).json());
  if (material.labels()) out["classes"] = null_classes(material, trial, rng);
  const Json figure = null_figure(material, trial, moved.whole);
  out["figure"] = figure.at("file");
  figures.push_back(figure);
  return out;
}

NullRequest null_request(const AuditMaterial& material, const std::string& domain, const GroupCut& halves) {
  const at::Tensor& values = material.images(domain).values;
  NullRequest out;
  out.domain = domain;
  out.audited_side = std::min(values.size(2), values.size(3));
  out.half_size = std::max(std::ssize(halves.first), std::ssize(halves.second));
  out.steps = material.options().null_steps;
  out.side = material.options().null_size;
  out.seed = material.options().audit_seed;
  out.placement = material.placement();
  out.folder = material.out() / "null" / domain;
  return out;
}

// Held-out images; where there are no others those of the half that the direction does not start from.
AuditImages null_tests(const AuditMaterial& material, const std::string& domain, const GroupCut& halves,
                       const Direction& direction) {
  const AuditImages& held_out = material.images(domain);
  const AuditImages all =
      material.more(domain) ? held_out : held_out.at(direction == kAToB ? halves.second : halves.first);
  return material.options().size() == AuditScale::full ? all : all.first(kNullQuick);
}

Json try_null_run(const AuditMaterial& material, const std::string& domain, const GroupCut& halves,
                  const NullSettings& settings, Json& figures) {
  const AuditedRun run = train_null_task(settings, material.log(), material.stop());
  Json directions = Json::array();
  for (const Direction& direction : {kAToB, kBToA}) {
    if (!run.has(direction)) continue;
    check_stop(material.stop());
    NullTrial trial{
        domain,
        direction.name(),
        null_images(null_tests(material, domain, halves, direction), material.subject().info, settings.side),
        {},
        {}};
    trial.made = run.generator(direction)(trial.images.values);
    if (run.has(direction.opposite())) trial.returned = run.generator(direction.opposite())(trial.made);
    directions.push_back(measure_null_trial(material, trial, figures));
  }
  return directions;
}

Json measure_null_domain(const AuditMaterial& material, const std::string& domain, Json& figures) {
  Json out = {{"domain", domain}, {"trained", false}};
  if (const std::string few = too_few_null_groups(material, domain); !few.empty()) {
    out["why"] = few;
    return out;
  }
  const AuditImages& source = null_source(material, domain);
  Rng rng = material.stream("null/halves/" + domain);
  const GroupCut halves = cut_by_groups(source.groups, rng);
  const NullRequest request = null_request(material, domain, halves);
  const NullSettings settings = null_settings(material.subject(), request);
  write_null_halves(source, halves, material.subject().info, settings.stored_side, request.folder);
  out.update({{"images", {std::ssize(halves.first), std::ssize(halves.second)}},
              {"side", settings.side},
              {"steps", settings.config.run.steps},
              {"changes", settings.changes},
              {"asks_for_identity", settings.asks_for_identity}});
  try {
    out["directions"] = try_null_run(material, domain, halves, settings, figures);
    out["trained"] = true;
  } catch (const DivergedError& error) {
    out["why"] = fmt::format("its training broke down: {}", error.what());
  }
  return out;
}

std::string null_cell(const Json& estimate) {
  return estimate.is_null() ? "none" : Estimate::from(estimate).text();
}

Json null_table(const Json& domains) {
  Json rows = Json::array();
  for (const Json& domain : domains) {
    if (!domain.at("trained").get<bool>()) continue;
    for (const Json& d : domain.at("directions"))
      rows.push_back({domain.at("domain"), d.at("direction"), null_cell(d.at("displacement")),
                      null_cell(d.at("worst")), null_cell(d.at("cycle")), null_cell(d.at("kid")),
                      null_cell(d.at("blurred"))});
  }
  return {{"caption",
           "The null task's translators. Distances: 0 = the same image, 1 = as far as an unrelated one. KID: "
           "of their outputs, and for comparison of the images blurred."},
          {"header",
           {"images", "translator", "distance from the identity", "where largest", "way back", "KID",
            "KID of blurred images"}},
          {"rows", rows}};
}

Json measure_null_task(AuditMaterial& material) {
  std::vector<std::string> domains = {"a"};
  if (material.options().size() == AuditScale::full) domains.push_back("b");
  Json figures = Json::array(), measured = Json::array();
  for (const std::string& domain : domains)
    measured.push_back(measure_null_domain(material, domain, figures));
  return {{"domains", measured}, {"figures", figures}, {"tables", Json::array({null_table(measured)})}};
}

bool is_null_solution(const Json& direction, const AuditThresholds& thresholds) {
  const Json& cycle = direction.at("cycle");
  return Closeness::from(direction).within(thresholds.solution_share) &&
         (cycle.is_null() || Estimate::from(cycle).high() <= thresholds.cycle_share);
}

bool null_fails_whole(const Json& d, const AuditThresholds& t) {
  return Estimate::from(d.at("displacement")).low() > t.null_margin;
}

bool null_fails_locally(const Json& d, const AuditThresholds& t) {
  return Estimate::from(d.at("worst")).low() > t.null_local_margin;
}

std::string null_class_words(const Json& direction) {
  if (!direction.contains("classes")) return "";
  return fmt::format(" The class stays in {} of the images (1 = all of them).",
                     Estimate::from(direction.at("classes").at("kept")).text());
}

AuditFinding null_finding(const std::string& domain) {
  AuditFinding out;
  out.id = domain == "a" ? kNullPart : fmt::format("{}-{}", kNullPart, domain);
  out.title = "The null task";
  out.role = FindingRole::note;
  out.verdict = AuditVerdict::cannot_tell;
  return out;
}

AuditFinding failed_null_task(const Json& d, const std::string& domain, const AuditThresholds& t) {
  AuditFinding out = null_finding(domain);
  const bool whole = null_fails_whole(d, t);
  out.role = FindingRole::lowers;
  out.verdict = AuditVerdict::red;
  out.estimate = Estimate::from(d.at(whole ? "displacement" : "worst"));
  out.threshold = whole ? t.null_margin : t.null_local_margin;
  out.files = {d.at("figure").get<std::string>()};
  out.text = fmt::format(
      "With the run's own settings a translator was trained from images of {} to other images of {}, where "
      "the right answer is to change nothing. It changes them: {} its outputs are {} of the way to an "
      "unrelated image, and the losses do not mind.{} What these settings return for two different domains "
      "need not be right either.",
      null_letter(domain), null_letter(domain), whole ? "on average" : "where they differ most,",
      out.estimate->text(), null_class_words(d));
  return out;
}

AuditFinding unsolved_null_task(const Json& of, const Json& d, const std::string& domain,
                                const AuditThresholds& t) {
  AuditFinding out = null_finding(domain);
  const Closeness near = Closeness::from(d);
  const Json& cycle = d.at("cycle");
  out.files = {d.at("figure").get<std::string>()};
  out.text = fmt::format(
      "The null task says nothing: its translator {} is no solution yet. The KID of its outputs is {}, where "
      "{} of that of blurred images, {}, is the most that counts{}.",
      d.at("direction").get<std::string>(), near.kid.text(), t.solution_share, near.blurred.text(),
      cycle.is_null() ? ""
                      : fmt::format(", and the way back ends {} from the input (at most {}, upper limit)",
                                    Estimate::from(cycle).text(), t.cycle_share));
  const std::int64_t steps = of.at("steps");
  out.needed = fmt::format("a longer null task: --null-steps {}", 4 * steps);
  return out;
}

AuditFinding passed_null_task(const Json& of, const std::string& domain, const AuditThresholds& t) {
  AuditFinding out = null_finding(domain);
  for (const Json& d : of.at("directions")) {
    const Estimate moved = Estimate::from(d.at("displacement"));
    if (!out.estimate || moved.value > out.estimate->value) out.estimate = moved;
    out.files.push_back(d.at("figure").get<std::string>());
  }
  out.threshold = t.null_margin;
  out.text = fmt::format(
      "Trained from images of {} to other images of {}, the run's settings are not shown to change what "
      "should stay as it is: distance {} (0 = the same image, 1 = an unrelated one). This proves little: "
      "networks that add to their input, as residual ones do, pass this test by their architecture, also "
      "where their translations between different domains are wrong.{}",
      null_letter(domain), null_letter(domain), out.estimate->text(),
      of.at("asks_for_identity").get<bool>() ? " The run's identity loss also asks for exactly this." : "");
  return out;
}

AuditFinding judge_null_domain(const Json& of, const AuditThresholds& thresholds) {
  const std::string domain = of.at("domain");
  if (!of.at("trained").get<bool>()) {
    AuditFinding out = null_finding(domain);
    out.text = fmt::format("The null task on images of {} was not measured: {}.", null_letter(domain),
                           of.at("why").get<std::string>());
    out.needed = "a null task that trains to its end";
    return out;
  }
  const Json& directions = of.at("directions");
  for (const Json& d : directions)
    if (is_null_solution(d, thresholds) &&
        (null_fails_whole(d, thresholds) || null_fails_locally(d, thresholds)))
      return failed_null_task(d, domain, thresholds);
  for (const Json& d : directions)
    if (!is_null_solution(d, thresholds)) return unsolved_null_task(of, d, domain, thresholds);
  return passed_null_task(of, domain, thresholds);
}

std::vector<AuditFinding> judge_null_task(const Json& parts, const AuditThresholds& thresholds) {
  std::vector<AuditFinding> out;
  for (const Json& domain : parts.at(kNullPart).at("domains"))
    out.push_back(judge_null_domain(domain, thresholds));
  return out;
}

}  // namespace

AuditPart null_task_part() {
  return {
      kNullPart,
      "The null task",
      "The run's own networks and settings are trained once more, smaller, from one half of the images of "
      "A to the other half. Nothing has to be changed there. A training that changes the images all the "
      "same would change them between A and B too, where nobody can see it.",
      null_task_why_not,
      measure_null_task,
      judge_null_task};
}

}  // namespace torsor
