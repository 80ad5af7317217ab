// A run of the trainer that takes no time: the model of one weight over items that count.
#pragma once

#include <memory>
#include <string>

#include "train/observers.h"
#include "train/train_test_support.h"

namespace torsor::testing {

/// A trainer over six items an epoch by two (three steps), two epochs at full rate and two decaying.
struct FakeRun {
  explicit FakeRun(std::int64_t total_steps = 12, LoaderPosition start = {}, std::uint64_t seed = 1)
      : loader(std::make_shared<CountingData>(6), {2, 0, true, 1, 0}, start),
        trainer(model, loader, schedule(), state(total_steps, seed)) {}

  static Schedule schedule() {
    ScheduleOptions options;
    options.epochs = options.epochs_decay = 2;
    return Schedule(options);
  }
  static TrainState state(std::int64_t total_steps, std::uint64_t seed) {
    TrainState state(seed);
    state.total_steps = total_steps;
    state.epochs = 4;
    return state;
  }
  Probe& probe() { return add(std::make_unique<Probe>("probe" + std::to_string(probes++))); }
  Checkpointer::Save save() {
    return [this](const std::filesystem::path& path) {
      Archive archive;
      trainer.save(archive);
      archive.write(path, {});
    };
  }
  template <class T>
  T& add(std::unique_ptr<T> observer) {
    T& out = *observer;
    trainer.add(std::move(observer));
    return out;
  }
  EndReason run() { return trainer.run(stop); }

  FakeModel model;
  Loader loader;
  Trainer trainer;
  StopFlag stop;
  int probes = 0;
};

}  // namespace torsor::testing
