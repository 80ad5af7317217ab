#include "experiment/disc_systems.h"

#include <algorithm>
#include <atomic>

#include "core/error.h"
#include "core/files.h"
#include "core/parallel.h"
#include "core/text.h"
#include "data/generated.h"
#include "experiment/class_training.h"
#include "experiment/demo.h"
#include "experiment/worlds.h"
#include "image/codec.h"
#include "infer/generator_runner.h"
#include "metric/scene_score.h"
#include "metric/statistics.h"
#include "report/grid.h"
#include "train/run_set.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

const std::string kDiscTask = "solid-striped";
constexpr std::int64_t kDiscSide = 32, kDiscHues = 6, kDiscsPictured = 8;
constexpr std::uint64_t kEncoderSeed = 1000;  // of images that no training sees
constexpr std::int64_t kEncoderImages = 1000;
const std::vector<std::string> kDiscOptionsOfCycleGan = {"lambda_cycle_a", "lambda_cycle_b",
                                                         "lambda_identity"};

// The size of a training at a scale.
struct DiscScale {
  LessonTraining training{1600, 16, 32};  // the demonstration's
  std::int64_t images = 0;                // of either domain; 0 = as many as there are
  std::int64_t tests = 100;               // held-out images of either domain that are scored
  std::int64_t encoder_steps = 1500;
};

DiscScale disc_scale(Scale scale) {
  DiscScale out;
  if (scale == Scale::smoke) out = {{2, 4, 4}, 16, 8, 2};
  if (scale == Scale::full) out.training.steps = 4800;
  return out;
}

// Both domains, with the sixth of the circle that the disc's hue is in.
class DiscHues : public LabelledSource {
 public:
  std::int64_t size() const override { return 2 * kEncoderImages; }
  Image read(std::int64_t index) const override {
    return render_scene(kDiscTask, domain(index), truth(index), kDiscSide);
  }
  std::string name(std::int64_t index) const override { return fmt::format("{:05}", index); }
  std::int64_t label(std::int64_t index) const override { return world_class(truth(index), kDiscHues); }

 private:
  static Domain domain(std::int64_t index) { return index % 2 == 0 ? Domain::a : Domain::b; }
  static SceneTruth truth(std::int64_t index) {
    return generated_truth(kDiscTask, domain(index), Split::train, kEncoderSeed, index / 2);
  }
};

fs::path disc_encoder(const Request& request) { return request.out / "runs" / "encoder.safetensors"; }

void train_disc_encoder(const DiscScale& scale, const Request& request) {
  ClassTraining training{"hues of discs", std::make_shared<DiscHues>(), {}, scale.encoder_steps};
  training.options.in_channels = 3;
  training.options.side = kDiscSide;
  training.options.classes = kDiscHues;
  training.options.width = scale.training.ngf;
  trained_classifier(training, disc_encoder(request), request);
}

bool compares_features(const DiscSystem& system) {
  return system.settings.value("model", "") == "feature_gan";
}

TrainConfig disc_config(const DiscSystem& system, std::uint64_t seed, const DiscScale& scale,
                        const Request& request) {
  Json settings = background_lesson(demo_lesson(kDiscTask), scale.training);
  for (const std::string& name : kDiscOptionsOfCycleGan) settings.erase(name);
  settings["max_dataset_size"] = scale.images;
  settings.update(system.settings);
  if (compares_features(system)) settings["self_encoder"] = disc_encoder(request).string();
  return run_config(std::move(settings), system.name, seed, request.out);
}

struct ScoredDirection {
  Json json;
  std::vector<Image> translations;  // the first, of the picture
};

ScoredDirection scored_direction(const GeneratorRunner& runner, Domain source, std::int64_t tests) {
  const Domain target = source == Domain::a ? Domain::b : Domain::a;
  std::vector<SceneScore> scores;
  ScoredDirection out;
  std::string note;
  for (std::int64_t i = 0; i < tests; ++i) {
    const SceneTruth truth = generated_truth(kDiscTask, source, Split::test, 0, i);
    const Image real = render_scene(kDiscTask, source, truth, kDiscSide);
    Image fake = runner.translate(real, note);
    scores.push_back(score_scene(kDiscTask, target, truth, real, fake));
    if (i < kDiscsPictured) out.translations.push_back(std::move(fake));
  }
  out.json = summary_json(summarize(scores));
  return out;
}

