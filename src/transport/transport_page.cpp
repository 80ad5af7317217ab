#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "core/version.h"
#include "report/chart.h"
#include "report/grid.h"
#include "transport/transport_result.h"

namespace torsor {

namespace {

constexpr double kLogFrom = 20;  // times the least: where a chart's axis is logarithmic

const std::string kNormalised =
    "Here every block ends with a norm that gives its residual a mean square of 1 (instance norm without "
    "parameters): the energy is the square of the number of blocks, and the shares are equal, whatever the "
    "training did. The straightness is not bound by that.";

std::string number_on_page(double value) {
  return std::isinf(value) ? "infinite" : fmt::format("{:.4g}", value);
}

std::string arrow_name(const std::string& direction) {
  return direction == "a_to_b" ? "A to B" : direction == "b_to_a" ? "B to A" : direction;
}

// What the primary figure says, in a sentence.
std::string own_sentence(const MapTransport& map) {
  const OwnAtSize& whole = map.sizes.back();
  if (whole.own <= 1 + 1e-9)
    return fmt::format(
        "No re-matching of the {} images with their translations is cheaper than the generator's own. (The "
        "same translations given to other images at random cost {} times the cheapest.)",
        whole.images, number_on_page(whole.shuffled));
  const std::string random =
      whole.own < whole.shuffled ? "" : ": the generator's map is no cheaper than chance";
  return fmt::format(
      "The generator's translations cost {} times the cheapest re-matching of the same {} images with the "
      "same translations. The same translations given to other images at random cost {} times the "
      "cheapest{}.",
      number_on_page(whole.own), whole.images, number_on_page(whole.shuffled), random);
}

void show_own(const DirectionTransport& direction, HtmlPage& page) {
  Series own{"the generator", {}, {}}, shuffled{"its translations given to other images at random", {}, {}};
  double least = std::numeric_limits<double>::infinity(), most = 0;
  for (const OwnAtSize& size : direction.map.sizes) {
    for (auto& [series, value] : {std::pair{&own, size.own}, std::pair{&shuffled, size.shuffled}}) {
      series->x.push_back(static_cast<double>(size.images));
      series->y.push_back(value);
      if (std::isfinite(value)) least = std::min(least, value), most = std::max(most, value);
    }
  }
  Axis cost{"cost / cheapest re-matching"};
  cost.low = 1;
  cost.high = std::max(1.05, most);  // an axis needs room where all is 1
  if (most > kLogFrom * least) cost.scale = AxisScale::log;
  LineChart chart;
  chart.title = "Own cost by the number of images";
  chart.x.label = "images";
  chart.y = cost;
  chart.series = {own, shuffled};
  page.drawing(
      draw(chart),
      "The figure rises with the number of images, since more of them leave a re-matching more choice: "
      "compare runs at equal numbers, and each with its own line of random maps.");
}

void show_numbers(const DirectionTransport& direction, HtmlPage& page) {
  const MapTransport& map = direction.map;
  Table table{{"measure", "value (95 % interval)", "what it is"}, {}, ""};
  const auto row = [&](const std::string& name, const TransportNumber& number, const std::string& help) {
    table.rows.push_back({name, transport_text(number), help});
  };
  row("own", map.own, "cost of the generator / cost of the best re-matching of its inputs with its outputs");
  row("cost", map.cost, "mean cost from an input to its translation");
  row("optimal", map.optimal,
      fmt::format(
          "the cheapest plan from the {} inputs to the {} real images of the other domain; most of it is "
          "that finite samples of images never match",
          direction.images, direction.targets));
  row("optimal, corrected", map.corrected,
      fmt::format("the same between halves of {} images, less what halves of one domain cost each other",
                  map.half));
  row("random", map.random, "mean cost of all pairs of an input and a real image of the other domain");
  row("gap", map.gap,
      "(cost - corrected) / (random - corrected): 0 = as cheap as any map to the other domain, 1 = as dear "
      "as pairs at random");
  row("violated by pairs", map.exchange,
      "share of pairs of images that had better exchange their translations; 0 of an optimal map");
  row("violated by triples", map.ring, "share of triples that had better pass their translations round");
  page.table(table);
}

void show_plane(const DirectionTransport& direction, HtmlPage& page) {
  if (direction.plane)
    page.drawing(draw(plane_chart(*direction.plane, "Where images go")), plane_caption(*direction.plane));
}

void show_blocks(const DirectionTransport& direction, HtmlPage& page) {
  page.subheading("Residual blocks");
  if (!direction.blocks.measures) {
    page.paragraph("Not measured: " + direction.blocks.why_not + ".");
    return;
  }
  const BlockMeasures& blocks = *direction.blocks.measures;
  page.paragraph(
      fmt::format("The {} residual blocks add r_1 ... r_{} to the state. Their energy {} * sum mean(r_k^2) "
                  "is {}. The path through them has straightness {}: 1 is a straight line, and {:.2g} is "
                  "what steps in unrelated directions of one length would have.",
                  blocks.count, blocks.count, blocks.count, transport_text(blocks.energy),
                  transport_text(blocks.straightness), 1 / std::sqrt(static_cast<double>(blocks.count))));
  if (blocks.normalised) page.paragraph(kNormalised);
  Table shares{{}, {{}}, "Each block's share of the energy, over all images."};
  for (std::size_t k = 0; k < blocks.shares.size(); ++k) {
    shares.header.push_back(fmt::format("block {}", k + 1));
    shares.rows.front().push_back(fmt::format("{:.1f}%", 100 * blocks.shares[k]));
  }
  page.table(shares);
  page.paragraph(
      "Block energy is not a cost in pixels: the encoder in front of the blocks chooses the scale of the "
      "states, and two generators with the same translations can differ in it by any factor. Compare it "
      "within one architecture and training at most.");
}

void show_paths(const DirectionTransport& direction, HtmlPage& page) {
  if (direction.paths.empty()) {
    if (!direction.no_paths.empty()) page.paragraph("No path is shown: " + direction.no_paths + ".");
    return;
  }
  const std::size_t shown = direction.paths.front().images.size();
  std::vector<std::vector<Image>> rows;
  std::vector<std::string> names;
  for (const ShownPath& path : direction.paths) {
    rows.push_back(path.images);
    names.push_back(path.name);
  }
  page.figure(
      {make_grid(rows, {.min_cell = 96}),
       fmt::format("{}, one image a row. First column: the input. Then what the generator's last layers "
                   "make of the state before the first block, and after each of the {} blocks; the last "
                   "column is the translation. Nobody trained the columns between to be images.",
                   join(names), shown - 2)});
}

}  // namespace

HtmlPage transport_page(const TransportResult& result, const std::string& command) {
  HtmlPage page(
      "Transport cost",
      "How far a translator moves images, beside how far it had to: its cost against the cheapest way to "
      "match the same images.",
      "torsor " + torsor_version());
  page.paragraph("A cost is " + result.cost + ".");
  page.callout(
      Callout::warning, "What a low cost does not say",
      "That translations are right. The losses of unpaired training admit several maps, and the right one "
      "need not be the cheapest; torsor audit asks which one this is.");
  for (const DirectionTransport& direction : result.directions) {
    page.heading(arrow_name(direction.name));
    page.paragraph(own_sentence(direction.map));
    show_own(direction, page);
    show_numbers(direction, page);
    show_plane(direction, page);
    show_blocks(direction, page);
    show_paths(direction, page);
  }
  page.heading("Protocol");
  page.paragraph("Numbers compare only where all of this is equal.");
  page.preformatted(Json{{"about", result.about}, {"protocol", result.protocol}}.dump(2));
  page.heading("Command");
  page.command(command);
  return page;
}

}  // namespace torsor
