#include <ATen/core/Tensor.h>

#include "core/error.h"
#include "metric/extractors.h"
#include "metric/network_extractor.h"
#include "model/classifier_file.h"

namespace torsor {

std::shared_ptr<FeatureExtractor> make_classifier_extractor(const Archive& archive,
                                                            const NetworkPlace& place) {
  const ClassifierOptions options = classifier_options(archive);
  if (options.in_channels != 1 && options.in_channels != 3)
    fail("{}: its images have {} channels; features are of grey and RGB images", archive.source(),
         options.in_channels);
  const StoredClassifier classifier = load_classifier(archive);
  WeightTable weights(classifier.weights, archive.source());
  for (const auto& [key, tensor] : classifier.weights)
    if (tensor.is_floating_point()) weights.take(key, tensor.sizes().vec());
  classifier.network->to(place.device, place.dtype);
  InputForm form{Resizer::clean_bicubic, options.side, options.side};
  form.channels = options.in_channels;
  const ExtractorSpec spec{
      "classifier",      kOwnProtocol,   "what the last layer sees",
      4 * options.width, weights.hash(), std::filesystem::path(archive.source()).filename().string()};
  return std::make_shared<NetworkExtractor>(
      spec, form, place,
      [network = classifier.network](const at::Tensor& x) { return classifier_features(*network, x); });
}

}  // namespace torsor
