#include <ATen/core/Tensor.h>

#include <algorithm>

#include "core/error.h"
#include "metric/extractors.h"
#include "metric/inception_net.h"
#include "metric/network_extractor.h"

namespace torsor {

namespace {

constexpr std::int64_t kInceptionSide = 299;

InputForm inception_form(const std::string& protocol) {
  InputForm form{Resizer::pytorch_bilinear, kInceptionSide, kInceptionSide};
  if (protocol == kPytorchFid) return form;
  form.shift = form.scale = {128, 128, 128};
  form.resizer = protocol == kCleanFid ? Resizer::clean_bicubic : Resizer::tf1_bilinear;
  if (protocol == kCleanFid || protocol == kTorchFidelity) return form;
  fail_usage("--protocol {}: the Inception features have {}, {} and {}", protocol, kPytorchFid, kCleanFid,
             kTorchFidelity);
}

std::string inception_layer(std::int64_t width) {
  const std::pair<std::int64_t, const char*> layers[] = {
      {64, "the first max-pool"}, {192, "the second max-pool"}, {768, "Mixed_6e"}, {2048, "Mixed_7c"}};
  for (const auto& [known, name] : layers)
    if (known == width) return fmt::format("means over positions behind {}", name);
  fail_usage("--feature-width {}: the Inception features have {}", width, fmt::join(kInceptionWidths, ", "));
}

}  // namespace

std::shared_ptr<FeatureExtractor> make_inception_extractor(FeatureWeights file, const std::string& protocol,
                                                           std::int64_t width, const NetworkPlace& place) {
  ExtractorSpec spec;
  spec.name = kInception;
  spec.protocol = protocol == "auto" ? kPytorchFid : protocol;
  spec.width = width == 0 ? kInceptionWidths.back() : width;
  spec.layer = inception_layer(spec.width);
  spec.weights = file.origin;
  const InputForm form = inception_form(spec.protocol);
  WeightTable weights(std::move(file.tensors), file.source);
  const auto network = std::make_shared<const InceptionNet>(weights, place);
  spec.weights_hash = weights.hash();
  return std::make_shared<NetworkExtractor>(spec, form, place,
                                            [network, wanted = spec.width](const at::Tensor& x) {
                                              return network->features(x, wanted).at(wanted);
                                            });
}

}  // namespace torsor
