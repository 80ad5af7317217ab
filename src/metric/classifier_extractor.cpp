#include <ATen/core/Tensor.h>

#include "metric/classifier_file.h"
#include "metric/extractors.h"
#include "metric/network_extractor.h"

namespace torsor {

std::shared_ptr<FeatureExtractor> make_classifier_extractor(const Archive& archive,
                                                            const NetworkPlace& place) {
  const ClassifierFile file = read_classifier(archive);
  WeightTable weights(file.weights, archive.source());
  for (const auto& [key, tensor] : file.weights)
    if (tensor.is_floating_point()) weights.take(key, tensor.sizes().vec());
  file.network->to(place.device, place.dtype);
  InputForm form{Resizer::clean_bicubic, file.options.side, file.options.side};
  form.channels = file.options.in_channels;
  const ExtractorSpec spec{
      "classifier",           kOwnProtocol,   "what the last layer sees",
      4 * file.options.width, weights.hash(), std::filesystem::path(archive.source()).filename().string()};
  return std::make_shared<NetworkExtractor>(spec, form, place, [network = file.network](const at::Tensor& x) {
    return classifier_features(*network, x);
  });
}

}  // namespace torsor
