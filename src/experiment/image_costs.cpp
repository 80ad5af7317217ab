#include "experiment/image_costs.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <atomic>
#include <functional>

#include "audit/audit_request.h"
#include "audit/parts.h"
#include "audit/solution.h"
#include "core/files.h"
#include "core/parallel.h"
#include "data/data_source.h"
#include "data/tensor_image.h"
#include "experiment/digit_runs.h"
#include "image/codec.h"
#include "train/run_set.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

struct ImageScale {
  std::int64_t steps = 1200;
  std::int64_t ngf = 16, ndf = 32;
  std::int64_t training = 1000, tests = 120;  // of a domain, of images that are derived
  std::int64_t compared = 100;                // held-out images of a domain
  std::string features = "random-vgg";        // that tell solutions
};

ImageScale image_scale(Scale scale) {
  if (scale == Scale::smoke) return {4, 4, 4, 12, 12, 12, "pixels"};
  if (scale == Scale::full) return {5000};
  return {};
}

constexpr std::int64_t kDrawnSide = 32;   // of drawn images and digits
constexpr std::int64_t kFolderSide = 64;  // of photographs
constexpr std::int64_t kBatchOfImages = 4;

using ImageChange = Image (*)(const Image&);

Image unchanged(const Image& image) { return image; }
Image as_negative(const Image& image) { return to_image(-to_tensor(image, {})); }
// By a quarter, against the clock.
Image quarter_turn(const Image& image) {
  return to_image(at::rot90(to_tensor(image, {}), 1, {1, 2}).contiguous());  // [C,H,W]
}

void write_derived(const fs::path& folder, const LabelledSource& from, std::int64_t first, std::int64_t count,
                   ImageChange change) {
  make_folder(folder);
  for (std::int64_t i = 0; i < count; ++i) {
    const fs::path file = folder / fmt::format("{:05}.png", i);
    std::error_code ec;
    if (!fs::exists(file, ec)) write_image(file, change(from.read(first + i)));
  }
}

// A: the first digits, B: others, changed.
ImageProblem derived_problem(const DigitData& digits, const std::string& what, ImageChange change,
                             const ImageScale& scale, const fs::path& out) {
  const fs::path root = out / "data" / what;
  const std::int64_t training = std::min(scale.training, digits.train->size() / 2),
                     tests = std::min(scale.tests, digits.test->size() / 2);
  write_derived(root / "trainA", *digits.train, 0, training, unchanged);
  write_derived(root / "trainB", *digits.train, training, training, change);
  write_derived(root / "testA", *digits.test, 0, tests, unchanged);
  write_derived(root / "testB", *digits.test, tests, tests, change);
  return {fmt::format("{} to {}", digits.name, what),
          {{"data", root.string()},
           {"channels_a", 1},
           {"channels_b", 1},
           {"load_size", kDrawnSide},
           {"crop_size", kDrawnSide},
           {"flip", false}}};
}

Json shared_image_settings(const ImageScale& scale) {
  const std::int64_t epochs = std::max<std::int64_t>(1, scale.steps / 100);
  Json out = {{"net_d", "n_layers"},
              {"n_layers_d", 2},
              {"norm", "batch"},
              {"ngf", scale.ngf},
              {"ndf", scale.ndf},
              {"batch_size", kBatchOfImages},
              {"lr", 1e-3},
              {"ema", 0.995},
              {"lambda_cycle_a", 10.0},
              {"lambda_cycle_b", 10.0},
              {"lambda_identity", 0.0},
              {"epoch_size", 50 * kBatchOfImages},
              {"epochs", epochs},
              {"epochs_decay", epochs},
              {"steps", scale.steps}};
  out.update(background_settings(std::max<std::int64_t>(10, scale.steps / 4)));
  return out;
}

std::string run_name(const ImageProblem& problem, const ImageArm& arm) {
  std::string out = problem.name + "-" + arm.name;
  for (char& c : out)
    if (c == ' ' || c == ',' || c == '/') c = '-';
  return out;
}

Json measured_run(const ImageProblem& problem, const ImageArm& arm, std::uint64_t seed,
                  const ImageScale& scale, const Request& request) {
  AuditRequest audit;
  audit.runs = {run_folder(request.out, run_name(problem, arm), seed).string()};
  audit.data = problem.options.at("data");
  audit.data_pairs = false;
  audit.out = request.out / "audits" / run_name(problem, arm);
  audit.placement = request.placement;
  AuditOptions options;
  options.max_images = scale.compared;
  options.features.features = scale.features;
  AuditMaterial material(open_audit(audit, options, std::make_shared<NullLog>()), options, audit.out,
                         std::make_shared<NullLog>(), request.stop);
  const Json solution = solution_part().measure(material).at("runs").at(0).at("directions");
  const Json transport = transport_part().measure(material).at("directions");
  Json out = {{"problem", problem.name}, {"arm", arm.name}, {"seed", seed}, {"directions", Json::object()}};
  for (const auto& [direction, of] : transport.items()) {
    const std::string reason = no_solution(solution.at(direction), options.thresholds);
    out["directions"][direction] = {{"solution", reason.empty()},
                                    {"reason", reason},
                                    {"own", of.at("own").at("value")},
                                    {"cost", of.at("cost").at("value")},
                                    {"gap", of.at("gap").at("value")}};
  }
  return out;
}

