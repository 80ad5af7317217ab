// Which pair to acquire: the images on which the rivals that are left differ most from the run.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "audit/paired_test.h"
#include "audit/parts.h"
#include "audit/rivals.h"
#include "core/error.h"

namespace torsor {

namespace {

constexpr std::int64_t kMostCandidates = 512;  // images of a domain: each is written with its numbers
constexpr std::size_t kRankedImages = 10;

std::string acquire_why_not(const AuditMaterial&) { return ""; }

double rounded_disagreement(double share) { return std::round(share * 1e4) / 1e4; }

// The symmetries of the other domain move translations without another pass, and those of this one do so in
// the other direction; a model of one direction has to translate for them.
bool is_ranked_here(const AuditMaterial& material, const RivalAnswer& rival) {
  if (rival.id.starts_with("run:")) return true;
  if (!rival.id.starts_with("symmetry:")) return false;
  return !rival.translates || !material.has_cycle();
}

Json disagreements(AuditMaterial& material, const Direction& direction) {
  const std::int64_t most = material.options().size() == AuditScale::quick ? 128 : kMostCandidates;
  const AuditImages images = material.images(direction.from).first(most);
  const at::Tensor made = material.translated(0, direction).narrow(0, 0, images.size());
  const MeanDistances& unrelated = material.unrelated(direction.to);
  Json rivals = Json::array();
  for (const RivalAnswer& rival : rival_answers(material, direction)) {
    if (!is_ranked_here(material, rival)) continue;
    check_stop(material.stop());
    const at::Tensor apart = image_distances(rival.answer(images.values, made), made).whole / unrelated.whole;
    Json values = Json::array();
    for (std::int64_t i = 0; i < apart.numel(); ++i)
      values.push_back(rounded_disagreement(apart[i].item<double>()));
    rivals.push_back({{"id", rival.id},
                      {"text", rival.text},
                      {"displacement", apart.mean().item<double>()},
                      {"disagreement", values}});
  }
  return {{"names", images.names}, {"rivals", rivals}};
}

struct RankedImage {
  std::string domain, name;
  double disagreement = 0;  // mean over the rivals that are left
};

// Whether pairs are still needed to rule this rival out.
bool rival_is_left(const Json& rival, const std::vector<std::string>& gone, const AuditThresholds& t) {
  const bool matters = rival.at("displacement").get<double>() >= t.matters;
  return matters && std::find(gone.begin(), gone.end(), rival.at("id").get<std::string>()) == gone.end();
}

std::vector<RankedImage> ranked_images(const Json& domains, const std::vector<std::string>& gone,
                                       const AuditThresholds& thresholds) {
  std::vector<RankedImage> out;
  for (const auto& [domain, of] : domains.items()) {
    const std::size_t n = of.at("names").size();
    std::vector<double> sums(n, 0);
    double rivals = 0;
    for (const Json& rival : of.at("rivals")) {
      if (!rival_is_left(rival, gone, thresholds)) continue;
      ++rivals;
      for (std::size_t i = 0; i < n; ++i) sums[i] += rival.at("disagreement").at(i).get<double>();
    }
    for (std::size_t i = 0; i < n && rivals > 0; ++i)
      out.push_back({domain, of.at("names").at(i), sums[i] / rivals});
  }
  std::stable_sort(out.begin(), out.end(), [](const RankedImage& x, const RankedImage& y) {
    return x.disagreement > y.disagreement;
  });
  out.resize(std::min(kRankedImages, out.size()));
  return out;
}

std::vector<std::string> rivals_left(const Json& domains, const std::vector<std::string>& gone,
                                     const AuditThresholds& thresholds) {
  std::vector<std::string> out;
  for (const auto& [domain, of] : domains.items())
    for (const Json& rival : of.at("rivals")) {
      const std::string id = rival.at("id");
      if (rival_is_left(rival, gone, thresholds) && std::find(out.begin(), out.end(), id) == out.end())
        out.push_back(id);
    }
  return out;
}

Json measure_acquire(AuditMaterial& material) {
  Json domains = Json::object();
  for (const Direction& direction : material.directions())
    domains[direction.from] = disagreements(material, direction);
  Json rows = Json::array();
  for (const RankedImage& image : ranked_images(domains, {}, material.options().thresholds))
    rows.push_back({image.domain, image.name, fmt::format("{:.3f}", image.disagreement)});
  Json out = {{"domains", domains}, {"tables", Json::array()}};
  if (!rows.empty())
    out["tables"].push_back(
        {{"caption",
          "The images on which this run and its rivals differ most, before any is ruled out: the mean "
          "distance "
          "of their answers (0 = the same image, 1 = an unrelated one). A true counterpart of one of them "
          "tells most."},
         {"header", {"domain", "image", "distance"}},
         {"rows", rows}});
  return out;
}

std::vector<AuditFinding> judge_acquire(const Json& parts, const AuditThresholds& thresholds) {
  const Json& domains = parts.at("acquire").at("domains");
  std::vector<std::string> gone = excluded_rivals(parts);
  if (parts.contains("anchors"))
    for (const Json& id : parts.at("anchors").at("beaten")) gone.push_back(id);
  const std::vector<std::string> left = rivals_left(domains, gone, thresholds);
  AuditFinding out;
  out.id = "acquire";
  out.role = FindingRole::note;
  out.title = "which pair to acquire";
  if (left.empty()) {
    out.verdict = AuditVerdict::green;
    out.text = "No other answer that this audit knows is left for pairs to rule out.";
    return {out};
  }
  const std::int64_t pairs = pairs_for_rivals(2 * std::ssize(left));
  std::vector<std::string> names;
  for (const RankedImage& image : ranked_images(domains, gone, thresholds))
    names.push_back(fmt::format("{} ({})", printable(image.name), upper(image.domain)));
  out.text = fmt::format(
      "{} other answers are left. The true counterparts of at least {} images, from different patients, "
      "clips "
      "or originals, are needed to tell this run from all of them. The answers differ most on these images: "
      "{}.",
      left.size(), pairs, join(names));
  return {out};
}

}  // namespace

AuditPart acquire_part() {
  return {
      "acquire",
      "Which pair to acquire",
      "A pair tells most where the answers that are still possible differ most. These are the images whose "
      "true counterpart is worth the effort.",
      acquire_why_not,
      measure_acquire,
      judge_acquire,
      LineUse::measuring};
}

}  // namespace torsor
