#include "metric/efficientnet_lite.h"
#include "metric/extractors.h"
#include "metric/network_extractor.h"

namespace torsor {

std::shared_ptr<FeatureExtractor> make_efficientnet_extractor(FeatureWeights file,
                                                              const NetworkPlace& place) {
  constexpr std::int64_t kEfficientNetSide = 224;
  WeightTable weights(std::move(file.tensors), file.source);
  const auto network = std::make_shared<const EfficientNetLite0>(weights, place);
  InputForm form{Resizer::clean_bicubic, kEfficientNetSide, kEfficientNetSide};
  form.shift = {255 * 0.485, 255 * 0.456, 255 * 0.406};
  form.scale = {255 * 0.229, 255 * 0.224, 255 * 0.225};
  const ExtractorSpec spec{kEfficientNetLite0, kOwnProtocol,   "means over positions of the head",
                           kEfficientNetWidth, weights.hash(), file.origin};
  return std::make_shared<NetworkExtractor>(spec, form, place,
                                            [network](const at::Tensor& x) { return network->features(x); });
}

}  // namespace torsor
