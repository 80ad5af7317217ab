#include <ATen/ATen.h>

#include "metric/extractors.h"
#include "metric/network_extractor.h"
#include "metric/plain_cnn.h"

namespace torsor {

std::shared_ptr<FeatureExtractor> make_random_vgg_extractor(const NetworkPlace& place) {
  constexpr std::int64_t kRandomVggSide = 128;
  constexpr std::uint64_t kRandomVggSeed = 1;  // another seed is another extractor
  const std::vector<PlainLayer> layers = small_vgg_layers({32, 64, 128, 256});
  WeightTable weights(random_weights(layers, kRandomVggSeed), "random-vgg");
  const PlainCnn network(layers, weights, place);
  std::int64_t width = 0;
  for (const std::int64_t channels : network.tap_channels()) width += channels;
  const ExtractorSpec spec{
      "random-vgg", kOwnProtocol,   "means over positions behind each pair of convolutions",
      width,        weights.hash(), "drawn from a fixed seed"};
  return std::make_shared<NetworkExtractor>(spec,
                                            InputForm{Resizer::clean_bicubic, kRandomVggSide, kRandomVggSide},
                                            place, [network](const at::Tensor& x) {
                                              std::vector<at::Tensor> means;
                                              for (const at::Tensor& tap : network.taps(x))
                                                means.push_back(tap.mean({2, 3}));
                                              return at::cat(means, 1);  // [N,width]
                                            });
}

}  // namespace torsor
