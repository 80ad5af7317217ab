#include "interchange/weight_source.h"

#include "core/error.h"
#include "interchange/identity_source.h"
#include "interchange/network_search.h"
#include "interchange/reference_source.h"
#include "io/run_directory.h"
#include "io/safetensors.h"
#include "model/model_keys.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

WeightSet read_own(const fs::path& file, const WeightChoice& choice) {
  require_undecided(choice, file.string());
  WeightSet set = read_weights(file);
  if (choice.weights == "averaged" && set.averaged.empty())
    fail_usage("--weights averaged: {} has none; leave it out, or train with --ema", set.source);
  if (choice.weights == "last") set.averaged.clear();
  return set;
}

void require_nothing_averaged(const WeightChoice& choice, const fs::path& model) {
  if (!choice.weights.empty())
    fail_usage("--weights {}: {} is no torsor model, so nothing is averaged; leave it out", choice.weights,
               model.string());
}

WeightSet read_foreign(const fs::path& path, const WeightChoice& choice) {
  require_nothing_averaged(choice, path);
  return read_reference(path, choice);
}

}  // namespace

bool is_torsor_file(const fs::path& file) {
  return is_safetensors(file) && describes_model(read_safetensors_metadata(file));
}

fs::path weights_in_run(const fs::path& run) {
  const RunDirectory directory(run);
  std::error_code ec;
  if (fs::is_regular_file(directory.model(), ec)) return directory.model();
  const auto checkpoints = directory.list_checkpoints();
  return checkpoints.empty() ? fs::path() : checkpoints.back().path;
}

WeightSet open_weights(const fs::path& model, const WeightChoice& choice) {
  if (model == kIdentityModel) {
    require_undecided(choice, model.string());
    require_nothing_averaged(choice, model);
    return identity_weights();
  }
  std::error_code ec;
  if (!fs::exists(model, ec))
    fail(
        "{}: no such model; expected a run directory, a .safetensors model, a .pth, or the reference's "
        "folder of them",
        model.string());
  if (fs::is_directory(model)) {
    const fs::path file = weights_in_run(model);
    return file.empty() ? read_foreign(model, choice) : read_own(file, choice);
  }
  return is_torsor_file(model) ? read_own(model, choice) : read_foreign(model, choice);
}

}  // namespace torsor
