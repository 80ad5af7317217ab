#include "experiment/demo_page.h"

#include <fmt/format.h>

#include "core/files.h"
#include "core/text.h"
#include "image/codec.h"
#include "report/grid.h"
#include "report/html.h"

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

std::string train_command(const LessonResult& result, const DemoOptions& options) {
  const Json settings = lesson_options(result.lesson, options);
  std::string line = "torsor train";
  for (const auto& [key, value] : settings.items())
    line +=
        fmt::format(" --{} {}", kebab_case(key), value.is_string() ? value.get<std::string>() : value.dump());
  return line + " --out RUN";
}

Table score_table(const LessonResult& result) {
  Table table;
  table.header = {"direction", "right", "shape", "position", "background"};
  if (result.lesson.hue != HueClaim::none) {
    table.header.push_back("hue error");
    table.header.push_back("after the cycle");
  }
  for (const DirectionResult& d : result.directions) {
    table.rows.push_back({domain_name(result.lesson, d.direction), percent(d.score.pass),
                          percent(d.score.shape), percent(d.score.position), percent(d.score.background)});
    if (result.lesson.hue != HueClaim::none) {
      table.rows.back().push_back(degrees(d.score.hue_error));
      table.rows.back().push_back(degrees(d.cycle_hue_error));
    }
  }
  table.caption =
      fmt::format("{} held-out images a direction; {} steps in {}", result.directions.front().score.count,
                  result.steps, human_duration(result.train_seconds));
  return table;
}

// What came out, whether it is what was to be shown or not.
std::string verdict(const LessonResult& r) {
  if (!r.translates())
    return fmt::format(
        "This run did not learn the translation: fewer than {} of the held-out images are right in one "
        "direction. What is written here about a trained model does not hold for it.",
        percent(kMinPassShare));
  const DirectionResult& d = r.directions.front();
  switch (r.lesson.hue) {
    case HueClaim::none:
      return "The held-out images were translated rightly in both directions.";
    case HueClaim::permuted:
      return r.hue_as_claimed()
                 ? fmt::format(
                       "The shapes are right and the colours are wrong: they are {} off on average after the "
                       "translation, and {} after the way back. The losses were content.",
                       degrees(d.score.hue_error), degrees(d.cycle_hue_error))
                 : fmt::format(
                       "The shapes are right, but this run does not show the permuted colours clearly: they "
                       "are "
                       "{} off after the translation and {} after the way back. Another --seed may.",
                       degrees(d.score.hue_error), degrees(d.cycle_hue_error));
    case HueClaim::kept:
      return r.hue_as_claimed() ? fmt::format("Shapes and colours are right: the hue is {} off on average.",
                                              degrees(d.score.hue_error))
                                : fmt::format(
                                      "The shapes are right, but the identity term did not hold the colours "
                                      "in this run: the "
                                      "hue is {} off after the translation, {} after the way back.",
                                      degrees(d.score.hue_error), degrees(d.cycle_hue_error));
  }
  return "";
}

void add_result(HtmlPage& page, const LessonResult& r, const DemoOptions& options) {
  page.callout(r.passed() ? Callout::pass : Callout::fail, r.passed() ? "As expected" : "This run failed",
               verdict(r));
  std::vector<Figure> figures;
  for (const DirectionResult& d : r.directions)
    figures.push_back(
        {example_grid(d.examples), domain_name(r.lesson, d.direction) +
                                       ": above the input, in the middle its translation, below the "
                                       "translation brought back"});
  page.figures(figures);
  page.table(score_table(r));
  page.paragraph("To train it again:");
  page.preformatted(train_command(r, options));
}

void add_first_lesson(HtmlPage& page, const LessonResult& r, const DemoOptions& options) {
  page.heading("1. " + r.lesson.title);
  page.paragraph(
      "Two piles of pictures: in one the disc is of one colour, in the other it is striped. No picture of "
      "one pile has a "
      "partner in the other. Two networks learn to translate, one each way, from two demands: a translation "
      "must look "
      "like a picture of the other pile, and translated back it must be what it was (the cycle).");
  add_result(page, r, options);
}

void add_color_lesson(HtmlPage& page, const LessonResult& r, const DemoOptions& options) {
  if (r.lesson.hue == HueClaim::permuted) {
    page.subheading("Without an identity term");
    page.paragraph(
        "Every colour is as frequent among the circles as among the squares. So a translator that turns red "
        "into green, "
        "green into blue and blue into red, all at once, produces perfectly good squares, and the way back "
        "undoes the "
        "exchange: both demands are met, with the wrong answer. Such an exchange, which maps the data onto "
        "itself, is "
        "called an automorphism, and no amount of training with these two losses removes it.");
  } else {
    page.subheading("With an identity term");
    page.paragraph(
        "A third demand: a picture that is already of the target's kind should pass unchanged. A square "
        "stays the square "
        "it is, colour included, and with the colour of squares that of circles is settled too. The "
        "exchanged colours "
        "now cost something, so the true ones win.");
  }
  add_result(page, r, options);
}

void add_scoring(HtmlPage& page) {
  page.heading("How it was scored");
  page.paragraph(
      "The pictures are generated, so the right answer to each held-out one is known. An image counts as "
      "right when all "
      "of these hold; copies of the input, translations of other images and constant pictures fail them.");
  page.list(
      {fmt::format(
           "Shape: the object's outline overlaps the target's shape of equal area and centre by at least {} "
           "(circles, squares) or {} (discs); its area is {} to {} times the true one; a striped disc has "
           "stripes of amplitude {} or more, a solid one of {} at most.",
           kMinShapeOverlap, kMinDiscOverlap, kMinAreaRatio, kMaxAreaRatio, kMinStripes, kMaxSolidStripes),
       fmt::format("Position: its centre is at most {} % of the side away from where it was.",
                   100 * kMaxOffset),
       fmt::format(
           "Background: outside the object it differs from the input by at most {} % of the full range on "
           "average.",
           100 * kMaxBackgroundError),
       fmt::format(
           "A training has passed when {} of the images are right in both directions. The hue error is "
           "measured apart: colours drawn at random would be 90° off; up to {}° counts as kept, from {}° as "
           "exchanged.",
           percent(kMinPassShare), kMaxKeptHue, kMinPermutedHue)});
}

HtmlPage make_page(const std::vector<LessonResult>& results, const DemoOptions& options) {
  HtmlPage page("Translation without pairs",
                "What a CycleGAN learns from two piles of pictures, and what it cannot know");
  bool colors = false;
  for (const LessonResult& r : results) {
    if (r.lesson.hue == HueClaim::none) {
      add_first_lesson(page, r, options);
      continue;
    }
    if (!colors) page.heading("2. Circles and squares: zero loss, wrong answer");
    colors = true;
    add_color_lesson(page, r, options);
  }
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
  std::vector<std::vector<Image>> rows(3);
  for (const DemoExample& e : examples) {
    rows[0].push_back(e.real);
    rows[1].push_back(e.fake);
    rows[2].push_back(e.rec);
  }
  GridOptions options;
  options.min_cell = 64;
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
