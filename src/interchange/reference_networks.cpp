#include "interchange/reference_networks.h"

#include <torch/types.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "interchange/other_projects.h"
#include "nn/state_dict.h"

namespace torsor {

namespace {

// Shapes can say anything; what options allow is asked before a network is made of them.
template <class Options>
Options checked(const Options& inferred, const std::string& source) {
  return options_from_json<Options>(options_to_json(inferred), source + ": inferred from its tensors");
}

// Programs leave out the counter of running statistics, which nothing but a momentum that no network has is
// computed from.
void add_counters(TensorMap& weights) {
  const std::string mean = "running_mean";
  TensorMap counters;
  for (const auto& [key, tensor] : weights) {
    if (!key.ends_with("." + mean)) continue;
    const std::string counter = key.substr(0, key.size() - mean.size()) + "num_batches_tracked";
    if (!has_key(weights, counter)) counters.emplace_back(counter, at::zeros({}, at::kLong));
  }
  weights.insert(weights.end(), counters.begin(), counters.end());
}

// Fills in what a decision about the norm says, and makes the weights such a network's.
template <class Options>
void settle_norm(const NormDecision& decision, Recognised<Options>& out) {
  out.options.norm = decision.norm;
  out.options.conv_bias = decision.conv_bias;
  if (!decision.doubt.empty()) out.notes.push_back(decision.doubt);
  if (keeps_running_statistics(decision.norm)) add_counters(out.weights);
}

// How a resnet is unlike the reference's; "" where it is not.
std::string layout_of(const GeneratorOptions& o) {
  const GeneratorOptions of_reference;
  std::vector<std::string> unlike;
  if (o.downsample == "blur" || o.upsample == "blur") unlike.push_back("sides change by blurs, as in CUT");
  if (o.upsample == "resize") unlike.push_back("pixels are repeated in front of convolutions");
  if (o.padding != of_reference.padding) unlike.push_back("blocks pad with zeros");
  if (o.n_downsampling != of_reference.n_downsampling)
    unlike.push_back(fmt::format("sides are halved {} times", o.n_downsampling));
  return join(unlike);
}

void infer_resnet(Recognised<GeneratorOptions>& out, const std::string& source, const NetworkHints& hints) {
  const TensorMap& weights = out.weights;
  const ResnetKeys keys = resnet_keys(weights);
  GeneratorOptions& o = out.options;
  o.net_g = fmt::format("resnet_{}blocks", keys.blocks.size());
  o.ngf = kernel_side(weights, "model.1.weight", 0);
  o.in_channels = kernel_side(weights, "model.1.weight", 1);
  o.out_channels = kernel_side(weights, fmt::format("model.{}.weight", keys.convolutions.back()), 0);
  o.n_downsampling = keys.halvings();
  const std::int64_t up = keys.first_doubling();
  if (keys.blurs_down) o.downsample = "blur";
  if (keys.blurs_up)
    o.upsample = "blur";
  else if (!std::binary_search(keys.convolutions.begin(), keys.convolutions.end(), up) &&
           std::binary_search(keys.convolutions.begin(), keys.convolutions.end(), up + 1))
    o.upsample = "resize";
  std::optional<bool> dropout = false;
  if (!keys.blocks.empty()) {
    // The second convolution stands behind a pad, unless the convolutions pad, and behind a dropout; a norm
    // may stand in its place then, whose weight is 1-d.
    const std::string block = fmt::format("model.{}.conv_block.", *keys.blocks.begin());
    const auto is_conv = [&](int i) {
      return kernel_side(weights, fmt::format("{}{}.weight", block, i), 0) > 0;
    };
    o.padding = is_conv(0) ? "zero" : "reflect";
    dropout = is_conv(o.padding == "zero" ? 4 : 6);
  }
  if (const std::string unlike = layout_of(o); !unlike.empty())
    out.notes.push_back(fmt::format("{}: unlike the reference's generators: {}", source, unlike));
  o.dropout = decide_dropout(dropout, hints, source, out.notes);
  settle_norm(decide_norm(norm_keys(weights, "model.1", "model.2"), hints, source), out);
}

void infer_unet(Recognised<GeneratorOptions>& out, const std::string& source, const NetworkHints& hints) {
  const TensorMap& weights = out.weights;
  GeneratorOptions& o = out.options;
  // Each depth adds one "model.<i>." to the path: the first convolution of depth k is model.model.1.model.
  // ... .1.weight.
  std::string path = "model.model.";
  o.ngf = kernel_side(weights, path + "0.weight", 0);
  o.in_channels = kernel_side(weights, path + "0.weight", 1);
  o.out_channels = kernel_side(weights, path + "3.weight", 1);
  const NormKeys norm = norm_keys(weights, path + "0", path + "1.model.2");
  std::int64_t depth = 1;
  for (path += "1.model."; has_key(weights, path + "1.weight"); path += "3.model.") ++depth;
  if (depth != 7 && depth != 8)
    fail("{}: is a U-Net with {} downsamplings; torsor has unet_128 (7) and unet_256 (8)", source, depth);
  o.net_g = depth == 7 ? "unet_128" : "unet_256";
  o.dropout = decide_dropout(std::nullopt, hints, source, out.notes);
  settle_norm(decide_norm(norm, hints, source), out);
}

}  // namespace

bool is_discriminator(const TensorMap& weights) {
  if (has_key(weights, "net.0.weight")) return true;
  const bool follows = has_key(weights, "model.2.weight") || has_key(weights, "model.2.filt");
  return has_key(weights, "model.0.weight") && follows && !has_key(weights, "model.1.weight");
}

Recognised<GeneratorOptions> infer_generator(TensorMap given, const std::string& source,
                                             const NetworkHints& hints) {
  Recognised<GeneratorOptions> out;
  out.weights = with_reference_keys(std::move(given), source, out.notes);
  if (is_discriminator(out.weights))
    fail(
        "{}: holds a discriminator, which cannot translate; give the generator's file (…_net_G_A.pth, "
        "…_net_G_B.pth)",
        source);
  refuse_other_projects(out.weights, source);
  if (kernel_side(out.weights, "model.1.weight", 2) == 7) {
    infer_resnet(out, source, hints);
  } else if (has_key(out.weights, "model.model.0.weight")) {
    infer_unet(out, source, hints);
  } else {
    fail(
        "{}: is not a CycleGAN or pix2pix generator; expected keys like model.1.weight or "
        "model.model.0.weight, found {}",
        source, some_keys(out.weights));
  }
  require_same_generator(out.options.net_g, out.options.ngf, hints, source);
  out.options = checked(out.options, source);
  return out;
}

Recognised<DiscriminatorOptions> infer_discriminator(TensorMap given, const std::string& source,
                                                     const NetworkHints& hints) {
  Recognised<DiscriminatorOptions> out;
  out.weights = std::move(given);
  const TensorMap& weights = out.weights;
  DiscriminatorOptions& o = out.options;
  if (!is_discriminator(weights))
    fail("{}: is not a discriminator; expected keys like model.0.weight or net.0.weight, found {}", source,
         some_keys(weights));
  NormKeys norm;
  if (has_key(weights, "net.0.weight")) {
    o.net_d = "pixel";
    o.ndf = kernel_side(weights, "net.0.weight", 0);
    o.in_channels = kernel_side(weights, "net.0.weight", 1);
    norm = norm_keys(weights, "net.2", "net.3");
  } else {
    o.ndf = kernel_side(weights, "model.0.weight", 0);
    o.in_channels = kernel_side(weights, "model.0.weight", 1);
    if (has_key(weights, "model.2.filt")) o.downsample = "blur";
    const int inner = o.downsample == "blur" ? 3 : 2;
    norm = norm_keys(weights, fmt::format("model.{}", inner), fmt::format("model.{}", inner + 1));
    constexpr std::int64_t kFirstAndLast = 2, kBasicLayers = 3;
    o.n_layers_d = std::count_if(weights.begin(), weights.end(),
                                 [](const auto& entry) {
                                   return entry.second.dim() == 4 && entry.first.ends_with(".weight");
                                 }) -
                   kFirstAndLast;
    o.net_d = o.n_layers_d == kBasicLayers ? "basic" : "n_layers";
  }
  settle_norm(decide_discriminator_norm(norm, hints, source), out);
  o = checked(o, source);
  return out;
}

PatchFeatureOptions infer_patch_features(const TensorMap& weights, const std::string& source) {
  std::vector<std::int64_t> channels;
  PatchFeatureOptions o;
  for (at::Tensor first;
       (first = find_tensor(weights, fmt::format("mlp_{}.0.weight", channels.size()))).defined();) {
    if (first.dim() != 2) break;
    o.width = first.size(0);
    channels.push_back(first.size(1));
  }
  if (channels.empty())
    fail("{}: is not CUT's network F; expected keys like mlp_0.0.weight, found {}", source,
         some_keys(weights));
  o.channels = number_list(channels);
  const ShapesOnly outline;
  check_state_dict(PatchFeatures(o), weights, source);
  return o;
}

}  // namespace torsor
