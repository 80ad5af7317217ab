// The page of torsor doctor.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "core/version.h"
#include "data/sample_scale.h"
#include "data/unpaired.h"
#include "doctor/checks.h"
#include "doctor/diagnosis.h"
#include "image/convert.h"
#include "image/resize.h"
#include "report/grid.h"

namespace torsor {

namespace {

constexpr std::int64_t kCell = 128;  // pixels a side
constexpr std::size_t kInARow = 6, kOfASet = 12, kOfAFinding = 6;

// The image in the middle of a square of the page's grey.
Image in_a_square(const Image& image) {
  const double scale = static_cast<double>(kCell) / static_cast<double>(std::max(image.width, image.height));
  const auto scaled = [&](std::int64_t side) {
    return std::clamp<std::int64_t>(std::llround(static_cast<double>(side) * scale), 1, kCell);
  };
  const Image small = resize_bilinear(image, scaled(image.width), scaled(image.height));
  Image out = Image::blank(kCell, kCell, 3);
  std::fill(out.bytes.begin(), out.bytes.end(), std::uint8_t{128});
  const std::int64_t left = (kCell - small.width) / 2, top = (kCell - small.height) / 2;
  for (std::int64_t y = 0; y < small.height; ++y)
    std::copy_n(small.u8() + y * small.width * 3, small.width * 3, out.u8() + ((top + y) * kCell + left) * 3);
  return out;
}

Image grey_of_first(const Image& image) {
  Image out = Image::blank(image.width, image.height, 1);
  for (std::int64_t i = 0; i < out.samples(); ++i) out.u8()[i] = image.u8()[i * image.channels];
  return out;
}

// As a training sees it.
Image thumbnail(const SurveyedSet& set, const Image& stored, const std::string& file) {
  std::string note;
  const std::int64_t channels = stored.colours();
  const PreparedImage ready =
      prepare_without_alpha(stored, channels, SampleScale("white", set.range), note, file);
  const Image image = to_preview(ready.image, ready.range);
  return in_a_square(with_channels(channels == 1 || channels == 3 ? image : grey_of_first(image), 3));
}

std::vector<Image> thumbnails(const Survey& survey, const std::vector<ImagePlace>& places) {
  std::vector<Image> out;
  for (const ImagePlace& place : places) {
    const SurveyedSet& set = survey.sets[place.set];
    if (set.images[place.image].is_usable())
      out.push_back(
          thumbnail(set, set.source->read(static_cast<std::int64_t>(place.image)), file_of(survey, place)));
  }
  return out;
}

std::vector<std::vector<Image>> rows_of(const std::vector<Image>& images, std::size_t columns) {
  std::vector<std::vector<Image>> rows;
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (i % columns == 0) rows.emplace_back();
    rows.back().push_back(images[i]);
  }
  return rows;
}

void show_images_of(const Survey& survey, const std::vector<ImagePlace>& places, const std::string& caption,
                    HtmlPage& page) {
  const std::vector<Image> images = thumbnails(survey, places);
  if (!images.empty()) page.figure({make_grid(rows_of(images, kInARow)), caption});
}

void show_findings(const Diagnosis& diagnosis, HtmlPage& page) {
  page.heading("Findings");
  if (diagnosis.warnings() == 0)
    page.callout(Callout::pass, "Nothing to repair", "No check has a warning for these images.");
  for (const ImageFinding& finding : diagnosis.findings) {
    if (finding.level != Level::warning) continue;
    page.callout(Callout::warning, finding.id, finding.text);
    std::vector<ImagePlace> shown = finding.places;
    if (shown.size() > kOfAFinding) shown.resize(kOfAFinding);
    show_images_of(diagnosis.survey, shown,
                   fmt::format("{}: {}", finding.id, names_of(diagnosis.survey, shown)), page);
  }
  std::vector<std::string> notes;
  for (const ImageFinding& finding : diagnosis.findings)
    if (finding.level == Level::info) notes.push_back(finding.text);
  if (notes.empty()) return;
  page.subheading("Good to know");
  page.list(notes);
}

void show_comparison(const DomainComparison& comparison, HtmlPage& page) {
  page.heading("A against B");
  page.paragraph(fmt::format(
      "Features of {} images of A and {} of B. The difference is in standard deviations within the domains; "
      "the last column is how often an image of B has more than one of A: 50 % means that the feature does "
      "not tell them apart, and {:.0f} % above or below that may be chance.",
      comparison.images_a, comparison.images_b, 100 * comparison.chance));
  Table table{{"feature", "A", "B", "difference", "B has more"}, {}, ""};
  for (const FeatureComparison& f : comparison.features)
    table.rows.push_back({f.label, fmt::format("{:.3f}", f.mean_a), fmt::format("{:.3f}", f.mean_b),
                          fmt::format("{:+.2f}", f.difference), fmt::format("{:.0f} %", 100 * f.above)});
  page.table(table);
}

void show_costs(const Diagnosis& diagnosis, HtmlPage& page) {
  if (diagnosis.costs.empty()) return;
  page.heading("Time and memory on this machine");
  Table table{{"preset", "pixels", "seconds a step", "steps", "in all", "memory"}, {}, ""};
  for (const PresetCost& cost : diagnosis.costs)
    table.rows.push_back({cost.name, fmt::format("{}", cost.crop), fmt::format("{:.2g}", cost.seconds_a_step),
                          with_thousands(cost.steps), human_duration(cost.seconds()),
                          human_bytes(cost.bytes) + (cost.fits ? "" : ", more than " + cost.bound)});
  page.table(table);
}

void show_checks(HtmlPage& page) {
  page.heading("What was looked for");
  Table table{{"check", "what it finds"}, {}, ""};
  for (const std::string& name : doctor_checks().names())
    table.rows.push_back({name, doctor_checks().at(name).help});
  page.table(table);
}

void show_contact_sheet(const Survey& survey, HtmlPage& page) {
  page.heading("Contact sheet");
  for (std::size_t s = 0; s < survey.sets.size(); ++s) {
    const SurveyedSet& set = survey.sets[s];
    const std::size_t count = std::min(kOfASet, set.images.size());
    std::vector<ImagePlace> shown;  // evenly spaced
    for (std::size_t i = 0; i < count; ++i) shown.push_back({s, i * set.images.size() / count});
    show_images_of(survey, shown, set_text(set), page);
  }
}

}  // namespace

HtmlPage doctor_page(const Diagnosis& diagnosis, const std::string& command) {
  const std::size_t warnings = diagnosis.warnings();
  HtmlPage page("Images to train on",
                warnings == 0 ? "Nothing in these images needs repair before a training."
                              : fmt::format("{} to look at before a training with these images.",
                                            count_text(warnings, "warning")),
                "torsor " + torsor_version());
  std::vector<std::string> sets;
  for (const SurveyedSet& set : diagnosis.survey.sets) sets.push_back(set_text(set));
  page.list(sets);
  page.heading("Suggested command");
  page.command(diagnosis.command);
  show_findings(diagnosis, page);
  show_contact_sheet(diagnosis.survey, page);
  if (diagnosis.comparison) show_comparison(*diagnosis.comparison, page);
  show_costs(diagnosis, page);
  show_checks(page);
  page.heading("Command");
  page.command(command);
  return page;
}

}  // namespace torsor
