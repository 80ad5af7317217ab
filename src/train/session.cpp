#include "train/session.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "core/text.h"
#include "core/time.h"
#include "interchange/weight_source.h"
#include "model/environment.h"
#include "model/placement.h"
#include "model/weight_average.h"
#include "nn/state_dict.h"
#include "train/configuration_table.h"
#include "train/init_from.h"
#include "train/returns.h"
#include "train/tensorboard_log.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

const std::string kDataKey = "train/data";
const std::string kRanksKey = "train/ranks";  // where there were several

std::vector<std::string> names_of(const std::vector<std::unique_ptr<Observer>>& observers,
                                  std::vector<std::string> (Observer::*of)() const) {
  std::vector<std::string> names;
  for (const auto& observer : observers)
    for (std::string& name : (observer.get()->*of)()) names.push_back(std::move(name));
  return names;
}

// All that a step of a run with these observers can say.
std::vector<std::string> scalar_names(const Model& model,
                                      const std::vector<std::unique_ptr<Observer>>& observers) {
  std::vector<std::string> names = model.loss_names();
  for (std::string& name : names_of(observers, &Observer::scalar_names)) names.push_back(std::move(name));
  return names;
}

}  // namespace

TrainSession::TrainSession(TrainConfig config, std::shared_ptr<LogSink> log, Occupied occupied,
                           TrainData data, Context& context)
    : config_(std::move(config)),
      log_(std::move(log)),
      context_(context),
      occupied_(occupied),
      data_(std::move(data)) {
  open();
}

TrainSession::TrainSession(ResumedConfig resumed, ResumePoint point, std::shared_ptr<LogSink> log,
                           TrainData data)
    : config_(std::move(resumed.config)),
      log_(std::move(log)),
      context_(single_rank()),
      resumed_(std::move(point)),
      changes_(std::move(resumed.changes)),
      image_paths_(std::move(resumed.image_paths)),
      data_(std::move(data)) {
  open();
  take_up();
}

void TrainSession::open() {
  if (!resumed_) config_.read_files();
  config_.validate();
  placement_ = resolve_placement(config_.run.placement);
  const auto seed = static_cast<std::uint64_t>(config_.run.seed);
  for (const std::string& line : config_.model->notices(config_.channels(), config_.data.transform.scaling))
    log_->notice(line);
  Schedule schedule(config_.schedule);
  const TrainConfig located = with_images_at(config_, image_paths_);
  if (!data_.train) data_ = open_data(located, log_);
  anchors_ = data_.anchors;
  model_ = located.make_model(placement_);
  if (resumed_) inherit_anchors(resumed_->info.anchors);
  if (!resumed_ && !config_.run.init_from.empty()) {
    const WeightSet from = open_weights(config_.run.init_from);
    take_weights(*model_, config_.networks(), from, *log_);
    inherit_anchors(from.info.anchors);
  }
  if (config_.optimizer.ema > 0) model_->keep_average(config_.optimizer.ema);
  TrainState state(rank_seed(seed, context_));
  if (resumed_) state.load(resumed_->archive);
  loader_ =
      std::make_unique<Loader>(data_.train,
                               LoaderOptions{config_.data.batch_size, config_.data.loader_threads,
                                             !config_.data.serial_batches, seed, config_.data.epoch_size},
                               state.loader, context_);
  state.epochs = config_.schedule.total();
  state.total_steps = steps_per_epoch() * state.epochs;
  if (config_.run.steps > state.total_steps)
    log_->notice(fmt::format(
        "--steps {} lies beyond the schedule's end, the run ends after {} steps; raise --epochs to continue",
        config_.run.steps, state.total_steps));
  if (config_.run.steps > 0) state.total_steps = std::min(state.total_steps, config_.run.steps);
  trainer_ = std::make_unique<Trainer>(*model_, *loader_, schedule, std::move(state), context_);
}

// Pairs that earlier steps learnt from stay no evidence, whatever this session trains with.
void TrainSession::inherit_anchors(const std::vector<std::string>& of_the_beginning) {
  std::set<std::string> all(anchors_.begin(), anchors_.end());
  all.insert(of_the_beginning.begin(), of_the_beginning.end());
  anchors_.assign(all.begin(), all.end());
}

