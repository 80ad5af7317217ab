#include "model/classifier_file.h"

#include <torch/types.h>

#include "core/error.h"
#include "io/checksum.h"
#include "io/safetensors.h"
#include "nn/state_dict.h"

namespace torsor {

namespace {

constexpr const char* kClassifierOptionsKey = "options";
constexpr const char* kClassifierWeights = "net/classifier";
constexpr double kRedOfGrey = 0.299, kGreenOfGrey = 0.587, kBlueOfGrey = 0.114;  // Rec. 601

void require_classifier(const std::map<std::string, std::string>& metadata, const std::string& source) {
  if (!describes_classifier(metadata))
    fail(
        "{}: is no classifier that torsor trained (torsor reproduce leaves one as "
        "OUT/runs/classifier.safetensors)",
        source);
}

at::Tensor with_channels_of(const at::Tensor& images, std::int64_t wanted) {
  if (images.size(1) == wanted) return images;
  if (wanted == 3) return images.expand({-1, 3, -1, -1});
  const at::Tensor weights = at::tensor({kRedOfGrey, kGreenOfGrey, kBlueOfGrey}, at::kDouble)
                                 .to(images.options())
                                 .view({1, 3, 1, 1});
  return (images * weights).sum(1, /*keepdim=*/true);
}

}  // namespace

bool describes_classifier(const std::map<std::string, std::string>& metadata) {
  const auto options = metadata.find(kClassifierOptionsKey);
  return options != metadata.end() && options->second.find("\"classes\"") != std::string::npos;
}

ClassifierOptions classifier_options(const Archive& archive) {
  require_classifier(archive.metadata(), archive.source());
  const Json json = parse_json(archive.metadata().at(kClassifierOptionsKey), archive.source());
  try {
    return options_from_json<ClassifierOptions>(json, archive.source());
  } catch (const UsageError& error) {  // nobody typed them
    fail("{}: is no classifier's: {}", archive.source(), error.what());
  }
}

std::string StoredClassifier::hash() const {
  Checksum sum;
  for (const auto& [key, tensor] : weights) {
    const at::Tensor stored = tensor.to(at::kCPU).contiguous();
    sum.update(key.data(), key.size() + 1);
    sum.update(stored.sizes().data(), stored.sizes().size() * sizeof(std::int64_t));
    sum.update(stored.data_ptr(), stored.nbytes());
  }
  return sum.hex();
}

StoredClassifier load_classifier(const Archive& archive) {
  StoredClassifier out{classifier_options(archive), nullptr, archive.tensors_under(kClassifierWeights),
                       archive.source()};
  {
    const ShapesOnly outline;
    check_state_dict(*make_classifier(out.options), out.weights, out.source);
  }
  out.network = make_classifier(out.options);
  load_state_dict(*out.network, out.weights, out.source);
  out.network->eval();
  return out;
}

StoredClassifier load_classifier(const std::filesystem::path& path) {
  require_classifier(read_safetensors_metadata(path), path.string());
  return load_classifier(Archive::read(path));
}

bool takes_channels(const ClassifierOptions& options, std::int64_t channels) {
  const auto convertible = [](std::int64_t count) { return count == 1 || count == 3; };
  return channels == options.in_channels || (convertible(channels) && convertible(options.in_channels));
}

at::Tensor classifier_input(const at::Tensor& images, const ClassifierOptions& options) {
  if (!takes_channels(options, images.size(1)))
    fail("images of {} channels cannot be shown to a classifier of {}", images.size(1), options.in_channels);
  const at::Tensor fitting = with_channels_of(images, options.in_channels);
  if (fitting.size(2) == options.side && fitting.size(3) == options.side) return fitting;
  return at::_upsample_bilinear2d_aa(fitting, {options.side, options.side}, /*align_corners=*/false);
}

}  // namespace torsor
