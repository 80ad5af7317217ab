#include "metric/feature_extractor.h"

#include <ATen/ATen.h>

#include <filesystem>
#include <functional>

#include "core/error.h"
#include "core/registry.h"
#include "image/convert.h"
#include "io/safetensors.h"
#include "metric/extractors.h"
#include "model/classifier_file.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

using Made = std::shared_ptr<FeatureExtractor>;

// What make_extractor() was asked for.
struct Wanted {
  const FeatureOptions& options;
  NetworkPlace place;
};

constexpr const char* kAuto = "auto";
const std::vector<std::string> kEfficientNetFiles = {"efficientnet-lite0.safetensors"};
const std::vector<std::string> kInceptionFiles = {"inception.safetensors",
                                                  "pt_inception-2015-12-05-6726825d.pth"};

// For those that have neither protocols nor layers to choose from.
Made plain(const Wanted& wanted, Made made) {
  const FeatureOptions& o = wanted.options;
  if (o.protocol != kAuto && o.protocol != kOwnProtocol)
    fail_usage("--protocol {}: is for the Inception features; {} has its own alone", o.protocol,
               made->name());
  if (o.feature_width != 0 && o.feature_width != made->width())
    fail_usage("--feature-width {}: the features {} have {} numbers", o.feature_width, made->name(),
               made->width());
  return made;
}

Made from_weights(const Wanted& wanted, FeatureWeights weights) {
  if (weights.architecture == kEfficientNetLite0)
    return plain(wanted, make_efficientnet_extractor(std::move(weights), wanted.place));
  if (weights.architecture == kInception)
    return make_inception_extractor(std::move(weights), wanted.options.protocol, wanted.options.feature_width,
                                    wanted.place);
  fail("{}: is of a network '{}', which this torsor does not have", weights.source,
       printable(weights.architecture));
}

Made from_folder(const Wanted& wanted, const std::string& name, const std::vector<std::string>& files,
                 const std::string& how) {
  const fs::path file = find_feature_file(files);
  if (file.empty())
    fail("--features {}: no {} in {} (the folder that TORSOR_FEATURES names); {}", name, files.front(),
         feature_folder().string(), how);
  return from_weights(wanted, read_feature_weights(file));
}

Made from_file(const Wanted& wanted, const fs::path& file) {
  if (file.extension() == ".safetensors" && describes_classifier(read_safetensors_metadata(file)))
    return plain(wanted, make_classifier_extractor(Archive::read(file), wanted.place));
  return from_weights(wanted, read_feature_weights(file));
}

using Maker = std::function<Made(const Wanted&)>;

const Registry<Maker>& extractors() {
  static const Registry<Maker> table = [] {
    Registry<Maker> r("features");
    r.add("pixels", [](const Wanted& w) { return plain(w, make_pixel_extractor(w.place)); });
    r.add("random-vgg", [](const Wanted& w) { return plain(w, make_random_vgg_extractor(w.place)); });
    r.add(kEfficientNetLite0, [](const Wanted& w) {
      return from_folder(w, kEfficientNetLite0, kEfficientNetFiles,
                         "`make features` puts it there, see docs/features.md");
    });
    r.add(kInception, [](const Wanted& w) {
      return from_folder(w, kInception, kInceptionFiles,
                         "give pytorch-fid's file instead, --features pt_inception-2015-12-05-6726825d.pth");
    });
    return r;
  }();
  return table;
}

Made automatic(const Wanted& wanted) {
  if (!find_feature_file(kEfficientNetFiles).empty()) return extractors().at(kEfficientNetLite0)(wanted);
  Made made = extractors().at("random-vgg")(wanted);
  made->add_note(
      fmt::format("features: random-vgg, since {} has no {}; `make features` installs EfficientNet-Lite0, "
                  "which sees more (docs/features.md)",
                  feature_folder().string(), kEfficientNetFiles.front()));
  return made;
}

bool looks_like_a_file(const std::string& name) {
  std::error_code ec;
  return name.find_first_of("/\\.") != std::string::npos || fs::exists(name, ec);
}

// RGB in f32, samples as they were.
Image to_rgb(const Image& image, std::size_t index) {
  if (image.type == PixelType::u16)
    fail("features of image {}: it has 16 bits a sample, expected 8 or floats from 0 to 255", index);
  if (image.channels < 1 || image.channels > 4)
    fail("features of image {}: it has {} channels, expected 1 to 4", index, image.channels);
  return with_channels(to_f32(image), 3);
}

}  // namespace

void FeatureOptions::describe(OptionSet& o) {
  o.add("features", features,
        "what FID, KID and their kin compare: auto, " + join(extractor_names()) +
            ", or a file (docs/features.md)")
      .suggest(extractor_names());
  std::vector<std::string> protocols = protocol_names();
  protocols.insert(protocols.begin(), kAuto);
  o.add("protocol", protocol, "how images become the input of the Inception features")
      .choices(std::move(protocols));
  o.add("feature_width", feature_width,
        "which Inception features: 64, 192, 768 or 2048; 0 = the extractor's own")
      .at_least(0);
}

Json ExtractorIdentity::to_json() const {
  return {{"name", name},
          {"hash", hash},
          {"protocol", protocol},
          {"resizer", resizer},
          {"input_size", {input_width, input_height}},
          {"layer", layer},
          {"width", width},
          {"weights", weights}};
}

at::Tensor FeatureExtractor::features(std::span<const Image> images) const {
  at::Tensor out = at::empty({static_cast<std::int64_t>(images.size()), width()}, at::kDouble);
  for (std::size_t begin = 0; begin < images.size(); begin += kExtractorBatch) {
    const std::size_t count = std::min(kExtractorBatch, images.size() - begin);
    std::vector<Image> rgb;
    for (std::size_t i = begin; i < begin + count; ++i) rgb.push_back(to_rgb(images[i], i));
    const at::Tensor rows = features_of_batch(rgb).to(at::kCPU, at::kDouble);  // [count,width]
    if (!rows.isfinite().all().item<bool>())
      fail("features of images {} to {}: {} gives values that are not finite; is an image damaged?", begin,
           begin + count - 1, name());
    out.narrow(0, static_cast<std::int64_t>(begin), static_cast<std::int64_t>(count)).copy_(rows);
  }
  return out;
}

std::shared_ptr<FeatureExtractor> make_extractor(const FeatureOptions& options, c10::Device device) {
  const Wanted wanted{options, {device, at::kFloat}};
  if (options.features == kAuto) return automatic(wanted);
  if (!extractors().has(options.features) && looks_like_a_file(options.features))
    return from_file(wanted, options.features);
  return extractors().at(options.features)(wanted);
}

std::vector<std::string> extractor_names() { return extractors().names(); }

std::vector<std::string> protocol_names() { return {kOwnProtocol, kPytorchFid, kCleanFid, kTorchFidelity}; }

}  // namespace torsor
