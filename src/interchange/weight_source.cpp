#include "interchange/weight_source.h"

#include <fstream>

#include "core/error.h"
#include "interchange/identity_source.h"
#include "interchange/reference_source.h"
#include "io/run_directory.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

// A safetensors file has an opening brace behind its length; a file may also say by its name what it ought to
// be.
bool is_safetensors(const fs::path& path) {
  if (path.extension() == ".safetensors") return true;
  char head[9] = {};
  std::ifstream(path, std::ios::binary).read(head, sizeof head);
  return head[8] == '{';
}

WeightSet read_own(const fs::path& file, const WeightChoice& choice) {
  require_undecided(choice, file.string());
  return read_weights(file);
}

}  // namespace

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
  return is_safetensors(model) ? read_own(model, choice) : read_reference(model, choice);
}

}  // namespace torsor
