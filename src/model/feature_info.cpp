#include "model/feature_info.h"

namespace torsor {

NetworkInfo features_info(const std::string& name, const PatchFeatureOptions& options) {
  const ShapesOnly outline;
  return {name, kFeaturesKind, options_to_json(options), PatchFeatures(options).size_rule()};
}

std::shared_ptr<PatchFeatures> make_features(const NetworkInfo& info, const std::string& where) {
  return std::make_shared<PatchFeatures>(options_from_json<PatchFeatureOptions>(info.options, where));
}

}  // namespace torsor
