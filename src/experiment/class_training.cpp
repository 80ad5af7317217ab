#include "experiment/class_training.h"

#include <map>

#include "core/error.h"
#include "core/files.h"
#include "data/labelled.h"
#include "data/loader.h"
#include "io/archive.h"
#include "train/trainer.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kSeed = 0;
constexpr std::int64_t kBatch = 64;

std::shared_ptr<Classifier> new_classifier(const ClassTraining& training, const Placement& placement) {
  OptimizerOptions optimizer;
  optimizer.lr = 1e-3;
  optimizer.beta1 = 0.9;
  return std::make_shared<Classifier>(training.options, optimizer, placement, kSeed);
}

void train(Classifier& model, const ClassTraining& training, const Request& request) {
  TransformOptions transform;
  transform.load_size = transform.crop_size = training.options.side;
  transform.flip = false;
  Loader loader(std::make_shared<LabelledDataset>(training.images, transform, training.options.in_channels,
                                                  request.log),
                LoaderOptions{kBatch, 1, true, kSeed, 0});
  TrainState state(kSeed);
  state.epochs = state.total_steps = training.steps;
  ScheduleOptions schedule;
  schedule.epochs = 1000;
  Trainer trainer(model, loader, Schedule(schedule), std::move(state));
  trainer.run(request.stop);
  check_stop(request.stop);
}

}  // namespace

std::shared_ptr<Classifier> trained_classifier(const ClassTraining& training, const fs::path& file,
                                               const Request& request) {
  const std::shared_ptr<Classifier> model = new_classifier(training, resolve_placement(request.placement));
  const std::map<std::string, std::string> made_of = {{"data", training.data},
                                                      {"options", options_to_json(model->options()).dump()},
                                                      {"steps", std::to_string(training.steps)}};
  std::error_code ec;
  if (fs::exists(file, ec)) {
    const Archive saved = Archive::read(file);
    for (const auto& [key, value] : made_of)
      if (!saved.metadata().contains(key) || saved.metadata().at(key) != value)
        fail("{}: was trained with other settings; give another --out, or remove that file", file.string());
    model->load(saved);
    return model;
  }
  train(*model, training, request);
  make_folder(file.parent_path());
  Archive archive;
  model->save(archive);
  archive.write(file, made_of);
  return model;
}

}  // namespace torsor
