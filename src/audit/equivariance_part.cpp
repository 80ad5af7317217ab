// E: does a translation move with its image?
#include <ATen/ATen.h>

#include <algorithm>
#include <array>

#include "audit/image_distances.h"
#include "audit/parts.h"
#include "audit/shown_examples.h"
#include "audit/symmetries.h"
#include "audit/symmetry_figures.h"
#include "core/error.h"
#include "report/grid.h"

namespace torsor {

namespace {

constexpr std::int64_t kQuickMoved = 32;  // images that are moved and translated at --scale quick
constexpr std::int64_t kRegions = 3;      // per side

std::vector<Symmetry> motions(const AuditMaterial& material) {
  AuditOptions options;
  options.symmetries = "auto";
  std::vector<Symmetry> out;
  for (Symmetry& each : symmetries_for(options, material.images("a"), material.out()))
    for (const char* name : {"hflip", "vflip", "shift-x", "shift-y", "rot90"})
      if (each.name == name) out.push_back(std::move(each));
  return out;
}

// "in the upper left", of a map [H,W].
std::string gap_region(const at::Tensor& map) {
  static const std::array<const char*, kRegions> rows = {"upper", "middle", "lower"},
                                                 columns = {"left", "centre", "right"};
  const std::int64_t place = at::adaptive_avg_pool2d(map.unsqueeze(0).unsqueeze(0), {kRegions, kRegions})
                                 .argmax()
                                 .item<std::int64_t>();
  const std::string row = rows[static_cast<std::size_t>(place / kRegions)],
                    column = columns[static_cast<std::size_t>(place % kRegions)];
  return row == "middle" && column == "centre" ? "in the centre" : fmt::format("in the {} {}", row, column);
}

// One direction's images, their translations, and those of the moved images moved back.
struct MovedTranslations {
  at::Tensor inputs, plain, returned;
};

class Equivariance {
 public:
  Equivariance(AuditMaterial& material, const Direction& direction)
      : material_(material), direction_(direction) {
    const AuditImages& images = material.images(direction.from);
    const bool quick = material.options().size() == AuditScale::quick;
    const std::int64_t taken = quick ? std::min(kQuickMoved, images.size()) : images.size();
    for (std::int64_t i = 0; i < taken; ++i) places_.push_back(i * images.size() / taken);
    const at::Tensor rows = at::tensor(places_, at::kLong);
    inputs_ = images.values.index_select(0, rows);
    plain_ = material.translated(0, direction).index_select(0, rows);
  }

  MovedTranslations moved(const Symmetry& phi) const {
    check_stop(material_.stop());
    const at::NoGradGuard no_grad;
    return {inputs_, plain_, phi.inverse(material_.subject().generator(direction_)(phi.map(inputs_)))};
  }

  Json gap(const Symmetry& phi) {
    const MovedTranslations both = moved(phi);
    const ImageDistances apart = image_distances(both.returned, both.plain);
    const MeanDistances& unrelated = material_.unrelated(direction_.to);
    const auto groups = material_.images(direction_.from).at(places_).groups;
    Rng rng = material_.stream("equivariance/" + direction_.name() + "/" + phi.name);
    const std::int64_t resamples = material_.options().resamples;
    const at::Tensor map =
        (both.returned - both.plain).to(at::kDouble).abs().mean(at::IntArrayRef({0, 1}));  // [H,W]
    return {{"direction", direction_.name()},
            {"name", phi.name},
            {"text", phi.text},
            {"images", std::ssize(places_)},
            {"whole", mean_estimate(apart.whole, groups, unrelated.whole, resamples, rng).json()},
            {"worst", mean_estimate(apart.worst, groups, unrelated.worst, resamples, rng).json()},
            {"region", gap_region(map)}};
  }