std::vector<ImageArm> arms_at(Scale scale) {
  std::vector<ImageArm> out = image_arms();
  if (scale == Scale::smoke)
    std::erase_if(out, [](const ImageArm& arm) { return arm.name != kUsualImageArm; });
  return out;
}

}  // namespace

std::vector<ImageProblem> image_problems(const Request& request) {
  const ImageScale scale = image_scale(request.scale);
  const DigitScale digits = {kDrawnSide, 16, 24, 0, 0, 2 * scale.training, 2 * scale.tests};
  const auto drawn = [](const std::string& name, const std::string& task, Json more) -> ImageProblem {
    Json options = {{"data", "generated:" + task}, {"load_size", kDrawnSide}, {"crop_size", kDrawnSide}};
    options.update(more);
    return {name, options};
  };
  if (request.data.empty()) {
    std::vector<ImageProblem> out = {
        drawn("circles to squares", "circles-squares", Json::object()),
        derived_problem(open_digits({}, digits), "negatives", as_negative, scale, request.out)};
    if (request.scale != Scale::smoke)
      out.push_back(drawn("T1 to FLAIR", "t1-flair", {{"channels_a", 1}, {"channels_b", 1}}));
    return out;
  }
  if (&data_source_type(request.data.string()) == &data_source_types().at("mnist")) {
    const DigitData mnist = open_digits(request.data, digits);
    return {derived_problem(mnist, "negatives", as_negative, scale, request.out),
            derived_problem(mnist, "turned", quarter_turn, scale, request.out)};
  }
  return {{folder_name(request.data),
           {{"data", request.data.string()}, {"load_size", kFolderSide}, {"crop_size", kFolderSide}}}};
}

const std::vector<ImageArm>& image_arms() {
  static const std::vector<ImageArm> arms = [] {
    std::vector<ImageArm> out;
    for (const auto& [gain, name] : {std::pair{0.002, "0.002"}, {0.02, "0.02"}, {0.2, "0.2"}})
      out.push_back({fmt::format("ResNet, {}", name),
                     fmt::format("resnet_3blocks, initial gain {}", name),
                     {{"net_g", "resnet_3blocks"}, {"upsample", "blur"}, {"init_gain", gain}}});
    out.push_back({"no skips, 0.02",
                   "autoencoder with a fully connected bottleneck and no skips, initial gain 0.02",
                   {{"net_g", "autoencoder"}, {"init_gain", 0.02}}});
    return out;
  }();
  return arms;
}

Json measure_image_costs(const std::vector<ImageProblem>& problems, const Request& request) {
  const ImageScale scale = image_scale(request.scale);
  const std::vector<ImageArm> arms = arms_at(request.scale);
  std::vector<TrainConfig> configs;
  std::vector<std::function<Json()>> measures;
  for (const ImageProblem& problem : problems)
    for (const ImageArm& arm : arms)
      for (const std::uint64_t seed : request.seeds) {
        Json settings = shared_image_settings(scale);
        settings.update(problem.options);
        settings.update(arm.settings);
        if (settings.at("net_g") == "autoencoder")
          settings["net_g"] = fmt::format("autoencoder_{}", settings.at("crop_size").get<std::int64_t>());
        configs.push_back(run_config(std::move(settings), run_name(problem, arm), seed, request.out));
        measures.push_back([&, seed] { return measured_run(problem, arm, seed, scale, request); });
      }
  train_runs(std::move(configs), request.runs());
  std::vector<Json> rows(measures.size());
  std::atomic<std::int64_t> done{0};
  in_parallel(rows.size(), request.stop, [&](std::size_t k) {
    rows[k] = measures[k]();
    request.log->progress("measured", ++done, std::ssize(rows));
  });
  check_stop(request.stop);
  return rows;
}

std::vector<Setting> image_cost_settings(Scale scale) {
  const ImageScale s = image_scale(scale);
  std::vector<Setting> out = {
      {"images",
       fmt::format(
           "{0} x {0} pixels where they are drawn or digits, {1} x {1} of other folders; costs are of {2} "
           "held-out ones of either domain",
           kDrawnSide, kFolderSide, s.compared),
       "small enough for minutes"},
      {"training",
       fmt::format(
           "{} steps of {} images, Adam at 0.001, half of them while it falls; cycle 10, no identity term; "
           "batch norm",
           s.steps, kBatchOfImages),
       "the demonstration's"},
      {"a run counts in a direction where it is a solution",
       "KID of its translations at most 0.8 of the inputs', and a cycle that survives rounding, as the audit "
       "asks"},
      {"cost", "mean of squared differences of pixels, on the scale from -1 to 1"}};
  for (const ImageArm& arm : image_arms()) out.push_back({"generator \"" + arm.name + "\"", arm.what});
  return out;
}

}  // namespace torsor
