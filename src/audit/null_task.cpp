#include "audit/null_task.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "audit/training_watch.h"
#include "core/error.h"
#include "core/files.h"
#include "image/codec.h"
#include "image/resize.h"
#include "model/cyclegan_settings.h"
#include "train/run_set.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kNullSide = 64;  // large enough for shapes, a minute's training
constexpr std::int64_t kLeastNullSteps = 500, kMostNullSteps = 4000;  // unless asked for
constexpr std::int64_t kNullPartOfRun = 4;
constexpr std::int64_t kMostNullFilters = 64;  // the publication's width; wider ones cost hours

// An image as a file holds it, and how its samples enter a network.
struct NullImage {
  Image image;
  ValueRange range;
};

NullImage null_image(const at::Tensor& values, const ValueRange& range, const std::string& scaling,
                     std::int64_t side) {
  NullImage out{to_image(values.contiguous(), range), range};
  if (out.image.width != side || out.image.height != side) {
    out.image = resize_stored(out.image, side, side);
    if (scales_each_image(scaling)) out.range = percentile_range(out.image, range.type);
  }
  out.image.last = LastChannel::data;
  return out;
}

// How image i is stored: as all of its domain are, unless each has a scale of its own.
const ValueRange& null_stored_range(const AuditImages& images, std::int64_t i, const ModelInfo& info) {
  return scales_each_image(info.scaling()) ? images.ranges[static_cast<std::size_t>(i)]
                                           : info.domain(images.domain).range;
}

std::string null_extension(const ValueRange& range, std::int64_t channels) {
  return range.type != PixelType::f32 && (channels == 1 || channels == 3) ? "png" : "tif";
}

Json null_keys(const AuditImages& images, const GroupCut& halves) {
  const auto keys = [&](const std::vector<std::int64_t>& places) {
    Json out = Json::array();
    for (const std::int64_t place : places) out.push_back(images.keys[static_cast<std::size_t>(place)]);
    return out;
  };
  return {{"half-1", keys(halves.first)}, {"half-2", keys(halves.second)}};
}

DataOptions null_data(const DataOptions& of_run, const NullRequest& request, const ModelInfo& info) {
  const DomainInfo& domain = info.domain(request.domain);
  DataOptions out;
  out.a = (request.folder / "half-1").string();
  out.b = (request.folder / "half-2").string();
  out.pairing = "unpaired";
  out.channels_a = out.channels_b = domain.channels;
  if (!scales_each_image(info.scaling())) {
    out.white_a = out.white_b = domain.range.white;
    out.black_a = out.black_b = domain.range.black_level;
  }
  out.serial_batches = of_run.serial_batches;
  out.batch_size = of_run.batch_size;
  out.loader_threads = of_run.loader_threads;
  out.transform = of_run.transform;
  out.transform.pages = "images";
  return out;
}

RunOptions null_run(const RunOptions& of_run, const NullRequest& request, std::int64_t steps) {
  RunOptions out;
  out.out = (request.folder / "run").string();
  out.steps = steps;
  out.seed = request.seed;
  out.placement = request.placement;
  out.placement.precision = of_run.placement.precision;
  out.log_every = std::max<std::int64_t>(1, steps / 200);
  out.sample_every = 0;
  out.checkpoint_every = "1min";
  out.keep_last = 1;
  out.tensorboard = out.report = false;
  return out;
}

// What the run's crops were cut from, in proportion.
TransformOptions null_transform(TransformOptions of_run, std::int64_t side) {
  const double enlarged = of_run.preprocess == "resize_and_crop"
                              ? static_cast<double>(of_run.load_size) / static_cast<double>(of_run.crop_size)
                              : 1.0;
  of_run.preprocess = "resize_and_crop";
  of_run.crop_size = side;
  of_run.load_size = std::max<std::int64_t>(side, std::llround(enlarged * static_cast<double>(side)));
  return of_run;
}

// Wider networks than usual, as wide as usual.
void bound_null_width(TrainConfig& config, std::vector<std::string>& changes) {
  for (const char* name : {"ngf", "ndf"}) {
    const Json width = option_value(config, name);
    if (!width.is_number_integer() || width.get<std::int64_t>() <= kMostNullFilters) continue;
    set_option(config, name, kMostNullFilters);
    changes.push_back(fmt::format("{} {} instead of {}", name, kMostNullFilters, width.dump()));
  }
}

// The run's schedule, as many times shorter as the null task is.
void scale_null_schedule(TrainConfig& config, const NullRequest& request, std::vector<std::string>& changes) {
  const std::unique_ptr<Model> model = config.make_model(Placement());
  const std::int64_t batches = (request.half_size + config.data.batch_size - 1) / config.data.batch_size;
  const std::int64_t per_epoch = std::max<std::int64_t>(1, batches / model->batches_per_step());
  const std::int64_t total = (config.run.steps + per_epoch - 1) / per_epoch;
  ScheduleOptions& schedule = config.schedule;
  const double part = static_cast<double>(total) / static_cast<double>(schedule.total());
  schedule.epochs = std::min<std::int64_t>(total, std::llround(part * static_cast<double>(schedule.epochs)));
  schedule.epochs_decay = total - schedule.epochs;
  schedule.lr_decay_epochs =
      std::max<std::int64_t>(1, std::llround(part * static_cast<double>(schedule.lr_decay_epochs)));
  const std::vector<std::string> losses = model->loss_names();
  if (schedule.lr_policy != "plateau" ||
      std::find(losses.begin(), losses.end(), schedule.plateau_loss) != losses.end())
    return;
  schedule.lr_policy = "constant";
  changes.push_back(fmt::format("a constant learning rate, since {} is not measured", schedule.plateau_loss));
}

