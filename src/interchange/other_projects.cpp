#include "interchange/other_projects.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "interchange/network_keys.h"

namespace torsor {

namespace {

// "model.10.block.1.weight" is the reference's "model.10.conv_block.1.weight".
constexpr std::string_view kTheirBlock = ".block.", kOurBlock = ".conv_block.";

// The place of ".block." behind "model.<i>"; npos in other keys.
std::size_t their_block(const std::string& key) {
  const auto index = index_after(key, "model.");
  if (!index) return std::string::npos;
  const std::size_t at = std::string_view("model.").size() + std::to_string(*index).size();
  return key.compare(at, kTheirBlock.size(), kTheirBlock) == 0 ? at : std::string::npos;
}

// PyTorch-GAN pads the image by as many pixels as it has channels, which is right for three alone.
void require_three_channels(const TensorMap& weights, const std::string& source) {
  const std::int64_t channels = kernel_side(weights, "model.1.weight", 1);
  if (channels != 3)
    fail(
        "{}: looks like a generator of PyTorch-GAN for images of {} channels, which pads them by {} pixels "
        "in "
        "front of 7x7 convolutions; torsor reads that project's generators of three channels",
        source, channels, channels);
}

struct Project {
  const char* key;   // that begins one of its keys
  const char* name;  // what it is
};

// By keys that no other project of the list has.
constexpr std::array kProjects = {
    Project{"UpBlock1_1.", "a U-GAT-IT generator"},
    Project{"gap_fc.", "a U-GAT-IT network"},
    Project{"enc_content.", "a MUNIT generator"},
    Project{"enc.model.", "a UNIT generator"},
    Project{"main.0.", "a StarGAN network"},
    Project{"from_rgb.", "a StarGAN v2 network"},
    Project{"to_rgb1.", "a StyleGAN2 generator"},
    Project{"mlp_0.", "the feature network (net_F) of CUT, whose generator is in …_net_G.pth"},
    Project{"down1.model.", "a U-Net of PyTorch-GAN"},
    Project{"initial.0.", "a CycleGAN of aladdinpersson/Machine-Learning-Collection"},
    Project{"model1_1.", "a local enhancer of pix2pixHD"},
    Project{"scale0_layer0.", "a discriminator of pix2pixHD"},
    Project{"head_0.conv_0.", "a SPADE generator"},
    Project{"block_a.0.", "an AnimeGANv2 generator"},
    Project{"deconv1_content.", "an AttentionGAN generator"},
    Project{"resnet_blocks.0.", "a CycleGAN of znxlwm/pytorch-CycleGAN"},
    Project{"deconv1.0.", "a CycleGAN of yunjey/mnist-svhn-transfer"},
    Project{"res1.conv1.conv2d.", "a fast neural style network of PyTorch's examples"},
    Project{"conv_in.", "a diffusion model of diffusers"},
    Project{"model.0.conv.", "a network of mmagic"},
    Project{"res_model.", "a resnet of arnab39/cycleGAN-PyTorch"},
    Project{"unet_model.", "a U-Net of arnab39/cycleGAN-PyTorch"},
};

}  // namespace

TensorMap with_reference_keys(TensorMap weights, const std::string& source, std::vector<std::string>& notes) {
  const auto is_theirs = [](const auto& entry) { return their_block(entry.first) != std::string::npos; };
  const bool begins_alike = kernel_side(weights, "model.1.weight", 2) == 7;
  if (!begins_alike || std::none_of(weights.begin(), weights.end(), is_theirs)) return weights;
  require_three_channels(weights, source);
  for (auto& [key, tensor] : weights)
    if (const std::size_t at = their_block(key); at != std::string::npos)
      key.replace(at, kTheirBlock.size(), kOurBlock);
  notes.push_back(source + ": keys are those of PyTorch-GAN");
  return weights;
}

void refuse_other_projects(const TensorMap& weights, const std::string& source) {
  for (const Project& project : kProjects)
    if (std::any_of(weights.begin(), weights.end(),
                    [&](const auto& entry) { return entry.first.starts_with(project.key); }))
      fail(
          "{}: looks like {}, which torsor cannot compute; it reads the generators that docs/formats.md "
          "lists: run this one by its own program, or train anew by torsor train",
          source, project.name);
}

}  // namespace torsor
