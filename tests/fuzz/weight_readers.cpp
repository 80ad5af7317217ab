#include <ATen/ATen.h>

#include "core/files.h"
#include "fuzz/readers.h"
#include "fuzz/sealed.h"
#include "interchange/inspect.h"
#include "interchange/network_search.h"
#include "interchange/reference_source.h"
#include "io/npz.h"
#include "io/pth.h"
#include "io/safetensors.h"
#include "model/model_file.h"
#include "nn/state_dict.h"
#include "scratch_folder.h"

namespace torsor::testing {

namespace {

// Touches every element, so that a sanitizer sees what should not be read.
void use(const TensorMap& tensors) {
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.defined() || !tensor.is_contiguous()) throw std::logic_error("an unsound tensor: " + name);
    static_cast<void>(tensor.to(at::kDouble).sum().item<double>());
  }
}

// A network of the reference in the reference's own file.
Seed network_seed(const ScratchFolder& folder, const std::string& name,
                  const std::shared_ptr<Network>& network) {
  write_pth(folder / name, state_dict(*network));
  return {name, read_file(folder / name)};
}

// A GAN in one state dict, as a Lightning module names its parts.
TensorMap whole_gan() {
  TensorMap out;
  const auto add = [&](const std::string& prefix, const torch::nn::Module& network) {
    for (const auto& [key, tensor] : state_dict(network)) out.emplace_back(prefix + key, tensor);
  };
  GeneratorOptions resnet{"resnet_1blocks", 1, 1, 1};
  add("module.netG_A.", *make_generator(resnet));
  resnet.norm = "batch";
  add("module.netG_B.", *make_generator(resnet));
  add("module.netD_A.", *make_discriminator({"pixel", 1, 1, 1}));
  return out;
}

std::vector<Seed> pth_seeds() {
  const ScratchFolder folder;
  std::vector<Seed> seeds = fixture_seeds("io", {".pth"});
  GeneratorOptions resnet{"resnet_1blocks", 1, 1, 1};
  seeds.push_back(network_seed(folder, "resnet.pth", make_generator(resnet)));
  resnet.norm = "batch";
  resnet.dropout = true;
  seeds.push_back(network_seed(folder, "resnet_batch.pth", make_generator(resnet)));
  DiscriminatorOptions patch{"n_layers", 1, 1, 2};
  seeds.push_back(network_seed(folder, "patch.pth", make_discriminator(patch)));
  write_pth(folder / "gan.pth", whole_gan());
  seeds.push_back({"gan.pth", read_file(folder / "gan.pth")});
  return seeds;
}

std::string mutate_pth(const std::string& bytes, Random& random) {
  return bytes.starts_with("PK") ? mutate_zip(bytes, random) : mutate_bytes(bytes, random);
}

// The tensors alone, and then as networks, in the way that inspect lists them too.
void read_reference_weights(const fs::path& path) {
  for (const FoundNetwork& network : find_networks(path)) use(network.weights);
  static_cast<void>(inspect(path, {}, LayerWatch::off).dump());
  const WeightSet set = read_reference(path);
  for (const NetworkInfo& network : set.info.networks) load_network(set, network);
}

std::vector<Seed> plain_seeds() {
  const ScratchFolder folder;
  std::vector<Seed> seeds;
  const auto add = [&](const std::string& name, const TensorMap& weights) {
    write_safetensors(folder / name, {weights, {{"format", "pt"}}});
    seeds.push_back({name, read_file(folder / name)});
  };
  add("gan", whole_gan());
  add("generator", state_dict(*make_generator({"resnet_1blocks", 1, 1, 1})));
  return seeds;
}

std::vector<Seed> safetensors_seeds() {
  const ScratchFolder folder;
  std::vector<Seed> seeds;
  const auto add = [&](const std::string& name, const Safetensors& content) {
    write_safetensors(folder / name, content);
    seeds.push_back({name, read_file(folder / name)});
  };
  add("dtypes", {read_pth(fs::path(TORSOR_TEST_DATA) / "io/dtypes_zip.pth"), {{"note", "a text"}}});
  add("empty", {{}, {}});
  add("shapes", {{{"scalar", at::ones({})}, {"none", at::empty({2, 0, 3})}, {"one", at::ones({1, 1})}}, {}});
  return seeds;
}

}  // namespace

std::vector<FuzzedReader> weight_readers() {
  return {
      {"pth", ".pth", pth_seeds(), mutate_pth, read_reference_weights},
      {"npz", ".npz", fixture_seeds("io", {".npz"}), mutate_zip, [](const fs::path& p) { use(read_npz(p)); }},
      {"plain", ".safetensors", plain_seeds(), mutate_safetensors, read_reference_weights, seal_safetensors},
      {"safetensors", ".safetensors", safetensors_seeds(), mutate_safetensors,
       [](const fs::path& p) { use(read_safetensors(p).tensors); }, seal_safetensors}};
}

}  // namespace torsor::testing
