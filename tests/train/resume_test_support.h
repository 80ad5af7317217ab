// Shared by the tests of resuming: a run that takes seconds, and its continuation.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "train/resume.h"
#include "train/session.h"
#include "train/train_test_support.h"

namespace torsor::testing {

/// Three steps of two images in each of four epochs.
inline TrainConfig tiny(const std::filesystem::path& out) {
  TrainConfig config = tiny_config(out);
  config.data.max_dataset_size = 5;
  config.data.batch_size = 2;
  cyclegan(config).nets.generator.ngf = cyclegan(config).nets.discriminator.ndf = 2;
  cyclegan(config).cyclegan.pool_size = 3;
  config.schedule.epochs = config.schedule.epochs_decay = 2;
  config.run.log_every = 1;
  config.run.sample_every = 2;
  config.run.checkpoint_every = "0";
  config.run.steps = 10;
  return config;
}

/// Resumes the run, with flags of the new command, and returns what was said.
inline std::vector<std::string> go_on(const std::filesystem::path& run, const Json& flags = Json::object()) {
  const auto log = std::make_shared<Lines>();
  ResumePoint point = open_resume_point(run, *log);
  ResumedConfig resumed = resumed_config(point, flags);
  use_threads(resumed.config.run.threads);
  TrainSession(std::move(resumed), std::move(point), log).run(StopFlag(), {});
  return log->lines;
}

}  // namespace torsor::testing
