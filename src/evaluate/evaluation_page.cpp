#include "evaluate/evaluation_page.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/version.h"
#include "image/convert.h"
#include "image/resize.h"
#include "metric/metrics.h"

namespace torsor {

namespace {

constexpr std::int64_t kPictureSide = 256;
constexpr std::size_t kShown = 3;  // images of each kind

std::string number_text(double value) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return fmt::format("{:.4g}", value);
}

std::string interval_of(const MetricResult& result) {
  const MetricInterval& u = result.uncertainty;
  return u.interval ? number_text(u.interval->low) + " to " + number_text(u.interval->high)
                    : "none: " + u.none;
}

Image picture(const ScoredSet& set, std::int64_t i) {
  Image image = set.preview(i);
  if (image.channels != 1 && image.channels <= 4) image = with_channels(image, 3);
  const std::int64_t side = std::max(image.width, image.height);
  if (side <= kPictureSide) return image;
  const auto scaled = [&](std::int64_t length) {
    return std::max<std::int64_t>(1, length * kPictureSide / side);
  };
  return resize_bicubic(image, scaled(image.width), scaled(image.height));
}

// Places in `images`, the best first. A metric's NaN cannot come here: it is refused.
std::vector<std::size_t> ranked(const SetScores& scores) {
  std::vector<std::size_t> order(scores.images.size());
  std::iota(order.begin(), order.end(), 0);
  const auto [column, better, rule] = *scores.ranking;
  std::stable_sort(order.begin(), order.end(), [&, c = column, b = better](std::size_t i, std::size_t k) {
    const double x = scores.images[i].values[c], y = scores.images[k].values[c];
    return b == Better::higher ? x > y : x < y;
  });
  return order;
}

void show_image(const EvaluatedSets& part, const ScoredImage& image, HtmlPage& page) {
  const bool aligned = part.scores.columns.front() != "nearest";
  page.beside([&] {
    // An output stands where its input does.
    if (part.inputs && part.inputs->size() == part.fake->size())
      page.figure({picture(*part.inputs, image.fake), "input: " + part.inputs->name(image.fake)});
    page.figure({picture(*part.fake, image.fake),
                 fmt::format("output: {}, {} {}", part.fake->name(image.fake), part.scores.columns.front(),
                             number_text(image.values.front()))});
    page.figure(
        {picture(*part.real, image.real),
         fmt::format("{}: {}", aligned ? "target" : "nearest real image", part.real->name(image.real))});
  });
}

void show_images(const EvaluatedSets& part, HtmlPage& page) {
  if (!part.scores.ranking || part.scores.images.empty()) return;
  std::vector<std::size_t> order = ranked(part.scores);
  std::reverse(order.begin(), order.end());
  const std::size_t count = std::min(kShown, (order.size() + 2) / 3);
  page.paragraph(fmt::format("Images are ranked by {}.", part.scores.ranking->rule));
  const auto show = [&](const std::string& title, std::size_t begin) {
    page.subheading(title);
    for (std::size_t i = begin; i < begin + count; ++i) show_image(part, part.scores.images[order[i]], page);
  };
  show("Worst", 0);
  show("Middle", (order.size() - count) / 2);
  show("Best", order.size() - count);
}

void show_table(const SetScores& scores, HtmlPage& page) {
  const bool copies = !scores.copying.empty();
  Table table{{"metric", "value", "95 % interval"}, {}, ""};
  if (copies) table.header.insert(table.header.end(), {"of copying the inputs"});
  table.header.push_back("what it is");
  for (const std::string& name : scores.order) {
    const MetricResult& result = scores.metrics.at(name);
    const Metric& metric = metrics().at(name);
    std::vector<std::string> row = {
        name + (metric.better == Better::higher ? " (higher is better)" : " (lower is better)"),
        number_text(result.value), interval_of(result)};
    const auto copied = scores.copying.find(name);
    if (copies) row.push_back(copied == scores.copying.end() ? "" : result_text(copied->second));
    row.push_back(metric.help);
    table.rows.push_back(std::move(row));
  }
  page.table(table);
}

std::string lead_of(const Evaluation& evaluation) {
  return evaluation.about.contains("model") ? "How like the images of the target domain the translations are."
                                            : "How like the images of one folder those of another are.";
}

}  // namespace

std::string result_text(const MetricResult& result) {
  const MetricInterval& u = result.uncertainty;
  return u.interval ? fmt::format("{} ({})", number_text(result.value), interval_of(result))
                    : fmt::format("{} (no interval: {})", number_text(result.value), u.none);
}

HtmlPage evaluation_page(const Evaluation& evaluation, const std::string& command) {
  HtmlPage page("Evaluation", lead_of(evaluation), "torsor " + torsor_version());
  for (const std::string& line : evaluation.warnings) page.callout(Callout::note, "Note", line);
  for (const EvaluatedSets& part : evaluation.parts) {
    page.heading(part.direction.empty() ? "Scores" : part.direction);
    page.paragraph(fmt::format("{} images of {} against {} of {}.", part.fake->size(),
                               part.fake->folder().string(), part.real->size(),
                               part.real->folder().string()));
    show_table(part.scores, page);
    show_images(part, page);
  }
  page.heading("Protocol");
  page.paragraph("Numbers compare only where all of this is equal: torsor evaluate --compare checks it.");
  page.preformatted(evaluation.protocol.dump(2));
  page.heading("Command");
  page.command(command);
  return page;
}

}  // namespace torsor