std::vector<Image> drawn_discs(Domain shown, std::int64_t count) {
  std::vector<Image> out;
  for (std::int64_t i = 0; i < count; ++i)
    out.push_back(
        render_scene(kDiscTask, shown, generated_truth(kDiscTask, Domain::a, Split::test, 0, i), kDiscSide));
  return out;
}

// Of all seeds.
std::vector<Json> measured_system(const DiscSystem& system, const DiscScale& scale, const Request& request) {
  const std::int64_t pictured = std::min(kDiscsPictured, scale.tests);
  std::vector<std::vector<Image>> picture = {drawn_discs(Domain::a, pictured),
                                             drawn_discs(Domain::b, pictured)};
  std::vector<Json> rows;
  for (const std::uint64_t seed : request.seeds) {
    const fs::path run = run_folder(request.out, system.name, seed);
    const Placement placement = resolve_placement(request.placement);
    Json directions = Json::object();
    const auto measure = [&](const Direction& direction, Domain source) {
      const GeneratorRunner runner =
          GeneratorRunner::open(run, {direction.name(), NormStatistics::running, placement});
      ScoredDirection scored = scored_direction(runner, source, scale.tests);
      directions[direction.name()] = scored.json;
      if (source == Domain::a) picture.push_back(std::move(scored.translations));
    };
    measure(kAToB, Domain::a);
    const auto networks = disc_config(system, seed, scale, request).model->networks({});
    if (find_translator(networks, kBToA) != nullptr) measure(kBToA, Domain::b);
    rows.push_back({{"system", system.name}, {"seed", seed}, {"directions", directions}});
  }
  GridOptions grid;
  grid.min_cell = 64;
  write_image(request.out / "figures" / (system.name + ".png"), make_grid(picture, grid));
  return rows;
}

std::string share_text(const std::vector<double>& shares) {
  if (shares.empty()) return "one way only";
  std::vector<double> percent;
  for (const double share : shares) percent.push_back(100 * share);
  if (percent.size() == 1) return fmt::format("{:.0f} %", percent.front());
  const MeanInterval of = mean_interval(percent);
  return fmt::format("{:.0f} % ({:.0f} to {:.0f})", of.mean, std::max(0.0, of.interval.low),
                     std::min(100.0, of.interval.high));
}

// The mean over seeds of one of the parts of a score, a_to_b.
std::string part_text(const Json& rows, const std::string& system, const char* part, const char* format) {
  std::vector<double> values;
  for (const Json& row : rows) {
    const Json& of = row.at("directions").at("a_to_b").at(part);
    if (row.at("system") == system && !of.is_null()) values.push_back(of);
  }
  return values.empty() ? "no disc" : fmt::format(fmt::runtime(format), mean_interval(values).mean);
}

}  // namespace

Json disc_cyclegan(const Json& more) {
  const Json& lesson = demo_lesson(kDiscTask).settings;
  Json out = {{"model", "cyclegan"}};
  for (const std::string& name : kDiscOptionsOfCycleGan) out[name] = lesson.at(name);
  out.update(more);
  return out;
}

Json DiscExperiment::measure(const Request& request) const {
  const std::vector<DiscSystem>& systems = this->systems();
  const DiscScale scale = disc_scale(request.scale);
  if (std::any_of(systems.begin(), systems.end(), compares_features)) train_disc_encoder(scale, request);
  std::vector<TrainConfig> configs;
  for (const DiscSystem& system : systems)
    for (const std::uint64_t seed : request.seeds)
      configs.push_back(disc_config(system, seed, scale, request));
  train_runs(std::move(configs), request.runs());
  make_folder(request.out / "figures");
  std::vector<std::vector<Json>> measured(systems.size());
  std::atomic<std::int64_t> done{0};
  in_parallel(systems.size(), request.stop, [&](std::size_t i) {
    measured[i] = measured_system(systems[i], scale, request);
    request.log->progress("measured", ++done, std::ssize(systems));
  });
  check_stop(request.stop);
  Json rows = Json::array();
  for (const std::vector<Json>& of : measured)
    for (const Json& row : of) rows.push_back(row);
  return {{"rows", rows}};
}

