// What a file or a model says of the network that projects features.
#pragma once

#include <memory>
#include <string>

#include "model/network_info.h"
#include "nn/patch_features.h"

namespace torsor {

inline constexpr const char* kFeaturesKind = "features";

/// With the kind kFeaturesKind and PatchFeatureOptions; takes images of any sides. Throws UsageError for
/// unusable options.
NetworkInfo features_info(const std::string& name, const PatchFeatureOptions& options);

/// The network that this describes, its parameters zeros. Throws UsageError naming `where` for options that
/// cannot be used.
std::shared_ptr<PatchFeatures> make_features(const NetworkInfo& info, const std::string& where);

}  // namespace torsor
