#include "model/content_encoder.h"

#include <torch/types.h>

#include "core/error.h"
#include "model/step_support.h"

namespace torsor {

ContentEncoder::ContentEncoder(const std::filesystem::path& classifier, std::string flag)
    : classifier_(load_classifier(classifier)), flag_(std::move(flag)) {
  freeze(*classifier_.network);
}

void ContentEncoder::require_channels(std::int64_t channels) const {
  if (!takes_channels(classifier_.options, channels))
    fail_usage(
        "{} {}: sees images of {} channels, and a domain has {}; grey and RGB images alone are converted",
        flag_, classifier_.source, classifier_.options.in_channels, channels);
}

void ContentEncoder::set_placement(const Placement& placement) {
  torsor::set_placement(*classifier_.network, placement);
}

at::Tensor ContentEncoder::operator()(const at::Tensor& images) const {
  return classifier_features(*classifier_.network, classifier_input(images, classifier_.options));
}

std::shared_ptr<ContentEncoder> open_encoder(const EncoderFile& file, std::int64_t channels_a,
                                             std::int64_t channels_b) {
  auto encoder = std::make_shared<ContentEncoder>(file.path, file.flag);
  if (encoder->hash() != file.hash)
    fail_usage(
        "{} {}: holds other weights than those that the run began with; give that file, or begin a new run "
        "with --init-from",
        file.flag, file.path);
  encoder->require_channels(channels_a);
  encoder->require_channels(channels_b);
  return encoder;
}

}  // namespace torsor
