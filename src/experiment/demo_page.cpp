#include "experiment/demo_page.h"

#include <fmt/format.h>

#include "core/files.h"
#include "core/text.h"
#include "image/codec.h"
#include "report/chart_view.h"
#include "report/grid.h"
#include "report/html.h"
#include "runs/run_charts.h"
#include "runs/run_settings.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

std::string percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

std::string degrees(const std::optional<double>& value) {
  return value ? fmt::format("{:.0f}°", *value) : std::string("no object");
}

std::string domain_name(const Lesson& lesson, const std::string& direction) {
  const auto dash = lesson.task.find('-');
  const std::string a = lesson.task.substr(0, dash), b = lesson.task.substr(dash + 1);
  return direction == "a_to_b" ? a + " → " + b : b + " → " + a;
}

std::string picture_name(const LessonResult& result, const DirectionResult& d) {
  return result.lesson.name + "-" + d.direction + ".png";
}

using Results = std::vector<const LessonResult*>;

std::string identity_words(const LessonResult& r) {
  return r.lesson.hue == HueClaim::kept ? "with identity loss" : "without identity loss";
}

std::string training_note(const LessonResult& r) {
  return fmt::format("{} steps in {}", with_thousands(r.steps), human_duration(r.train_seconds));
}

std::string images_note(const LessonResult& r) {
  return fmt::format("{} held-out images in each direction", r.directions.front().score.count);
}

// Names of the numbers and, beside each other, those of one or several trainings or directions: few columns,
// which a phone has room for.
struct Columns {
  Table table{{""}, {}, ""};

  explicit Columns(const std::vector<std::string>& names) {
    for (const std::string& name : names) table.rows.push_back({name});
  }
  void add(const std::string& title, const std::vector<std::string>& cells) {
    table.header.push_back(title);
    for (std::size_t i = 0; i < table.rows.size(); ++i) table.rows[i].push_back(cells.at(i));
  }
};

const std::vector<std::string> kShares = {"correct", "shape", "position", "background"};
const std::vector<std::string> kSharesAndHues = {"correct",    "shape",     "position",
                                                 "background", "hue error", "hue error after cycle"};

std::vector<std::string> shares(const DirectionResult& d) {
  return {percent(d.score.pass), percent(d.score.shape), percent(d.score.position),
          percent(d.score.background)};
}

std::vector<std::string> shares_and_hues(const DirectionResult& d) {
  std::vector<std::string> cells = shares(d);
  cells.push_back(degrees(d.score.hue_error));
  cells.push_back(degrees(d.cycle_hue_error));
  return cells;
}

// The scores of a lesson about the shape alone.
Table score_table(const LessonResult& r) {
  Columns columns(kShares);
  for (const DirectionResult& d : r.directions) columns.add(domain_name(r.lesson, d.direction), shares(d));
  columns.table.caption = "Scores of " + images_note(r);
  return columns.table;
}

// The scores of trainings that differ in the identity loss, in one direction.
Table color_table(const Results& results, std::size_t direction) {
  Columns columns(kSharesAndHues);
  for (const LessonResult* r : results)
    columns.add(identity_words(*r), shares_and_hues(r->directions[direction]));
  const LessonResult& first = *results.front();
  columns.table.caption = domain_name(first.lesson, first.directions[direction].direction);
  return columns.table;
}

std::string loss_text(double loss) { return fmt::format("{:.2f}", loss); }
std::string cycle_text(const LessonResult& r) { return fmt::format("{:.1f} %", 100 * r.losses.cycle); }

Table loss_table(const Results& results) {
  Columns columns({"cycle loss", "generator loss", "discriminator loss"});
  for (const LessonResult* r : results)
    columns.add(results.size() > 1 ? identity_words(*r) : "",
                {cycle_text(*r), loss_text(r->losses.generators), loss_text(r->losses.discriminators)});
  columns.table.caption =
      "Losses at the end: means over the last tenth of the steps and both directions. Cycle loss: the mean "
      "absolute difference between an image and its reconstruction (translated back), in per cent of the "
      "range of pixel values. Generator and discriminator loss: 0.25 each when the discriminator cannot tell "
      "translations from images.";
  return columns.table;
}

LineChart cycle_chart(const Results& results) {
  LineChart chart;
  chart.title = "Cycle loss, % of the range";
  chart.x.label = "step";
  chart.y.low = 0;
  chart.width = 450;  // half a page
  chart.plot_height = 210;
  for (const LessonResult* r : results) {
    ScalarSeries series = r->losses.cycle_by_step;
    for (double& value : series.values) value *= 100;
    chart.series.push_back(averaged_line(series, identity_words(*r), default_span(series)));
  }
  return chart;
}