 private:
  AuditMaterial& material_;
  Direction direction_;
  std::vector<std::int64_t> places_;
  at::Tensor inputs_, plain_;
};

// [H,W] of 0 to 1 as a grey picture.
Image gap_picture(const at::Tensor& shares) {
  return to_image((2 * shares.clamp(0, 1) - 1).to(at::kFloat).expand({3, -1, -1}).contiguous());
}

Json gap_figure(AuditMaterial& material, const Json& gap, const Symmetry& phi) {
  const Direction direction = gap.at("direction") == kAToB.name() ? kAToB : kBToA;
  const MovedTranslations both = Equivariance(material, direction).moved(phi);
  const at::Tensor apart = (both.returned - both.plain).abs().mean(1);  // [N,H,W]
  const double white = material.unrelated(direction.to).whole;
  std::vector<std::vector<Image>> rows(4);
  for (const std::int64_t i : worst_and_median(apart.to(at::kDouble).mean(at::IntArrayRef({1, 2})))) {
    rows[0].push_back(material.picture(both.inputs[i], direction.from));
    rows[1].push_back(material.picture(both.plain[i], direction.to));
    rows[2].push_back(material.picture(both.returned[i], direction.to));
    rows[3].push_back(gap_picture(apart[i] / white));
  }
  return material.write_figure(
      "equivariance", make_grid(rows),
      fmt::format(
          "From above: inputs ({}), their translations, those of the inputs {} moved back, and where the two "
          "differ (white = as much as unrelated images). Left the images that differ most, right those in "
          "the middle.",
          direction.from == "a" ? "A" : "B", phi.text));
}

double gap_value(const Json& gap) { return gap.at("whole").at("value").get<double>(); }

std::string why_no_equivariance(const AuditMaterial& material) {
  return material.images("a").values.sizes().slice(2).equals(material.images("b").values.sizes().slice(2))
             ? ""
             : "the images of A and B differ in size";
}

Json gap_table(const Json& gaps) {
  Json rows = Json::array();
  for (const Json& gap : gaps)
    rows.push_back({gap.at("direction") == kAToB.name() ? "A→B" : "B→A", gap.at("text"),
                    Estimate::from(gap.at("whole")).text(), Estimate::from(gap.at("worst")).text(),
                    gap.at("region")});
  return {{"caption",
           "How far the translation of a moved image is from the moved translation: 0 = they are equal, 1 = "
           "as far "
           "as unrelated images. Shifts are circular, so that images meet their other side at the border."},
          {"header", {"direction", "images", "gap", "in the worst patch", "largest"}},
          {"rows", rows}};
}

Json measure_equivariance(AuditMaterial& material) {
  const std::vector<Symmetry> all = motions(material);
  Json gaps = Json::array();
  for (const Direction& direction : {kAToB, kBToA}) {
    if (!material.subject().has(direction)) continue;
    Equivariance of(material, direction);
    for (const Symmetry& phi : all) gaps.push_back(of.gap(phi));
  }
  const auto largest = std::max_element(
      gaps.begin(), gaps.end(), [](const Json& p, const Json& q) { return gap_value(p) < gap_value(q); });
  const auto phi = std::find_if(all.begin(), all.end(),
                                [&](const Symmetry& each) { return largest->at("name") == each.name; });
  Json out = {{"figures", Json::array({gap_figure(material, *largest, *phi)})},
              {"tables", Json::array({gap_table(gaps)})}};
  out["gaps"] = std::move(gaps);
  return out;
}

// Mirrored and shifted images are as good as the originals for most uses; that a quarter turn is not is no
// news.
bool should_commute(const Json& gap) {
  const std::string name = gap.at("name");
  return name == "hflip" || name == "shift-x" || name == "shift-y";
}

AuditFinding finding_of_gap(const Json& gap, const AuditThresholds& thresholds) {
  const Estimate whole = Estimate::from(gap.at("whole"));
  AuditFinding out;
  out.id = fmt::format("equivariance-{}-{}", gap.at("name").get<std::string>(),
                       gap.at("direction").get<std::string>());
  out.title = "Translations depend on where things lie";
  out.role = FindingRole::note;
  out.verdict = AuditVerdict::green;
  out.estimate = whole;
  out.threshold = thresholds.matters;
  out.files = {"figures/equivariance.png"};
  out.text = fmt::format(
      "{}: when an image is {}, its translation is not just moved likewise but differs by {} (0 = "
      "the same, 1 = as far as an unrelated image), most {}. Details there depend on the place "
      "in the image; this is instability and no ambiguity of the data.",
      gap.at("direction") == kAToB.name() ? "A to B" : "B to A", gap.at("text").get<std::string>(),
      whole.text(), gap.at("region").get<std::string>());
  return out;
}

std::vector<AuditFinding> judge_equivariance(const Json& parts, const AuditThresholds& thresholds) {
  std::vector<AuditFinding> out;
  const Json* largest = nullptr;
  for (const Json& gap : parts.at("equivariance").at("gaps")) {
    if (!should_commute(gap)) continue;
    if (Estimate::from(gap.at("whole")).low() > thresholds.matters)
      out.push_back(finding_of_gap(gap, thresholds));
    if (largest == nullptr || gap_value(gap) > gap_value(*largest)) largest = &gap;
  }
  if (!out.empty() || largest == nullptr) return out;
  AuditFinding fine;
  fine.id = "equivariance";
  fine.title = "Translations move with their images";
  fine.role = FindingRole::note;
  fine.verdict = AuditVerdict::green;
  fine.estimate = Estimate::from(largest->at("whole"));
  fine.threshold = thresholds.matters;
  fine.text = fmt::format(
      "Mirrored and shifted images get mirrored and shifted translations: the largest gap is {} "
      "(0 = none, 1 = as far as an unrelated image; the line is {:g}).",
      fine.estimate->text(), thresholds.matters);
  return {fine};
}

}  // namespace

AuditPart equivariance_part() {
  return {"equivariance",
          "Do translations move with their images?",
          "An image that is mirrored or shifted shows the same things, so its translation should be the "
          "mirrored or "
          "shifted one. Where it is not, the translation depends on where in the image something lies.",
          why_no_equivariance,
          measure_equivariance,
          judge_equivariance};
}

}  // namespace torsor