std::vector<Setting> DiscExperiment::setup(Scale scale) const {
  const DiscScale s = disc_scale(scale);
  std::vector<Setting> out = {
      {"images",
       fmt::format(
           "solid discs (A) and striped ones (B) on landscapes, {0} x {0} pixels, drawn by torsor; {1} "
           "held-out ones of either domain are scored",
           kDiscSide, s.tests),
       "the paper's photographs have no known truth for each image, and take days"},
      {"right translation",
       "a disc of the target's kind and the truth's size at its place, on the input's ground",
       "the measure of the demonstration; people and networks that rate images are not needed"},
      {"training",
       fmt::format(
           "{} steps of 4 images, Adam at 0.001, half of them while it falls; least squares; batch norm, "
           "ResNets of three blocks, {} channels, discriminators of {}; averaged weights",
           s.training.steps, s.training.ngf, s.training.ndf),
       "the demonstration's, equal for all systems"}};
  for (const DiscSystem& system : systems()) out.push_back({"system \"" + system.name + "\"", system.what});
  return out;
}

std::vector<double> passes_of(const Json& rows, const std::string& system, const std::string& direction) {
  std::vector<double> out;
  for (const Json& row : rows)
    if (row.at("system") == system && row.at("directions").contains(direction))
      out.push_back(row.at("directions").at(direction).at("pass"));
  return out;
}

double mean_disc_pass(const Json& rows, const std::string& system,
                      const std::vector<std::string>& directions) {
  std::vector<double> all;
  for (const std::string& direction : directions)
    for (const double share : passes_of(rows, system, direction)) all.push_back(share);
  if (all.empty()) fail("there are no numbers of {}", system);
  return mean_interval(all).mean;
}

std::string DiscExperiment::shares_text(const Json& rows, const std::vector<std::string>& directions) const {
  std::vector<std::string> said;
  for (const DiscSystem& system : systems())
    said.push_back(
        fmt::format("{} {:.0f} %", system.name, 100 * mean_disc_pass(rows, system.name, directions)));
  return join(said, ", ");
}

void DiscExperiment::present(const Json& results, ReproductionPage& page) const {
  const Json& rows = results.at("rows");
  Table table{
      {"system", "solid to striped", "striped to solid", "kind", "place", "ground", "hue error"}, {}, ""};
  for (const DiscSystem& system : systems()) {
    if (passes_of(rows, system.name, "a_to_b").empty()) continue;
    table.rows.push_back({system.name, share_text(passes_of(rows, system.name, "a_to_b")),
                          share_text(passes_of(rows, system.name, "b_to_a")),
                          part_text(rows, system.name, "shape", "{:.2f}"),
                          part_text(rows, system.name, "position", "{:.2f}"),
                          part_text(rows, system.name, "background", "{:.2f}"),
                          part_text(rows, system.name, "hue_error", "{:.0f}\u00b0")});
  }
  table.caption =
      "Share of held-out images that are translated rightly: means over the seeds, with 95 % intervals where "
      "there are several. Kind, place, ground: shares of solid discs whose translation has the target's kind "
      "of disc, at its place, on the input's ground. Hue error: mean distance from the hue that is right, "
      "90° "
      "is chance.";
  page.html().table(table);
  for (const DiscSystem& system : systems())
    if (!passes_of(rows, system.name, "a_to_b").empty())
      page.picture(system.name,
                   fmt::format("{}: {}. Rows: solid discs, what is right, the translations of each "
                               "seed.",
                               system.name, system.what));
}

}  // namespace torsor
