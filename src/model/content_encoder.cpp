#include "model/content_encoder.h"

#include <torch/types.h>

#include "core/error.h"
#include "model/step_support.h"

namespace torsor {

ContentEncoder::ContentEncoder(const std::filesystem::path& classifier)
    : classifier_(load_classifier(classifier)) {
  freeze(*classifier_.network);
}

void ContentEncoder::require_channels(std::int64_t channels) const {
  if (!takes_channels(classifier_.options, channels))
    fail_usage(
        "--content-encoder {}: sees images of {} channels, and a domain has {}; grey and RGB images "
        "alone are converted",
        classifier_.source, classifier_.options.in_channels, channels);
}

void ContentEncoder::set_placement(const Placement& placement) {
  torsor::set_placement(*classifier_.network, placement);
}

at::Tensor ContentEncoder::operator()(const at::Tensor& images) const {
  return classifier_features(*classifier_.network, classifier_input(images, classifier_.options));
}

}  // namespace torsor
