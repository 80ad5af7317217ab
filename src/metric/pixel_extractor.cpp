#include <ATen/ATen.h>

#include "metric/extractors.h"
#include "metric/network_extractor.h"

namespace torsor {

std::shared_ptr<FeatureExtractor> make_pixel_extractor(const NetworkPlace& place) {
  constexpr std::int64_t kPixelSide = 32;
  InputForm form{Resizer::clean_bicubic, kPixelSide, kPixelSide};
  form.shift = {0, 0, 0};
  form.scale = {255, 255, 255};
  const ExtractorSpec spec{"pixels", kOwnProtocol, "samples", 3 * kPixelSide * kPixelSide, "", ""};
  return std::make_shared<NetworkExtractor>(spec, form, place,
                                            [](const at::Tensor& x) { return x.flatten(1); });
}

}  // namespace torsor