// Two domains of unlike channels have no identity loss, and then their null task has none either.
bool keep_null_identity_off(TrainConfig& config, const DomainChannels& of_run) {
  auto* settings = dynamic_cast<CycleGanSettings*>(&*config.model);
  if (settings == nullptr) return false;
  std::string notice;
  if (resolve_identity(settings->cyclegan, of_run.a, of_run.b, notice).on()) return true;
  if (!settings->cyclegan.alpha_id) settings->cyclegan.lambda_identity = 0;
  return false;
}

}  // namespace

std::int64_t null_side(const TrainConfig& config, std::int64_t audited, std::int64_t asked) {
  const std::vector<NetworkInfo> networks = config.networks();
  if (asked > audited)
    fail_usage("--null-size {}: is larger than the audited images, whose shorter side has {} pixels", asked,
               audited);
  if (asked > 0) {
    for (const NetworkInfo& network : networks)
      check_size("--null-size", {asked, asked}, network.sides, network_label(network));
    return asked;
  }
  const SizeRule rule = common_sides(networks);
  const std::int64_t below = std::min(kNullSide, audited) / rule.multiple * rule.multiple;
  if (below >= rule.minimum) return below;
  return (rule.minimum + rule.multiple - 1) / rule.multiple * rule.multiple;
}

std::int64_t null_steps(std::int64_t of_run, std::int64_t asked) {
  if (asked > 0) return asked;
  const std::int64_t chosen = std::clamp(of_run / kNullPartOfRun, kLeastNullSteps, kMostNullSteps);
  return of_run > 0 ? std::min(of_run, chosen) : chosen;
}

NullSettings null_settings(const AuditedRun& run, const NullRequest& request) {
  if (run.info.training.empty())
    fail("{}: does not say with which options it was trained, so that its training cannot be repeated",
         run.source);
  NullSettings out{
      config_from_json(run.info.training, run.source + ": its training options"), 0, 0, {}, false};
  TrainConfig& config = out.config;
  const TrainConfig of_run = config;
  const std::int64_t steps = null_steps(run.info.step, request.steps);
  config.data = null_data(of_run.data, request, run.info);
  config.run = null_run(of_run.run, request, steps);
  config.evaluation = EvaluationOptions();
  config.alarms.alarm_every = 0;
  config.alarms.stop_on.clear();
  bound_null_width(config, out.changes);
  out.asks_for_identity = keep_null_identity_off(config, of_run.channels());
  out.side = null_side(config, request.audited_side, request.side);
  config.data.transform = null_transform(of_run.data.transform, out.side);
  out.stored_side = std::max(out.side, std::min(config.data.transform.load_size, request.audited_side));
  if (out.side != request.audited_side)
    out.changes.push_back(
        fmt::format("{0} x {0} pixels instead of {1} x {1}", out.side, request.audited_side));
  out.changes.push_back(fmt::format("{} steps, where the run had {}", steps, run.info.step));
  scale_null_schedule(config, request, out.changes);
  config.validate();
  return out;
}

AuditImages null_images(const AuditImages& images, const ModelInfo& info, std::int64_t side) {
  AuditImages out = images;
  std::vector<at::Tensor> values;
  for (std::int64_t i = 0; i < images.size(); ++i) {
    const NullImage image =
        null_image(images.values[i], null_stored_range(images, i, info), info.scaling(), side);
    values.push_back(to_tensor(image.image, image.range));
    out.ranges[static_cast<std::size_t>(i)] = image.range;
  }
  out.values = at::stack(values);
  return out;
}

void write_null_halves(const AuditImages& images, const GroupCut& halves, const ModelInfo& info,
                       std::int64_t side, const fs::path& folder) {
  const fs::path record = folder / "images.json";  // written last: where it is, all of them are
  const Json wanted = {{"side", side}, {"images", null_keys(images, halves)}};
  std::error_code ec;
  if (fs::exists(record, ec)) {
    if (read_json(record) == wanted) return;
    fail("{}: holds the images of another null task; give another --out, or remove that folder",
         folder.string());
  }
  for (const auto& [name, places] : {std::pair{"half-1", &halves.first}, {"half-2", &halves.second}}) {
    make_folder(folder / name);
    for (std::size_t k = 0; k < places->size(); ++k) {
      const std::int64_t i = (*places)[k];
      const ValueRange& range = null_stored_range(images, i, info);
      write_image(folder / name / fmt::format("{:06}.{}", k, null_extension(range, images.values.size(1))),
                  null_image(images.values[i], range, info.scaling(), side).image);
    }
  }
  write_file_atomically(record, wanted.dump() + "\n");
}

AuditedRun train_null_task(const NullSettings& settings, LogSink& log, const StopFlag& stop) {
  const std::string what = "null task: steps";
  const auto quiet = std::make_shared<TrainingLog>(log, "null task");
  make_folder(fs::path(settings.config.run.out).parent_path());
  if (const auto session = open_run(settings.config, quiet)) {
    std::vector<std::unique_ptr<Observer>> watch;
    watch.push_back(std::make_unique<TrainingWatch>(log, what));
    session->run(stop, std::move(watch));
  }
  check_stop(stop);
  return open_audited_run(settings.config.run.out, resolve_placement(settings.config.run.placement));
}

}  // namespace torsor