// The rest of what the checkpoint holds, and a word about all that is not as it was.
void TrainSession::take_up() {
  const Archive& archive = resumed_->archive;
  trainer_->load(archive);
  trainer_->note_checkpoint(resumed_->checkpoint.string());
  const auto warn = [&](const std::string& line) {
    log_->warning(line);
    resumed_->warnings.push_back(line);
  };
  for (const OptionChange& change : changes_)
    log_->notice(fmt::format("changed: {} was {} until step {}, now {}", change.name, change.then.dump(),
                             state().step, change.now.dump()));
  if (archive.has_value(kRanksKey))
    warn(fmt::format("the run was on {} ranks and continues on one, with its batches alone",
                     archive.value(kRanksKey).dump()));
  const auto elsewhere = environment_changes(resumed_->info.environment, describe_environment(placement_));
  if (!elsewhere.empty())
    warn(fmt::format("the last bits will not be those of an uninterrupted run: {}", join(elsewhere)));
  if (archive.has_value(kDataKey) && archive.value(kDataKey) != data_.files)
    warn(fmt::format("the images are not those that the run began with: {} then, {} now",
                     archive.value(kDataKey).dump(), data_.files.dump()));
}

std::int64_t TrainSession::steps_per_epoch() const {
  return std::max<std::int64_t>(1, loader_->batches_per_epoch() / model_->batches_per_step());
}

void TrainSession::open_directory() {
  const RunDirectory directory = this->directory();
  if (!resumed_) directory.require_free(occupied_);
  directory.make();
  if (!resumed_) {
    std::string warning;
    lock_.emplace(directory, warning);
    directory.require_free(occupied_);  // another process may have been quicker
    if (occupied_ == Occupied::restart) {
      directory.clear();
      directory.make();
    }
    if (!warning.empty()) log_->warning(warning);
  }
  directory.write_config(options_to_json(config_));
  note_session();
}

void TrainSession::note_session() const {
  Json changes = Json::object();
  for (const OptionChange& change : changes_)
    changes[change.name] = {{"then", change.then}, {"now", change.now}};
  JsonlFile(directory().sessions())
      .write({{"started", utc_now()},
              {"from_step", state().step},
              {"steps", state().total_steps},
              {"checkpoint", resumed_ ? Json(resumed_->checkpoint.filename().string()) : Json(nullptr)},
              {"changes", changes},
              {"losses", model_->loss_names()},
              {"domains",
               {{"a", {{"name", data_.a.name}, {"images", data_.count_a}}},
                {"b", {{"name", data_.b.name}, {"images", data_.count_b}}}}},
              {"images", images_as_stored(with_images_at(config_, image_paths_), config_)},
              {"warnings", resumed_ ? resumed_->warnings : std::vector<std::string>{}},
              {"environment", describe_environment(placement_)}});
}

// Within a time budget also by time, so that little of it is lost to a power failure.
Cadence TrainSession::checkpoint_cadence() const {
  Cadence cadence = Cadence::parse(config_.run.checkpoint_every, "checkpoint_every");
  if (config_.run.time_budget.empty() || (cadence.steps == 0 && cadence.seconds == 0)) return cadence;
  const double most = budget_interval(parse_duration(config_.run.time_budget, "time_budget"));
  cadence.seconds = cadence.seconds > 0 ? std::min(cadence.seconds, most) : most;
  return cadence;
}

