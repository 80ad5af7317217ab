#include "metric/classifier_file.h"

#include <ATen/core/Tensor.h>

#include "core/error.h"
#include "metric/extractors.h"
#include "nn/state_dict.h"

namespace torsor {

namespace {

constexpr const char* kClassifierOptions = "options";
constexpr const char* kClassifierWeights = "net/classifier";

ClassifierOptions classifier_options(const Archive& archive) {
  const Json json = parse_json(archive.metadata().at(kClassifierOptions), archive.source());
  ClassifierOptions options;
  try {
    options = options_from_json<ClassifierOptions>(json, archive.source());
  } catch (const UsageError& error) {  // nobody typed them
    fail("{}: is no classifier's: {}", archive.source(), error.what());
  }
  if (options.in_channels != 1 && options.in_channels != 3)
    fail("{}: its images have {} channels; features are of grey and RGB images", archive.source(),
         options.in_channels);
  return options;
}

}  // namespace

bool describes_classifier(const std::map<std::string, std::string>& metadata) {
  const auto options = metadata.find(kClassifierOptions);
  return options != metadata.end() && options->second.find("\"classes\"") != std::string::npos;
}

ClassifierFile read_classifier(const Archive& archive) {
  ClassifierFile out{classifier_options(archive), nullptr, archive.tensors_under(kClassifierWeights)};
  {
    const ShapesOnly outline;
    check_state_dict(*make_classifier(out.options), out.weights, archive.source());
  }
  out.network = make_classifier(out.options);
  load_state_dict(*out.network, out.weights, archive.source());
  out.network->eval();
  return out;
}

}  // namespace torsor