// What came out, whether it is what was to be shown or not.
std::string verdict(const LessonResult& r) {
  if (!r.translates())
    return fmt::format(
        "This training did not learn the translation: fewer than {} of the held-out images are correct in "
        "at least one direction. What this page says about a trained model does not hold for it.",
        percent(kMinPassShare));
  const DirectionResult& d = r.directions.front();
  switch (r.lesson.hue) {
    case HueClaim::none:
      return fmt::format("At least {} of the held-out images are translated correctly in both directions.",
                         percent(kMinPassShare));
    case HueClaim::permuted:
      return r.hue_as_claimed()
                 ? fmt::format(
                       "The shapes are correct and the hues are wrong: they are {} off on average after the "
                       "translation and {} after the cycle. The cycle loss does not show it: the "
                       "reconstructions differ from their inputs by {} of the range on average.",
                       degrees(d.score.hue_error), degrees(d.cycle_hue_error), cycle_text(r))
                 : fmt::format(
                       "The shapes are correct, but this training does not show permuted hues: they are {} "
                       "off after the translation and {} after the cycle. Its losses admit every "
                       "permutation, the correct hues among them. With another --seed it may converge to "
                       "another one.",
                       degrees(d.score.hue_error), degrees(d.cycle_hue_error));
    case HueClaim::kept:
      return r.hue_as_claimed()
                 ? fmt::format("Shapes and hues are correct: the hues are {} off on average.",
                               degrees(d.score.hue_error))
                 : fmt::format(
                       "The shapes are correct, but the identity loss did not keep the hues in this "
                       "training: they are {} off after the translation and {} after the cycle.",
                       degrees(d.score.hue_error), degrees(d.cycle_hue_error));
  }
  return "";
}

void add_verdict(HtmlPage& page, const LessonResult& r, const std::string& what) {
  const std::string outcome = r.passed() ? "As expected" : "This run failed";
  page.callout(r.passed() ? Callout::pass : Callout::fail, what.empty() ? outcome : outcome + ", " + what,
               verdict(r));
}

std::vector<ImageRow> example_rows(const std::vector<DemoExample>& examples) {
  std::vector<ImageRow> rows = {{"input", {}}, {"translation", {}}, {"translated back", {}}};
  for (const DemoExample& e : examples) {
    rows[0].images.push_back(e.real);
    rows[1].images.push_back(e.fake);
    rows[2].images.push_back(e.rec);
  }
  return rows;
}

void add_command(HtmlPage& page, const LessonResult& r, const DemoOptions& options, const std::string& what) {
  page.paragraph(fmt::format("To train it again{} ({}):", what.empty() ? "" : " " + what, training_note(r)));
  page.command(train_command(lesson_options(r.lesson, options), "RUN"));
}

void add_disc_lesson(HtmlPage& page, const LessonResult& r, const DemoOptions& options) {
  page.heading("1. " + r.lesson.title);
  page.paragraph(
      "In the images of one domain a disc has one colour, in those of the other it is striped. The two sets "
      "are unpaired: no image has a counterpart in the other set. Two generators, one for each direction, "
      "are trained with three losses. The adversarial loss: a discriminator should not be able to tell "
      "translations from images of the target domain. The cycle loss: an image that is translated and "
      "translated back should be what it was. The identity loss: an image that already is of the target "
      "domain should stay unchanged. The second part shows what happens without the third.");
  add_verdict(page, r, "");
  for (const DirectionResult& d : r.directions)
    page.image_rows(example_rows(d.examples), domain_name(r.lesson, d.direction));
  page.table(score_table(r));
  page.table(loss_table({&r}));
  add_command(page, r, options, "");
}

void add_color_words(HtmlPage& page) {
  page.heading("2. Circles and squares: equal losses, wrong colours");
  page.paragraph(
      "All hues are equally frequent among the circles and among the squares. A generator that also permutes "
      "them, red to green, green to blue and blue to red, therefore produces squares like those of the "
      "domain, and the generator of the other direction can undo the permutation. Such a permutation, which "
      "maps the data onto themselves, is called an automorphism. Adversarial and cycle loss are the same for "
      "every automorphism, so a longer training does not favour the correct colours.");
  page.paragraph(
      "The identity loss differs between them: a square should stay the square it is, its colour included, "
      "and a generator that keeps the colours of squares keeps, as the same network, those of circles too.");
}

