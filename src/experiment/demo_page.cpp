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

std::string identity_words(const LessonResult& r) {
  return r.lesson.hue == HueClaim::kept ? "with an identity term" : "without an identity term";
}

using Results = std::vector<const LessonResult*>;

std::string training_note(const LessonResult& r) {
  return fmt::format("{} steps in {}", r.steps, human_duration(r.train_seconds));
}

const std::vector<std::string> kShares = {"right", "shape", "position", "background"};

std::vector<std::string> shares(const DirectionResult& d) {
  return {percent(d.score.pass), percent(d.score.shape), percent(d.score.position),
          percent(d.score.background)};
}

std::vector<std::string> row(std::vector<std::string> first, const std::vector<std::string>& middle,
                             const std::vector<std::string>& last = {}) {
  first.insert(first.end(), middle.begin(), middle.end());
  first.insert(first.end(), last.begin(), last.end());
  return first;
}

std::string images_note(const LessonResult& r) {
  return fmt::format("{} held-out images a direction", r.directions.front().score.count);
}

// The scores of lessons about the shape alone.
Table score_table(const LessonResult& r) {
  Table table;
  table.header = row({"direction"}, kShares);
  for (const DirectionResult& d : r.directions)
    table.rows.push_back(row({domain_name(r.lesson, d.direction)}, shares(d)));
  table.caption = images_note(r) + "; " + training_note(r);
  return table;
}

// The scores of lessons about the hue, one below the other.
Table color_table(const Results& results) {
  Table table;
  table.header = row({"direction", "training"}, kShares, {"hue error", "after the cycle"});
  for (std::size_t i = 0; i < results.front()->directions.size(); ++i)
    for (const LessonResult* r : results) {
      const DirectionResult& d = r->directions[i];
      table.rows.push_back(row({domain_name(r->lesson, d.direction), identity_words(*r)}, shares(d),
                               {degrees(d.score.hue_error), degrees(d.cycle_hue_error)}));
    }
  table.caption = images_note(*results.front());
  for (const LessonResult* r : results)
    table.caption += fmt::format("; {}: {}", identity_words(*r), training_note(*r));
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
                       "The shapes are right and the colours are wrong: they are {} off on average after "
                       "the translation, and {} after the way back. The losses were content.",
                       degrees(d.score.hue_error), degrees(d.cycle_hue_error))
                 : fmt::format(
                       "The shapes are right, but this run does not show exchanged colours: they are {} "
                       "off after the translation and {} after the way back. Its losses allow any "
                       "exchange, the true colours among them. Another --seed may end elsewhere.",
                       degrees(d.score.hue_error), degrees(d.cycle_hue_error));
    case HueClaim::kept:
      return r.hue_as_claimed()
                 ? fmt::format("Shapes and colours are right: the hue is {} off on average.",
                               degrees(d.score.hue_error))
                 : fmt::format(
                       "The shapes are right, but the identity term did not hold the colours in this run: "
                       "the hue is {} off after the translation, {} after the way back.",
                       degrees(d.score.hue_error), degrees(d.cycle_hue_error));
  }
  return "";
}

void add_verdict(HtmlPage& page, const LessonResult& r, const std::string& what) {
  const std::string outcome = r.passed() ? "As expected" : "This run failed";
  page.callout(r.passed() ? Callout::pass : Callout::fail, what.empty() ? outcome : outcome + ", " + what,
               verdict(r));
}

void add_legend(HtmlPage& page) {
  page.paragraph(
      "In each picture: above the input, in the middle its translation, below the translation brought back.");
}

void add_disc_lesson(HtmlPage& page, const LessonResult& r, const DemoOptions& options) {
  page.heading("1. " + r.lesson.title);
  page.paragraph(
      "Two piles of pictures: in one the disc is of one colour, in the other it is striped. No picture of "
      "one pile has a partner in the other. Two networks learn to translate, one each way, from three "
      "demands: a translation must look like a picture of the other pile; translated back it must be what "
      "it was (the cycle); and a picture that is of the other pile already must pass unchanged (the "
      "identity term, without which the second part shows what is missing).");
  add_verdict(page, r, "");
  add_legend(page);
  page.beside([&] {
    for (const DirectionResult& d : r.directions)
      page.figure({example_grid(d.examples), domain_name(r.lesson, d.direction)});
  });
  page.table(score_table(r));
  page.paragraph("To train it again:");
  page.preformatted(train_command(r, options));
}

// Trainings that differ in the identity term, side by side.
void add_color_lessons(HtmlPage& page, const Results& results, const DemoOptions& options) {
  page.heading("2. Circles and squares: zero loss, wrong answer");
  page.paragraph(
      "Every colour is as frequent among the circles as among the squares. So a translator that turns red "
      "into green, green into blue and blue into red, all at once, produces perfectly good squares, and "
      "the way back undoes the exchange: both demands are met, with the wrong answer. Such an exchange, "
      "which maps the data onto itself, is called an automorphism, and no amount of training with these "
      "two losses removes it.");
  page.paragraph(
      "The identity term is the third demand: a picture that is already of the target's kind should pass "
      "unchanged. A square stays the square it is, colour included, and with the colour of squares that of "
      "circles is settled too. The exchanged colours now cost something, so the true ones win.");
  for (const LessonResult* r : results) add_verdict(page, *r, identity_words(*r));
  add_legend(page);
  for (std::size_t i = 0; i < results.front()->directions.size(); ++i)
    page.beside([&] {
      for (const LessonResult* r : results) {
        const DirectionResult& d = r->directions[i];
        page.figure({example_grid(d.examples),
                     fmt::format("{}, {}", domain_name(r->lesson, d.direction), identity_words(*r))});
      }
    });
  page.table(color_table(results));
  for (const LessonResult* r : results) {
    page.paragraph(fmt::format("To train it again {}:", identity_words(*r)));
    page.preformatted(train_command(*r, options));
  }
}

void add_scoring(HtmlPage& page) {
  page.heading("How it was scored");
  page.paragraph(
      "The pictures are generated, so the right answer to each held-out one is known. An image counts as "
      "right when all of these hold; copies of the input, translations of other images and constant "
      "pictures fail them.");
  page.list(
      {fmt::format(
           "Shape: the object's outline overlaps the target's shape of equal area and centre by at least "
           "{} (circles, squares) or {} (discs); its area is {} to {} times the true one; a striped disc "
           "has stripes of amplitude {} or more, a solid one of {} at most.",
           kMinShapeOverlap, kMinDiscOverlap, kMinAreaRatio, kMaxAreaRatio, kMinStripes, kMaxSolidStripes),
       fmt::format("Position: its centre is at most {} % of the side away from where it was.",
                   100 * kMaxOffset),
       fmt::format(
           "Background: outside the object it differs from the input by at most {} % of the full range on "
           "average.",
           100 * kMaxBackgroundError),
       fmt::format(
           "A training has passed when {} of the images are right in both directions. The hue error is "
           "measured apart: colours drawn at random would be 90° off; up to {}° counts as kept, more as "
           "exchanged.",
           percent(kMinPassShare), kMaxKeptHue)});
}

HtmlPage make_page(const std::vector<LessonResult>& results, const DemoOptions& options) {
  HtmlPage page("Translation without pairs",
                "What a CycleGAN learns from two piles of pictures, and what it cannot know");
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
