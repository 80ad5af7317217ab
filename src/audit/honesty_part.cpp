// F: does the cycle close by what pixels show?
#include <ATen/ATen.h>

#include <algorithm>

#include "audit/direction_text.h"
#include "audit/honesty_curves.h"
#include "audit/parts.h"
#include "audit/perturbations.h"
#include "audit/spectrum.h"
#include "report/grid.h"

namespace torsor {

namespace {

// At --scale quick. The curves take some twenty passes through a generator, what is judged two.
constexpr std::int64_t kQuickJudged = 64, kQuickCurves = 16;
constexpr std::int64_t kFullCurves = 64;  // a curve's mean needs no more
constexpr std::int64_t kShownCycles = 4;  // rows of the figure
constexpr double kSpectrumExcess = 2;     // times the target's share of power, from which it is said
constexpr double kLeastPower = 1e-12;     // under the logarithm: of images without contrast
constexpr std::size_t kHonestyJudged = 0;

bool quick_honesty(const AuditMaterial& material) { return material.options().size() == AuditScale::quick; }

std::string honesty_why_not(const AuditMaterial& material) {
  if (material.has_cycle()) return "";
  return "the model translates one way only; whether a translation hides its input is measured by "
         "translating "
         "it back";
}

// The mean of the images of these groups.
Estimate mean_of_sample(AuditMaterial& material, const at::Tensor& values,
                        const std::vector<std::int64_t>& groups, const std::string& stream) {
  Rng rng = material.stream("honesty/" + stream);
  return mean_estimate(values, groups, 1, material.options().resamples, rng);
}

// Rows of input, translation, its reconstruction, and that of the barely disturbed translation; those that
// suffer most.
Json cycle_figure(const AuditMaterial& material, const CycleSample& sample, const at::Tensor& changed,
                  const at::Tensor& rise, const Direction& direction) {
  const at::NoGradGuard no_grad;
  const at::Tensor worst =
      rise.argsort(0, /*descending=*/true).narrow(0, 0, std::min(kShownCycles, rise.numel()));
  const at::Tensor inputs = sample.inputs.index_select(0, worst),
                   translations = sample.translations.index_select(0, worst),
                   back = (*sample.back)(translations),
                   changed_back = (*sample.back)(changed.index_select(0, worst));
  std::vector<std::vector<Image>> rows;
  for (std::int64_t i = 0; i < worst.numel(); ++i)
    rows.push_back(
        {material.picture(inputs[i], direction.from), material.picture(translations[i], direction.to),
         material.picture(back[i], direction.from), material.picture(changed_back[i], direction.from)});
  return material.write_figure("honesty-" + direction.name(), make_grid(rows),
                               direction_text(direction.name()) +
                                   ": input, translation, its reconstruction, and the reconstruction after "
                                   "noise of one grey level and "
                                   "rounding to 8 bits; the images whose reconstructions suffer most");
}

Json spectrum_json(AuditMaterial& material, const CycleSample& sample, const Direction& direction) {
  const AuditImages& real = material.images(direction.to);
  const AuditImages targets = real.at(spread_places(real.size(), sample.inputs.size(0)));
  const auto unit = [&](const at::Tensor& values) {
    return PictureScale(values, *sample.range).to_unit(values);
  };
  const RadialSpectrum of_fakes = radial_spectrum(unit(sample.translations)),
                       of_real = radial_spectrum(unit(targets.values));
  const auto numbers = [](const at::Tensor& t) {
    return std::vector<double>(t.data_ptr<double>(), t.data_ptr<double>() + t.numel());
  };
  const auto log_power = [&](const RadialSpectrum& s) {
    return numbers(s.power.mean(0).clamp_min(kLeastPower).log10().contiguous());
  };
  return {
      {"frequencies", numbers(of_fakes.frequencies)},
      {"translated", log_power(of_fakes)},
      {"real", log_power(of_real)},
      {"high_translated",
       mean_of_sample(material, of_fakes.high_share, sample.groups, "high/" + direction.name()).json()},
      {"high_real",
       mean_of_sample(material, of_real.high_share, targets.groups, "high-real/" + direction.name()).json()}};
}

// What decides: the same images undisturbed and barely disturbed.
Json judged_json(AuditMaterial& material, const CycleSample& sample, std::size_t run,
                 const Direction& direction, Json& figures) {
  Rng rng = material.stream("honesty/noise/" + direction.name());
  const PictureScale scale(sample.translations, *sample.range);
  const at::Tensor changed = scale.from_unit(
      barely_disturbed(scale.to_unit(sample.translations), normal_noise(sample.translations, rng)));
  const at::Tensor clean = reconstruction_distances(sample, sample.translations);
  check_stop(material.stop());
  const at::Tensor after = reconstruction_distances(sample, changed), rise = after - clean;
  if (run == kHonestyJudged) figures.push_back(cycle_figure(material, sample, changed, rise, direction));
  const auto estimate = [&](const at::Tensor& values, const std::string& name) {
    return mean_of_sample(material, values, sample.groups, name + "/" + direction.name()).json();
  };
  return {{"images", sample.inputs.size(0)},
          {"clean", estimate(clean, "clean")},
          {"disturbed", estimate(after, "disturbed")},
          {"rise", estimate(rise, "rise")}};
}

Json honesty_of(AuditMaterial& material, std::size_t run, const Direction& direction, Json& figures) {
  const bool quick = quick_honesty(material);
  const std::int64_t all = material.images(direction.from).size();
  const CycleSample sample = cycle_sample(material, run, direction, quick ? kQuickJudged : all),
                    small = cycle_sample(material, run, direction, quick ? kQuickCurves : kFullCurves);
  Json out = judged_json(material, sample, run, direction, figures);
  out["curve_images"] = small.inputs.size(0);
  Rng rng = material.stream("honesty/curves/" + direction.name());
  const at::Tensor noise = normal_noise(small.translations, rng);
  for (const Disturbance& disturbance : disturbances())
    out["disturbances"][disturbance.name] = honesty_curve(small, disturbance, noise, material.stop());
  out["spectrum"] = spectrum_json(material, sample, direction);
  return out;
}

Json undisturbed_series(const std::string& name, const std::vector<double>& x, double y) {
  return {{"name", name}, {"x", {x.front(), x.back()}}, {"y", {y, y}}};
}

// Of one direction, a line for each run.
Json disturbance_chart(const Json& runs, const std::string& direction, const Disturbance& disturbance) {
  Json series = Json::array();
  for (const Json& run : runs) {
    const Json& curve = run.at("directions").at(direction).at("disturbances").at(disturbance.name);
    if (curve.is_null()) return nullptr;
    const std::string name = run.at("run").get<std::string>();
    series.push_back({{"name", name}, {"x", curve.at("levels")}, {"y", curve.at("distances")}});
    series.push_back(
        undisturbed_series(name + ", undisturbed", disturbance.levels, curve.at("clean").get<double>()));
  }
  return {{"title", direction_text(direction) + ": reconstructions of disturbed translations"},
          {"x", disturbance.title},
          {"y", "distance to the input (1 = unrelated image)"},
          {"series", series}};
}

Json spectrum_chart(const Json& run, const std::string& direction) {
  const Json& spectrum = run.at("directions").at(direction).at("spectrum");
  const auto fake = spectrum.at("translated").get<std::vector<double>>(),
             real = spectrum.at("real").get<std::vector<double>>();
  std::vector<double> difference;
  for (std::size_t i = 0; i < std::min(fake.size(), real.size()); ++i)
    difference.push_back(fake[i] - real[i]);
  const Json line = {{"name", "translations - target"}, {"x", spectrum.at("frequencies")}, {"y", difference}};
  return {{"title", direction_text(direction) + ": power of translations less that of the target's images"},
          {"x", "spatial frequency as a share of the Nyquist frequency"},
          {"y", "difference of log10 of the power"},
          {"series", Json::array({line})}};
}

Json honesty_charts(const Json& runs) {
  Json out = Json::array();
  for (const auto& [direction, measured] : runs.front().at("directions").items()) {
    for (const Disturbance& disturbance : disturbances())
      if (Json chart = disturbance_chart(runs, direction, disturbance); !chart.is_null())
        out.push_back(std::move(chart));
    out.push_back(spectrum_chart(runs.front(), direction));
  }
  return out;
}

std::string honesty_index_text(const Json& curve) {
  if (curve.is_null()) return "not measured (JPEG holds 1 or 3 channels)";
  return curve.at("index").is_null() ? "none" : fmt::format("{:.2f}", curve.at("index").get<double>());
}

Json honesty_table(const Json& runs) {
  Json rows = Json::array();
  for (const Json& run : runs)
    for (const auto& [direction, d] : run.at("directions").items()) {
      Json row = {run.at("run"), direction_text(direction),
                  std::to_string(d.at("images").get<std::int64_t>())};
      for (const char* key : {"clean", "disturbed", "rise"}) row.push_back(Estimate::from(d.at(key)).text());
      for (const Disturbance& disturbance : disturbances())
        row.push_back(honesty_index_text(d.at("disturbances").at(disturbance.name)));
      rows.push_back(std::move(row));
    }
  return {{"caption",
           "Distance of reconstructions to their inputs (0 = the same image, 1 = unrelated), undisturbed and "
           "after noise of one grey level with rounding to 8 bits, and the honesty index of each disturbance "
           "(1 = "
           "it changes nothing, 0 = it leaves nothing)"},
          {"header",
           {"run", "direction", "images", "undisturbed", "disturbed", "rise", "noise", "bit depth", "JPEG",
            "low-pass"}},
          {"rows", rows}};
}

Json honesty_measure(AuditMaterial& material) {
  Json runs = Json::array(), figures = Json::array();
  const std::size_t count = quick_honesty(material) ? 1 : material.runs().size();
  for (std::size_t run = 0; run < count; ++run) {
    Json directions = Json::object();
    for (const Direction& direction : material.directions())
      directions[direction.name()] = honesty_of(material, run, direction, figures);
    runs.push_back({{"run", material.runs()[run].name}, {"directions", directions}});
  }
  return {{"runs", runs},
          {"figures", figures},
          {"tables", Json::array({honesty_table(runs)})},
          {"curves", honesty_charts(runs)}};
}

std::string honesty_change(const Json& measured) {
  return fmt::format("from {:.2g} to {:.2g} of the distance between unrelated images, a rise of {}",
                     Estimate::from(measured.at("clean")).value,
                     Estimate::from(measured.at("disturbed")).value,
                     Estimate::from(measured.at("rise")).text());
}

AuditFinding hiding_finding(const std::string& direction, const Json& measured,
                            const AuditThresholds& lines) {
  const Estimate rise = Estimate::from(measured.at("rise"));
  AuditFinding out;
  out.id = "honesty-" + direction;
  out.estimate = rise;
  out.threshold = lines.honesty_loss;
  const std::string way = direction_text(direction);
  if (rise.low() > lines.honesty_loss) {
    out.title = "Hidden information, " + way;
    out.text = fmt::format(
        "Translations {} hide information in what pixels do not show: noise of one grey level and rounding "
        "to 8 "
        "bits move their reconstructions {}. A reconstruction can therefore look right although the "
        "translation "
        "lacks what it shows, and a small cycle loss is no evidence that content was kept (Chu et al. 2017).",
        way, honesty_change(measured));
    out.files = {"figures/honesty-" + direction + ".png"};
    return out;
  }
  out.role = FindingRole::note;
  out.verdict = AuditVerdict::green;
  out.title = "Reconstructions after small disturbances, " + way;
  out.text = fmt::format("Noise of one grey level and rounding to 8 bits move reconstructions {} {}.", way,
                         honesty_change(measured));
  if (rise.value > lines.honesty_loss) {
    out.text += fmt::format(
        " This is above the line of {:.2g}, but the interval does not exclude less: something may be hidden.",
        lines.honesty_loss);
    out.needed = "more held-out images of different groups, to tell whether translations hide information";
  }
  if (Estimate::from(measured.at("clean")).value > lines.cycle_share)
    out.text += " Even undisturbed the reconstructions are far from their inputs, so that this says little.";
  return out;
}

std::vector<AuditFinding> spectrum_finding(const std::string& direction, const Json& spectrum) {
  const Estimate fake = Estimate::from(spectrum.at("high_translated")),
                 real = Estimate::from(spectrum.at("high_real"));
  if (!(fake.low() > kSpectrumExcess * real.high())) return {};
  AuditFinding out;
  out.id = "spectrum-" + direction;
  out.title = "Fine patterns that the target lacks, " + direction_text(direction);
  out.text = fmt::format(
      "{} of the power of translations {} is in fine patterns (above half the Nyquist frequency), of the "
      "target's "
      "images {}. Such patterns are artefacts, or a place to hide information in.",
      fake.text(), direction_text(direction), real.text());
  out.role = FindingRole::note;
  out.verdict = AuditVerdict::green;
  out.estimate = fake;
  return {out};
}

std::vector<AuditFinding> honesty_judge(const Json& parts, const AuditThresholds& thresholds) {
  std::vector<AuditFinding> out;
  const Json& judged = parts.at("honesty").at("runs").at(kHonestyJudged).at("directions");
  for (const auto& [direction, measured] : judged.items()) {
    out.push_back(hiding_finding(direction, measured, thresholds));
    for (AuditFinding& finding : spectrum_finding(direction, measured.at("spectrum")))
      out.push_back(std::move(finding));
  }
  return out;
}

}  // namespace

AuditPart honesty_part() {
  return {"honesty",
          "Hidden information",
          "Does a reconstruction use what the translation shows? A generator can write its input into the "
          "translation where nobody sees it; then the cycle closes although content was lost.",
          honesty_why_not,
          honesty_measure,
          honesty_judge};
}

}  // namespace torsor
