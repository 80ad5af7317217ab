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
  return read_weights(file);
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
    return file.empty() ? read_reference(model, choice) : read_own(file, choice);
  }
  return is_torsor_file(model) ? read_own(model, choice) : read_reference(model, choice);
}

}  // namespace torsor