void TrainSession::keep_budget(double used) {
  if (config_.run.time_budget.empty()) return;
  const double budget = parse_duration(config_.run.time_budget, "time_budget");
  if (resumed_) used += BudgetKeeper::used_before(resumed_->archive);
  if (resumed_ && used >= budget)
    return log_->notice(
        fmt::format("the time budget of {} is used up and no longer heeded; --time-budget gives another, for "
                    "the whole run",
                    human_duration(budget)));
  const auto clock = [used, start = std::chrono::steady_clock::now()] {
    return used + std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  trainer_->add(std::make_unique<BudgetKeeper>(
      budget, budget_interval(budget), steps_per_epoch(),
      Length{config_.schedule.epochs, config_.schedule.epochs_decay, state().total_steps}, clock,
      [this, clock](const Length& length) { take_length(length, clock()); }));
}

// A resumed run finds the length in config.json and in its checkpoint, and how it came about in a file of its
// own.
void TrainSession::take_length(const Length& length, double used) {
  ScheduleOptions& schedule = config_.schedule;
  const bool changes = schedule.epochs != length.epochs || schedule.epochs_decay != length.epochs_decay;
  if (changes)
    log_->notice(fmt::format("time budget: {} + {} epochs, where {} + {} were planned", length.epochs,
                             length.epochs_decay, schedule.epochs, schedule.epochs_decay));
  schedule.epochs = length.epochs;
  schedule.epochs_decay = length.epochs_decay;
  const std::int64_t steps = config_.run.steps > 0 ? std::min(config_.run.steps, length.steps) : length.steps;
  if (length.steps == state().step) config_.run.steps = steps;  // time is up
  trainer_->set_length(length.epochs, length.epochs_decay, steps);
  JsonlFile(directory().budget())
      .write({{"step", state().step},
              {"seconds", used},
              {"epochs", length.epochs},
              {"epochs_decay", length.epochs_decay},
              {"steps", steps}});
  directory().write_config(options_to_json(config_));
}

EndReason TrainSession::run(const StopFlag& stop, std::vector<std::unique_ptr<Observer>> extra, double used) {
  trainer_->schedule().check_losses(scalar_names(*model_, extra));
  trainer_->set_rising(names_of(extra, &Observer::rising_scalars));
  if (context_.is_first()) open_directory();
  context_.barrier();
  if (context_.is_first()) add_observers(std::move(extra), used);
  if (resumed_) {
    trainer_->load_observers(resumed_->archive);
    resumed_->archive = Archive();  // weights and moments, which the model has now
  }
  const EndReason reason = trainer_->run(stop);
  if (context_.is_first()) write_model(directory().model());
  context_.barrier();
  return reason;
}

void TrainSession::add_observers(std::vector<std::unique_ptr<Observer>> extra, double used) {
  const RunOptions& o = config_.run;
  trainer_->add(std::make_unique<JsonlLog>(directory().log(), o.log_every, *loader_));
  Sampler::Display display = add_display();
  trainer_->add(std::make_unique<Sampler>(*model_, data_.fixed, sample_range(), directory(), o.sample_every,
                                          std::move(display)));
  if (data_.held_out.images)
    trainer_->add(std::make_unique<HeldOutSampler>(*model_, data_.held_out.images, sample_range(),
                                                   directory().held_out_samples()));
  keep_budget(used);
  trainer_->set_checkpointer(
      std::make_unique<Checkpointer>(directory(), checkpoint_cadence(), Retention{o.keep_last, o.keep_every},
                                     [this](const fs::path& path) { write_checkpoint(path); }));
  for (auto& observer : extra) trainer_->add(std::move(observer));
}

// What shows the samples beside their files; the trainer keeps it as long as the sampler.
Sampler::Display TrainSession::add_display() {
  if (!config_.run.tensorboard) {
    rewind_event_files(directory(), state().step);  // of sessions that had it
    return [](const SamplePicture&) {};
  }
  auto log =
      std::make_unique<TensorBoardLog>(directory(), config_.run.log_every, configuration_table(config_));
  TensorBoardLog& kept = *log;
  trainer_->add(std::move(log));
  return [&kept](const SamplePicture& picture) { kept.add(picture); };
}

// One for all pictures of a sample grid, which have 8 bits: those of both domains stand in one row.
ValueRange TrainSession::sample_range() const {
  if (data_.a.range.black != 0) return {};
  const ValueRange a = percentile_range_as(data_.a.range, PixelType::u8),
                   b = percentile_range_as(data_.b.range, PixelType::u8);
  return {(a.white + b.white) / 2, 0};
}

ModelInfo TrainSession::model_info() const {
  ModelInfo info;
  info.type = config_.model.name();
  info.networks = config_.networks();
  info.domains = {{"a", data_.a}, {"b", data_.b}};
  info.preprocessing = options_to_json(config_.data.transform);
  info.training = options_to_json(config_);
  info.environment = describe_environment(placement_);
  info.note = config_.run.note;
  info.licence = config_.run.licence;
  info.step = trainer_->state().step;
  info.anchors = anchors_;
  return info;
}

void TrainSession::write_model(const fs::path& path) const {
  WeightSet set{path.string(), "torsor model", model_info(), {}, {}, {}};
  const WeightAverage* average = model_->average();
  for (const auto& [name, network] : model_->networks()) {
    const TensorMap* averaged = average == nullptr ? nullptr : average->of(name);
    if (averaged != nullptr) set.averaged[name] = *averaged;
    set.weights[name] = state_dict(*network);
  }
  measure_returns(set, data_.fixed, placement_, *log_);
  write_weights(path, set);
}

void TrainSession::write_checkpoint(const fs::path& path) const {
  Archive archive;
  trainer_->save(archive);
  archive.put(kDataKey, data_.files);
  if (!context_.is_alone()) archive.put(kRanksKey, Json(context_.size()));
  archive.write(path, model_metadata(model_info()));
}

}  // namespace torsor
