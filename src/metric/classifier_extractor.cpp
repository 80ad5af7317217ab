#include <ATen/core/Tensor.h>

#include "core/error.h"
#include "metric/extractors.h"
#include "metric/network_extractor.h"
#include "nn/classifier.h"
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

std::shared_ptr<Network> filled_classifier(const ClassifierOptions& options, const Archive& archive) {
  const TensorMap values = archive.tensors_under(kClassifierWeights);
  {
    const ShapesOnly outline;
    check_state_dict(*make_classifier(options), values, archive.source());
  }
  std::shared_ptr<Network> network = make_classifier(options);
  load_state_dict(*network, values, archive.source());
  network->eval();
  return network;
}

}  // namespace

bool describes_classifier(const std::map<std::string, std::string>& metadata) {
  const auto options = metadata.find(kClassifierOptions);
  return options != metadata.end() && options->second.find("\"classes\"") != std::string::npos;
}

std::shared_ptr<FeatureExtractor> make_classifier_extractor(const Archive& archive,
                                                            const NetworkPlace& place) {
  const ClassifierOptions options = classifier_options(archive);
  const std::shared_ptr<Network> network = filled_classifier(options, archive);
  WeightTable weights(archive.tensors_under(kClassifierWeights), archive.source());
  for (const auto& [key, tensor] : archive.tensors_under(kClassifierWeights))
    if (tensor.is_floating_point()) weights.take(key, tensor.sizes().vec());
  network->to(place.device, place.dtype);
  InputForm form{Resizer::clean_bicubic, options.side, options.side};
  form.channels = options.in_channels;
  const ExtractorSpec spec{
      "classifier",      kOwnProtocol,   "what the last layer sees",
      4 * options.width, weights.hash(), std::filesystem::path(archive.source()).filename().string()};
  return std::make_shared<NetworkExtractor>(
      spec, form, place, [network](const at::Tensor& x) { return classifier_features(*network, x); });
}

}  // namespace torsor
