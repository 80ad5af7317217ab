#include "experiment/digit_report.h"

#include "core/error.h"
#include "image/resize.h"
#include "report/grid.h"
#include "train/run_set.h"

namespace torsor {

namespace {

std::string run_title(const Json& run) {
  return fmt::format("{}, seed {}", run.at("arm").get<std::string>(), run.at("seed").get<std::uint64_t>());
}

Heatmap heatmap_of(const Json& run, const Json& direction) {
  Heatmap map;
  map.title = fmt::format("{}, {}", run_title(run), direction.at("direction").get<std::string>());
  map.row_title = "class of the input";
  map.column_title = "class of the translation";
  for (int k = 0; k < 10; ++k) {
    map.rows.push_back(std::to_string(k));
    map.columns.push_back(std::to_string(k));
  }
  for (const Json& row : direction.at("counts")) {
    double sum = 0;
    for (const Json& count : row) sum += count.get<double>();
    map.values.emplace_back();
    for (const Json& count : row) map.values.back().push_back(sum > 0 ? count.get<double>() / sum : 0);
  }
  return map;
}

// All confusion matrices of an arm at half their pixels: a column for each seed, the directions one above the
// other.
Image overview_of(const Json& runs, const std::string& arm) {
  std::vector<std::vector<Image>> rows(2);
  for (const Json& run : runs) {
    if (run.at("arm") != arm) continue;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const Image whole = draw(heatmap_of(run, run.at("directions").at(row))).image;
      rows[row].push_back(resize_bicubic(whole, whole.width / 2, whole.height / 2));
    }
  }
  return make_grid(rows);
}

std::vector<std::string> table_row(const Json& run, const Json& d) {
  const auto number = [&](const char* key) { return fmt::format("{:.2f}", d.at(key).get<double>()); };
  const std::string kind = digit_kind(d);
  return {run.at("arm"), run.at("seed").dump(), d.at("direction"), kind,
          // One class of output follows any permutation as well as any other.
          kind == "collapsed" ? "none" : cycles_text(d.at("permutation").get<std::vector<std::int64_t>>()),
          number("permutation_share"), number("identity_share"), number("mutual_information"),
          number("row_entropy"), number("output_entropy"),
          fmt::format("{:.3f}", d.at("cycle_l1").get<double>())};
}

}  // namespace

std::string digit_kind(const Json& d) {
  if (d.at("cycle_l1").get<double>() > kMaxCycleL1 ||
      d.at("output_entropy").get<double>() < kMinOutputEntropy)
    return "collapsed";
  if (d.at("identity_share").get<double>() >= kMinClassShare) return "identity";
  return d.at("permutation_share").get<double>() >= kMinClassShare ? "permutation" : "neither";
}

std::string digit_run_kind(const Json& run) {
  std::string kind;
  for (const Json& d : run.at("directions")) {
    const std::string one = digit_kind(d);
    if (one == "collapsed") return one;
    kind = kind.empty() || kind == one ? one : "neither";
  }
  return kind;
}

KindShare kind_share(const Json& runs, const std::string& arm, const std::string& kind) {
  KindShare share;
  share.interval = {0, 1};
  for (const Json& run : runs) {
    if (run.at("arm") != arm) continue;
    const std::string found = digit_run_kind(run);
    ++share.all;
    share.counting += found != "collapsed";
    share.of_kind += found == kind;
  }
  if (share.counting > 0) share.interval = share_interval(share.of_kind, share.counting);
  return share;
}

