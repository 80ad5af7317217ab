#include "metric/feature_file.h"

#include <ATen/core/Tensor.h>

#include <cstdlib>

#include "core/error.h"
#include "io/pth.h"
#include "io/safetensors.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr const char* kFeaturesKey = "torsor.features";
constexpr int kFeatureFormat = 1;

struct KnownNetwork {
  const char* architecture;
  const char* key;  // which no other network has
};

constexpr KnownNetwork kKnownNetworks[] = {{kEfficientNetLite0, "_blocks.15._depthwise_conv.weight"},
                                           {kInception, "Mixed_7c.branch3x3dbl_3b.conv.weight"}};

std::string architecture_of(const TensorMap& tensors) {
  for (const KnownNetwork& network : kKnownNetworks)
    if (find_tensor(tensors, network.key).defined()) return network.architecture;
  return "";
}

FeatureWeights described(Safetensors file, const std::string& source) {
  const Json about = parse_json(file.metadata.at(kFeaturesKey), source);
  try {
    if (const int format = about.at("format"); format > kFeatureFormat)
      fail("{}: has format {} of feature files; this torsor reads up to {}; use a newer one", source, format,
           kFeatureFormat);
    return {about.at("architecture"),  std::move(file.tensors), source,
            about.value("origin", ""), about.value("note", ""), about.value("licence", "")};
  } catch (const Json::exception& error) {
    fail("{}: its description under '{}' is damaged: {}", source, kFeaturesKey, json_reason(error));
  }
}

// Nothing for a file of something else. Throws Error for one that cannot be read.
std::optional<FeatureWeights> weights_in(const fs::path& path) {
  const std::string source = path.string();
  if (path.extension() == ".safetensors") {
    if (!read_safetensors_metadata(path).contains(kFeaturesKey)) return std::nullopt;
    return described(read_safetensors(path), source);
  }
  for (StateDict& dict : read_state_dicts(path)) {
    const std::string architecture = architecture_of(dict.tensors);
    if (!architecture.empty())
      return FeatureWeights{architecture, std::move(dict.tensors), source, path.filename().string()};
    if (!dict.problem.empty()) fail("{}", dict.problem);
  }
  return std::nullopt;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::optional<FeatureWeights> recognise_feature_weights(const fs::path& path) {
  std::error_code ec;
  if (!fs::is_regular_file(path, ec)) return std::nullopt;
  try {
    return weights_in(path);
  } catch (const Error&) {
    return std::nullopt;  // whoever reads it as something else says what is wrong with it
  }
}

FeatureWeights read_feature_weights(const fs::path& path) {
  if (auto found = weights_in(path)) return std::move(*found);
  fail(
      "{}: holds no feature network that torsor knows; expected EfficientNet-Lite0 "
      "(efficientnet-lite-pytorch) "
      "or FID's Inception (pytorch-fid)",
      path.string());
}

void write_feature_weights(const fs::path& path, const FeatureWeights& weights) {
  const Json about = {{"format", kFeatureFormat},
                      {"architecture", weights.architecture},
                      {"origin", weights.origin},
                      {"note", weights.note},
                      {"licence", weights.licence}};
  write_safetensors(path, {weights.tensors, {{kFeaturesKey, about.dump()}}});
}

Json describe_feature_weights(const FeatureWeights& weights) {
  std::int64_t values = 0;
  for (const auto& [key, tensor] : weights.tensors) values += tensor.numel();
  std::error_code ec;
  const auto bytes = fs::file_size(weights.source, ec);
  return {
      {"file", weights.source},
      {"what", fmt::format("weights whose features torsor compares images by ({})", weights.architecture)},
      {"bytes", ec ? 0 : bytes},
      {"architecture", weights.architecture},
      {"origin", weights.origin},
      {"tensors", weights.tensors.size()},
      {"values", values},
      {"note", weights.note},
      {"licence", weights.licence}};
}

fs::path feature_folder() {
  if (const std::string own = variable("TORSOR_FEATURES"); !own.empty()) return own;
  if (const std::string data = variable("XDG_DATA_HOME"); !data.empty())
    return fs::path(data) / "torsor" / "features";
  if (const std::string home = variable("HOME"); !home.empty())
    return fs::path(home) / ".local" / "share" / "torsor" / "features";
  return {};
}

fs::path find_feature_file(const std::vector<std::string>& names) {
  const fs::path folder = feature_folder();
  std::error_code ec;
  for (const std::string& name : names)
    if (!folder.empty() && fs::is_regular_file(folder / name, ec)) return folder / name;
  return {};
}

}  // namespace torsor
