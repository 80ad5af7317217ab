#include "doctor/preset_cost.h"

#include <algorithm>

#include "core/allocation.h"
#include "core/machine.h"
#include "train/estimate.h"

namespace torsor {

namespace {

TrainConfig config_of_preset(const std::string& name) {
  TrainConfig config;
  OptionSet options;
  config.describe(options);
  options.from_json(train_preset(name, *config.model), "--preset " + name);
  return config;
}

PresetCost cost_of(const std::string& name, std::size_t images) {
  const TrainConfig config = config_of_preset(name);
  const MemoryRoom room = memory_room();
  const double already = resident_bytes();
  StepCost step;
  for_purpose("a trial of a step", "leave it out with --presets",
              [&] { step = measure_step(config, Trial::scaled); });
  const std::int64_t batch = config.data.batch_size;
  const std::int64_t an_epoch = (static_cast<std::int64_t>(images) + batch - 1) / batch;
  PresetCost out;
  out.name = name;
  out.crop = config.data.transform.crop_size;
  out.steps = an_epoch * (config.schedule.epochs + config.schedule.epochs_decay);
  out.seconds_a_step = step.seconds;
  out.bytes = already + step.bytes;
  out.fits = step.bytes <= room.bytes;
  out.bound = room.bound;
  return out;
}

}  // namespace

std::vector<PresetCost> preset_costs(const std::vector<std::string>& presets, std::size_t images,
                                     LogSink& log, const StopFlag& stop) {
  std::vector<PresetCost> out;
  for (const std::string& name : presets) {
    log.progress("presets", static_cast<std::int64_t>(out.size()), static_cast<std::int64_t>(presets.size()));
    out.push_back(cost_of(name, images));
    check_stop(stop);
  }
  return out;
}

}  // namespace torsor