std::vector<Setting> digit_setup(Scale scale) {
  const DigitScale s = digit_scale(scale);
  const Json settings = digit_settings(s);
  return {
      {"task",
       "MNIST translated to itself: each step draws a batch of A and a batch of B from the same images"},
      {"data",
       fmt::format("MNIST with --data; else ten classes of glyphs that torsor draws, {} of them", s.glyphs),
       "so that it runs without a download"},
      {"image size", fmt::format("{0} x {0}", s.side), "the least that two halvings divide"},
      {"generator",
       fmt::format(
           "autoencoder_{}: two strided convolutions of {} and {} filters, a residual block, a code of {} "
           "numbers (fully connected), and back; batch norm",
           s.side, s.ngf, 2 * s.ngf, 8 * s.ngf),
       "the paper says: convolutional autoencoder, residual blocks, fully connected bottleneck, no skips"},
      {"discriminator",
       fmt::format("full_{}, {} filters in the first layer, no norm: one score an image", s.side, s.ndf),
       "not described"},
      {"losses", "least squares, cycle 10, no identity term; 256 images of history",
       "weights are not given; no identity term is mentioned"},
      {"optimiser",
       fmt::format("SGD with momentum 0.9, {} for the generators and {} for the discriminators, constant",
                   settings.at("lr").dump(), settings.at("lr_d").dump()),
       "the paper says SGD; these rates keep the two in balance"},
      {"batch, steps", fmt::format("{}, {}", settings.at("batch_size").dump(), s.steps), "not given"},
      {"classifier",
       fmt::format("four convolutions and two fully connected layers, Adam 0.001, {} steps",
                   s.classifier_steps),
       "the paper says a simple CNN"},
      {"measured on", fmt::format("{} test images at most, in both directions", s.test_images), "not given"}};
}

Json measure_digit_arms(const std::vector<DigitArm>& arms, const Request& request) {
  const DigitScale scale = digit_scale(request.scale);
  const DigitData data = open_digits(request.data, scale);
  const DigitClassifier classifier = train_digit_classifier(data, scale, request);
  train_digit_arms(arms, data, scale, request);
  Json out = {{"data", data.name}, {"classifier_accuracy", classifier.accuracy}, {"arms", Json::array()}};
  for (const DigitArm& arm : arms) out["arms"].push_back({{"name", arm.name}, {"what", arm.what}});
  out["runs"] = measure_runs(arms.size(), request.runs(), [&](std::size_t arm, std::uint64_t seed) {
    return measure_digit_run(arms[arm], seed, data, scale, *classifier.model, request);
  });
  return out;
}

void present_digit_runs(const Json& results, ReproductionPage& page) {
  HtmlPage& html = page.html();
  html.paragraph(fmt::format(
      "Data: {}. The classifier that labels translations is right on {:.2f} % of the test images.",
      results.at("data").get<std::string>(), 100 * results.at("classifier_accuracy").get<double>()));
  for (const Json& arm : results.at("arms"))
    html.paragraph(
        fmt::format("Arm {}: {}.", arm.at("name").get<std::string>(), arm.at("what").get<std::string>()));
  Table table{
      {"arm", "seed", "direction", "kind", "permutation", "follows it", "class kept", "MI", "row entropy",
       "output entropy", "cycle L1"},
      {},
      fmt::format(
          "All runs. Shares of the test images; entropies and mutual information in bits (log2 10 = 3.32). "
          "A direction counts where the cycle costs {} or less and the outputs' entropy is {} or more; "
          "else it is called collapsed.",
          kMaxCycleL1, kMinOutputEntropy)};
  for (const Json& run : results.at("runs"))
    for (const Json& d : run.at("directions")) table.rows.push_back(table_row(run, d));
  html.table(table);
  for (const Json& arm : results.at("arms")) {
    const std::string name = arm.at("name");
    page.image(
        "confusion-" + name, overview_of(results.at("runs"), name),
        fmt::format("All confusion matrices of arm {}: of the inputs of a class (a row), the share whose "
                    "translation is of each class (a column).",
                    name));
  }
  html.subheading("Confusion matrices and samples of every run");
  html.paragraph("Samples, from above: inputs of the test set, translations, reconstructions.");
  for (const Json& run : results.at("runs"))
    for (const Json& d : run.at("directions")) {
      const std::string name =
          fmt::format("{}-seed{}-{}", run.at("arm").get<std::string>(), run.at("seed").get<std::uint64_t>(),
                      d.at("direction").get<std::string>());
      html.beside([&] {
        page.drawing("confusion-" + name, draw(heatmap_of(run, d)), "");
        page.picture("samples-" + name, run_title(run) + ", " + d.at("direction").get<std::string>());
      });
    }
}

}  // namespace torsor