// Trainings that differ in the identity loss. Their inputs are the same.
void add_color_lessons(HtmlPage& page, const Results& results, const DemoOptions& options) {
  add_color_words(page);
  for (const LessonResult* r : results) add_verdict(page, *r, identity_words(*r));
  const LessonResult& first = *results.front();
  for (std::size_t i = 0; i < first.directions.size(); ++i) {
    page.subheading(domain_name(first.lesson, first.directions[i].direction));
    for (const LessonResult* r : results)
      page.image_rows(example_rows(r->directions[i].examples), identity_words(*r));
  }
  page.subheading("Scores of " + images_note(first));
  page.beside([&] {
    for (std::size_t i = 0; i < first.directions.size(); ++i) page.table(color_table(results, i));
  });
  page.subheading("Losses");
  page.beside([&] {
    page.table(loss_table(results));
    page.insert(chart_html(cycle_chart(results), "step"));
  });
  page.subheading("Commands");
  for (const LessonResult* r : results) add_command(page, *r, options, identity_words(*r));
}

constexpr const char* kLossWords =
    "Losses: the cycle loss is shown without its weight; 1 % of the range is 2.6 of 255 grey levels. "
    "Generator and discriminator loss are the two sides of the adversarial loss, by least squares: the "
    "discriminator scores images of the domain 1 and translations 0. When it always can, the generator "
    "loss is 1 and its own 0; when it scores everything 0.5, both are 0.25.";

void add_scoring(HtmlPage& page) {
  page.heading("How to read the numbers");
  page.paragraph(
      "The images are synthetic, so the correct translation of each held-out one is known. A translation is "
      "correct when its shape, position and background are; copies of the input, translations of other "
      "images and constant images are not.");
  page.list(
      {fmt::format(
           "Shape: the object's outline overlaps the target's shape of equal area and centre by at least "
           "{} (circles, squares) or {} (discs); its area is {} to {} times the true one; a striped disc "
           "has stripes of amplitude {} or more, a solid one of {} at most.",
           kMinShapeOverlap, kMinDiscOverlap, kMinAreaRatio, kMaxAreaRatio, kMinStripes, kMaxSolidStripes),
       fmt::format("Position: its centre is at most {} % of the image's side away from where it was.",
                   100 * kMaxOffset),
       fmt::format("Background: outside the object the translation differs from the input by at most {} % of "
                   "the range of pixel values on average.",
                   100 * kMaxBackgroundError),
       fmt::format("Hue error: the mean distance to the input's hue on the circle of hues, after the "
                   "translation and after the cycle (translated back). Random hues would be 90° off; up to "
                   "{}° counts as kept, more as permuted.",
                   kMaxKeptHue),
       kLossWords,
       fmt::format("A training passes when {} of the translations are correct in both directions and the "
                   "hues are as its part of this page says.",
                   percent(kMinPassShare))});
}

HtmlPage make_page(const std::vector<LessonResult>& results, const DemoOptions& options) {
  HtmlPage page("Translation without pairs",
                "What a CycleGAN learns from two unpaired sets of images, and what its losses leave open");
  Results about_color;
  for (const LessonResult& r : results) {
    if (r.lesson.hue == HueClaim::none)
      add_disc_lesson(page, r, options);
    else
      about_color.push_back(&r);
  }
  if (!about_color.empty()) add_color_lessons(page, about_color, options);
  add_scoring(page);
  page.paragraph(
      fmt::format("Seed {}. All numbers are in scores.json beside this page, the trained models under runs/.",
                  options.seed));
  return page;
}

}  // namespace

std::string describe(const LessonResult& r) {
  if (r.stopped) return fmt::format("{}: stopped after step {}", r.lesson.name, r.steps);
  std::string line = r.lesson.name + ":";
  for (const DirectionResult& d : r.directions) {
    line += fmt::format(" {} {} right", d.direction, percent(d.score.pass));
    if (r.lesson.hue != HueClaim::none)
      line += fmt::format(" (hue error {}, after the cycle {})", degrees(d.score.hue_error),
                          degrees(d.cycle_hue_error));
    line += ",";
  }
  line.back() = ':';
  return line + (r.passed() ? " passed" : " FAILED");
}

Image example_grid(const std::vector<DemoExample>& examples) {
  std::vector<std::vector<Image>> rows;
  for (ImageRow& row : example_rows(examples)) rows.push_back(std::move(row.images));
  GridOptions options;
  options.min_cell = 96;
  return make_grid(rows, options);
}

std::vector<fs::path> write_demo(const std::vector<LessonResult>& results, const DemoOptions& options) {
  const fs::path out = options.out;
  make_folder(out);
  std::vector<fs::path> written = {out / "index.html", out / "scores.json"};
  for (const LessonResult& r : results)
    for (const DirectionResult& d : r.directions) {
      written.push_back(out / picture_name(r, d));
      write_image(written.back(), example_grid(d.examples));
    }
  write_file_atomically(written[1], demo_scores(results, options).dump(1) + "\n");
  make_page(results, options).save(written[0]);
  return written;
}

}  // namespace torsor
