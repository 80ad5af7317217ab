#include "interchange/reference_networks.h"

#include <ATen/core/Tensor.h>

#include <charconv>
#include <optional>
#include <set>

#include "core/error.h"
#include "core/text.h"
#include "nn/state_dict.h"

namespace torsor {

namespace {

bool has(const TensorMap& weights, const std::string& key) { return find_tensor(weights, key).defined(); }

std::int64_t dim(const TensorMap& weights, const std::string& key, std::int64_t d) {
  const at::Tensor tensor = find_tensor(weights, key);
  return tensor.defined() && tensor.dim() == 4 ? tensor.size(d) : 0;
}

// "model.12.conv_block.5.weight" -> 12.
std::optional<std::int64_t> index_after(const std::string& key, const std::string& prefix) {
  if (!key.starts_with(prefix)) return std::nullopt;
  std::int64_t value = 0;
  const char* first = key.data() + prefix.size();
  const auto [end, status] = std::from_chars(first, key.data() + key.size(), value);
  return status == std::errc() && end != first ? std::optional(value) : std::nullopt;
}

std::string norm_of(const TensorMap& weights, const std::string& inner_bias, const std::string& norm_weight) {
  if (has(weights, norm_weight)) return "batch";
  return has(weights, inner_bias) ? "instance" : "none";
}

GeneratorOptions infer_resnet(const TensorMap& weights) {
  std::set<std::int64_t> blocks;
  std::int64_t last = 0;
  GeneratorOptions o;
  for (const auto& [key, tensor] : weights) {
    const auto index = index_after(key, "model.");
    if (!index) continue;
    last = std::max(last, *index);
    if (key.find(".conv_block.") != std::string::npos) blocks.insert(*index);
  }
  // The second convolution stands at 5, behind a dropout at 6; without one 6 may be a batch norm, whose
  // weight is 1-d.
  if (!blocks.empty())
    o.dropout = dim(weights, fmt::format("model.{}.conv_block.6.weight", *blocks.begin()), 0) > 0;
  o.net_g = fmt::format("resnet_{}blocks", blocks.size());
  o.ngf = dim(weights, "model.1.weight", 0);
  o.in_channels = dim(weights, "model.1.weight", 1);
  o.out_channels = dim(weights, fmt::format("model.{}.weight", last), 0);
  o.norm = norm_of(weights, "model.1.bias", "model.2.weight");
  return o;
}

GeneratorOptions infer_unet(const TensorMap& weights, const std::string& source) {
  GeneratorOptions o;
  // Each depth adds one "model.<i>." to the path: the first convolution of depth k is model.model.1.model.
  // ... .1.weight.
  std::string path = "model.model.";
  o.ngf = dim(weights, path + "0.weight", 0);
  o.in_channels = dim(weights, path + "0.weight", 1);
  o.out_channels = dim(weights, path + "3.weight", 1);
  o.norm = norm_of(weights, path + "0.bias", path + "1.model.2.weight");
  std::int64_t depth = 1;
  for (path += "1.model."; has(weights, path + "1.weight"); path += "3.model.") ++depth;
  if (depth != 7 && depth != 8)
    fail("{}: is a U-Net with {} downsamplings; torsor has unet_128 (7) and unet_256 (8)", source, depth);
  o.net_g = depth == 7 ? "unet_128" : "unet_256";
  return o;
}

// Shapes can say anything; what options allow is asked before a network is made of them.
template <class Options>
Options checked(const Options& inferred, const std::string& source) {
  return options_from_json<Options>(options_to_json(inferred), source + ": inferred from its tensors");
}

std::string some_keys(const TensorMap& weights) {
  std::vector<std::string> first;
  for (const auto& [key, tensor] : weights)
    if (first.size() < 3) first.push_back(printable(key));
  return first.empty() ? "none" : join(first);
}

}  // namespace

bool is_discriminator(const TensorMap& weights) {
  if (has(weights, "net.0.weight")) return true;
  return has(weights, "model.0.weight") && has(weights, "model.2.weight") && !has(weights, "model.1.weight");
}

GeneratorOptions infer_generator(const TensorMap& weights, const std::string& source,
                                 const NetworkHints& hints) {
  static_cast<void>(hints);
  if (is_discriminator(weights))
    fail(
        "{}: holds a discriminator, which cannot translate; give the generator's file (…_net_G_A.pth, "
        "…_net_G_B.pth)",
        source);
  if (dim(weights, "model.1.weight", 2) == 7) return checked(infer_resnet(weights), source);
  if (has(weights, "model.model.0.weight")) return checked(infer_unet(weights, source), source);
  fail(
      "{}: is not a CycleGAN or pix2pix generator; expected keys like model.1.weight or "
      "model.model.0.weight, found {}",
      source, some_keys(weights));
}

DiscriminatorOptions infer_discriminator(const TensorMap& weights, const std::string& source) {
  DiscriminatorOptions o;
  if (has(weights, "net.0.weight")) {
    o.net_d = "pixel";
    o.ndf = dim(weights, "net.0.weight", 0);
    o.in_channels = dim(weights, "net.0.weight", 1);
    o.norm = norm_of(weights, "net.2.bias", "net.3.weight");
    return checked(o, source);
  }
  if (!is_discriminator(weights))
    fail("{}: is not a discriminator; expected keys like model.0.weight or net.0.weight, found {}", source,
         some_keys(weights));
  o.ndf = dim(weights, "model.0.weight", 0);
  o.in_channels = dim(weights, "model.0.weight", 1);
  o.norm = norm_of(weights, "model.2.bias", "model.3.weight");
  std::int64_t convolutions = 0;
  for (const auto& [key, tensor] : weights) convolutions += tensor.dim() == 4;
  constexpr std::int64_t kFirstAndLast = 2, kBasicLayers = 3;
  o.n_layers_d = convolutions - kFirstAndLast;
  o.net_d = o.n_layers_d == kBasicLayers ? "basic" : "n_layers";
  return checked(o, source);
}

}  // namespace torsor
