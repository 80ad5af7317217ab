// An extractor that resizes images, normalises them and shows them to a network.
#pragma once

#include <array>
#include <functional>

#include "metric/feature_extractor.h"
#include "metric/resize_protocol.h"
#include "metric/weight_table.h"

namespace torsor {

/// How images become a network's input: resized, and (sample - shift) / scale by channel.
struct InputForm {
  Resizer resizer = Resizer::clean_bicubic;
  std::int64_t width = 0, height = 0;
  std::array<double, 3> shift = {127.5, 127.5, 127.5}, scale = {127.5, 127.5, 127.5};
  std::int64_t channels = 3;  // 3, or 1: grey by PIL's weights
};

struct ExtractorSpec {
  std::string name, protocol = "own";
  std::string layer;  // what of the network
  std::int64_t width = 0;
  std::string weights_hash, weights;  // of WeightTable, and where they are from; "" for none
};

class NetworkExtractor : public FeatureExtractor {
 public:
  /// [N,channels,height,width] -> [N,width], on the place's device.
  using Forward = std::function<at::Tensor(const at::Tensor&)>;

  NetworkExtractor(const ExtractorSpec& spec, const InputForm& form, const NetworkPlace& place,
                   Forward forward);

 private:
  at::Tensor features_of_batch(std::span<const Image> rgb) const override;

  InputForm form_;
  NetworkPlace place_;
  Forward forward_;
};

/// Images of f32 samples 0 to 255 and 3 channels -> the network's input [N,channels,height,width] on the
/// place.
at::Tensor network_input(std::span<const Image> rgb, const InputForm& form, const NetworkPlace& place);

}  // namespace torsor
