#include "metric/lpips.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <filesystem>

#include "core/error.h"
#include "image/convert.h"
#include "io/pth.h"
#include "io/safetensors.h"
#include "metric/feature_file.h"
#include "metric/network_extractor.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr double kLpipsEps = 1e-10;

struct LpipsNet {
  std::vector<PlainLayer> layers;
  std::int64_t smallest_side;  // where the last tap has a position
  std::vector<std::string> backbone_files;
};

LpipsNet lpips_net(const std::string& name) {
  if (name == "alex") return {alexnet_layers(), 31, {"alexnet-owt-7be5be79.pth", "alexnet-owt-4df8aa71.pth"}};
  if (name == "vgg") return {vgg16_layers(), 16, {"vgg16-397923af.pth"}};
  fail_usage("--lpips-net {}: expected alex or vgg", name);
}

// The package stores them as floats.
at::Tensor constants(std::array<float, 3> values, const NetworkPlace& place) {
  return at::tensor(at::ArrayRef<float>(values), at::kFloat).to(place.device, place.dtype).view({1, 3, 1, 1});
}

// net.slice2.5.weight, as the package has it -> features.5.weight.
std::string torchvision_key(const std::string& key) {
  const std::string prefix = "net.slice";
  if (!key.starts_with(prefix)) return key;
  return "features." + key.substr(key.find('.', prefix.size()) + 1);
}

TensorMap read_lpips_tensors(const fs::path& path) {
  TensorMap tensors = path.extension() == ".safetensors" ? read_safetensors(path).tensors : read_pth(path);
  for (auto& [key, tensor] : tensors) key = torchvision_key(key);
  return tensors;
}

Image lpips_rgb(const Image& image, std::size_t pair) {
  if (image.type == PixelType::u16 || image.channels < 1 || image.channels > 4)
    fail("LPIPS of pair {}: an image has {} channels of {} bytes, expected 1 to 4 of 8 bits or floats", pair,
         image.channels, bytes_per_sample(image.type));
  return with_channels(to_f32(image), 3);
}

// Each position's vector of channels has the length 1.
at::Tensor normalised(const at::Tensor& x) {
  return x / (x.square().sum(at::IntArrayRef{1}, /*keepdim=*/true).sqrt() + kLpipsEps);
}

fs::path given_or_found(const std::string& given, const std::vector<std::string>& names) {
  return given.empty() ? find_feature_file(names) : fs::path(given);
}

}  // namespace

void LpipsOptions::describe(OptionSet& o) {
  o.add("lpips_net", lpips_net, "the network of LPIPS").choices({"alex", "vgg"});
  o.add("lpips_backbone", lpips_backbone,
        "its weights: torchvision's file, or the lpips package's whole state dict (docs/features.md)");
  o.add("lpips_linear", lpips_linear,
        "the lpips package's linear layers, where the backbone's file lacks them");
}

Lpips::Lpips(const std::string& net, WeightTable& backbone, WeightTable& linear, const NetworkPlace& place)
    : place_(place),
      shift_(constants({-.030F, -.088F, -.188F}, place)),
      scale_(constants({.458F, .448F, .450F}, place)) {
  const LpipsNet known = lpips_net(net);
  smallest_side_ = known.smallest_side;
  network_ = std::make_unique<PlainCnn>(known.layers, backbone, place);
  const std::vector<std::int64_t> channels = network_->tap_channels();
  for (std::size_t k = 0; k < channels.size(); ++k)
    linear_.push_back(linear.take(fmt::format("lin{}.model.1.weight", k), {1, channels[k], 1, 1})
                          .to(place.device, place.dtype));
  Checksum hash;
  const std::string parts = backbone.hash() + linear.hash();
  hash.update(parts.data(), parts.size());
  protocol_ = {
      {"name", "lpips-" + net},
      {"version", "0.1"},
      {"hash", hash.hex()},
      {"weights",
       {fs::path(backbone.source()).filename().string(), fs::path(linear.source()).filename().string()}}};
}

std::vector<at::Tensor> Lpips::taps(const at::Tensor& x) const {
  return network_->taps((x - shift_) / scale_);
}

// One image at a time: in a batch of two, equal images may be rounded differently, and their distance would
// not be 0.
std::vector<at::Tensor> Lpips::unit_taps(const Image& image) const {
  const InputForm form{Resizer::clean_bicubic, image.width,
                       image.height};  // its own size: v / 127.5 - 1 alone
  std::vector<at::Tensor> out = taps(network_input({&image, 1}, form, place_));  // each [1,C,h,w]
  for (at::Tensor& tap : out) tap = normalised(tap);
  return out;
}

at::Tensor Lpips::layer_distances(const Image& x, const Image& y) const {
  const std::vector<at::Tensor> of_x = unit_taps(x), of_y = unit_taps(y);
  std::vector<at::Tensor> out;
  for (std::size_t k = 0; k < of_x.size(); ++k)
    out.push_back(((of_x[k] - of_y[k]).square() * linear_[k]).sum(1).mean());
  return at::stack(out).to(at::kCPU, at::kDouble);
}

Lpips::Distances Lpips::distances(std::span<const Image> x, std::span<const Image> y) const {
  if (x.size() != y.size()) fail("LPIPS of {} and {} images: expected pairs", x.size(), y.size());
  const at::NoGradGuard no_gradients;
  at::Tensor layers = at::zeros({static_cast<std::int64_t>(x.size()), 5}, at::kDouble);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i].width != y[i].width || x[i].height != y[i].height)
      fail("LPIPS of pair {}: one is {} x {}, the other {} x {}; expected one size", i, x[i].width,
           x[i].height, y[i].width, y[i].height);
    if (std::min(x[i].width, x[i].height) < smallest_side_)
      fail("LPIPS of pair {}: {} x {} is too small; {} needs sides of {}", i, x[i].width, x[i].height,
           protocol_.at("name").get<std::string>(), smallest_side_);
    layers[static_cast<std::int64_t>(i)].copy_(layer_distances(lpips_rgb(x[i], i), lpips_rgb(y[i], i)));
  }
  return {layers.sum(1), layers};
}

std::shared_ptr<const Lpips> make_lpips(const LpipsOptions& o, c10::Device device) {
  const std::string& net = o.lpips_net;
  std::vector<std::string> backbones = lpips_net(net).backbone_files;
  backbones.insert(backbones.begin(), fmt::format("lpips-{}.pth", net));
  const fs::path backbone = given_or_found(o.lpips_backbone, backbones);
  if (backbone.empty())
    fail_usage(
        "--lpips-backbone: LPIPS needs the weights of {}; give torchvision's file, or put it into {} as {}",
        net, feature_folder().string(), join(backbones, " or "));
  TensorMap tensors = read_lpips_tensors(backbone);
  fs::path linear = o.lpips_linear;
  if (linear.empty() && find_tensor(tensors, "lin0.model.1.weight").defined()) linear = backbone;
  if (linear.empty()) linear = find_feature_file({fmt::format("lpips_lin_{}.pth", net)});
  if (linear.empty())
    fail_usage(
        "--lpips-linear: LPIPS needs its linear layers; give the package's file weights/v0.1/{0}.pth, or "
        "put it into {1} as lpips_lin_{0}.pth",
        net, feature_folder().string());
  WeightTable layers(linear == backbone ? tensors : read_lpips_tensors(linear), linear.string());
  WeightTable weights(std::move(tensors), backbone.string());
  return std::make_shared<const Lpips>(net, weights, layers, NetworkPlace{device, at::kFloat});
}

}  // namespace torsor
