#include "interchange/reference_target.h"

#include <torch/types.h>

#include "core/error.h"
#include "core/files.h"
#include "io/pth.h"
#include "nn/state_dict.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

struct Target {
  const NetworkInfo* network = nullptr;
  std::string file;
};

bool sees_pairs(const NetworkInfo& network) {
  return network.kind == kDiscriminatorKind && network.sees.size() == 2;
}

// Of two generators (BiGAN) it is none that the reference has.
const NetworkInfo* find_pair_discriminator(const WeightSet& set) {
  if (directed_generators(set.info.networks).size() > 1) return nullptr;
  for (const NetworkInfo& network : set.info.networks)
    if (sees_pairs(network)) return &network;
  return nullptr;
}

const NetworkInfo* find_features(const WeightSet& set) {
  for (const NetworkInfo& network : set.info.networks)
    if (network.kind == kFeaturesKind) return &network;
  return nullptr;
}

// The files that hold the set's networks: pix2pix's where a discriminator sees pairs, CUT's where features
// are projected, else CycleGAN's.
std::vector<Target> targets_for(const WeightSet& set) {
  std::vector<Target> out;
  if (const NetworkInfo* features = find_features(set)) {
    out = {{&generator_for(set, features->maps.name()), "latest_net_G.pth"}, {features, "latest_net_F.pth"}};
    if (const NetworkInfo* discriminator = find_discriminator(set.info, {features->maps.to}))
      out.push_back({discriminator, "latest_net_D.pth"});
    return out;
  }
  if (const NetworkInfo* discriminator = find_pair_discriminator(set)) {
    out = {{&generator_for(set, Direction{discriminator->sees[0], discriminator->sees[1]}.name()),
            "latest_net_G.pth"},
           {discriminator, "latest_net_D.pth"}};
    return out;
  }
  // The reference's D_A is the discriminator of its G_A's output.
  for (const Target& target : {Target{find_generator(set.info.networks, kAToB), "latest_net_G_A.pth"},
                               Target{find_generator(set.info.networks, kBToA), "latest_net_G_B.pth"},
                               Target{find_discriminator(set.info, {"b"}), "latest_net_D_A.pth"},
                               Target{find_discriminator(set.info, {"a"}), "latest_net_D_B.pth"}})
    if (target.network != nullptr) out.push_back(target);
  return out;
}

// The reference's convolutions have a bias in front of an instance norm alone, which takes it away again: one
// that is missing there is zero.
template <class Options>
void require_expressible_biases(const WeightSet& set, const NetworkInfo& network, const Options& o) {
  if (o.inner_bias() == Bias::yes && inner_bias(o.norm, "auto") == Bias::no)
    fail(
        "{}: the convolutions of {} have biases, which the reference's have none of with norm {}; export it "
        "as "
        "OUT.onnx or OUT.safetensors",
        set.source, network.name, o.norm);
}

GeneratorOptions require_expressible(const WeightSet& set, const NetworkInfo& network) {
  const auto o = options_from_json<GeneratorOptions>(network.options, set.source + ": " + network.name);
  if (!o.net_g.starts_with("resnet_") && !o.net_g.starts_with("unet_"))
    fail("{}: {} is a {}, which the reference does not have; export it as OUT.onnx or OUT.safetensors",
         set.source, network.name, o.net_g);
  if (o.upsample == "resize")
    fail(
        "{}: {} repeats pixels in front of its convolutions, which the reference's generators do not; export "
        "it "
        "as OUT.onnx or OUT.safetensors",
        set.source, network.name);
  if (o.n_downsampling != GeneratorOptions().n_downsampling)
    fail(
        "{}: {} halves sides {} times, the reference's resnets twice; export it as OUT.onnx or "
        "OUT.safetensors",
        set.source, network.name, o.n_downsampling);
  require_expressible_biases(set, network, o);
  if (o.output_activation != "tanh")
    fail(
        "{}: {} ends in '{}', the reference's generators always in tanh: the weights would compute "
        "something else",
        set.source, network.name, o.output_activation);
  if (scales_each_image(set.info.scaling()))
    fail("{}: was trained with --scaling {}, the reference knows none; export it as OUT.onnx", set.source,
         set.info.scaling());
  return o;
}

// Its discriminators have the norm of its generators, and CUT's their blurs.
void require_expressible_discriminator(const WeightSet& set, const NetworkInfo& network,
                                       const GeneratorOptions& g) {
  const auto o = options_from_json<DiscriminatorOptions>(network.options, set.source + ": " + network.name);
  if (o.net_d.starts_with("full_"))
    fail("{}: {} is a {}, which the reference does not have; export a generator alone: OUT.pth", set.source,
         network.name, o.net_d);
  if (o.norm != g.norm)
    fail(
        "{}: {} has norm {} and the generators {}, the reference has one for all; export a generator "
        "alone: OUT.pth",
        set.source, network.name, o.norm, g.norm);
  if (o.downsample != g.downsample)
    fail("{}: {} halves sides in another way than the generators; export a generator alone: OUT.pth",
         set.source, network.name);
  require_expressible_biases(set, network, o);
}

// Those that it would miss on a strict load are zeros.
template <class Network>
TensorMap with_reference_biases(const TensorMap& weights, const Network& of_reference) {
  TensorMap out = weights;
  for (const auto& [key, shape] : state_dict(of_reference))
    if (key.ends_with(".bias") && !find_tensor(weights, key).defined())
      out.emplace_back(key, at::zeros(shape.sizes(), weights.front().second.options()));
  return out;
}

TensorMap weights_for_reference(const WeightSet& set, const NetworkInfo& network) {
  const TensorMap& weights = used_weights(set, network.name);
  const auto completed = [&](auto options, auto make) {
    if (options.conv_bias == "auto") return weights;
    options.conv_bias = "auto";
    const ShapesOnly outline;
    const auto of_reference = make(options);
    return with_reference_biases(weights, *of_reference);
  };
  const std::string source = set.source + ": " + network.name;
  if (network.kind == kFeaturesKind) return weights;
  return network.kind == kGeneratorKind
             ? completed(options_from_json<GeneratorOptions>(network.options, source), make_generator)
             : completed(options_from_json<DiscriminatorOptions>(network.options, source),
                         make_discriminator);
}

// The reference's word for it.
std::string reference_norm(const std::string& norm) {
  return norm.starts_with("instance") ? "instance" : norm;
}

std::string blur_flags(const GeneratorOptions& o) {
  return std::string(o.downsample == "blur" ? "" : "--no_antialias ") +
         (o.upsample == "blur" ? "" : "--no_antialias_up ");
}

// What to tell the program that is to read it.
std::vector<std::string> use_of(const GeneratorOptions& o) {
  const bool is_cuts = o.downsample == "blur" || o.upsample == "blur";
  std::vector<std::string> notes = {
      fmt::format("{} options for it: --netG {} --ngf {} {} {} {}{}--input_nc {} --output_nc {}",
                  is_cuts ? "CUT's" : "the reference's", o.net_g, o.ngf, is_cuts ? "--normG" : "--norm",
                  reference_norm(o.norm), o.dropout ? "" : "--no_dropout ", is_cuts ? blur_flags(o) : "",
                  o.in_channels, o.out_channels)};
  if (is_cuts) notes.push_back("its sides change by blurs, which the reference has none of: CUT reads it");
  if (o.norm.starts_with("instance_affine"))
    notes.push_back(fmt::format(
        "the reference's instance norm has no parameters: its get_norm_layer has to say affine=True{} there",
        keeps_running_statistics(o.norm) ? ", track_running_stats=True" : ""));
  if (o.padding == "zero")
    notes.push_back(
        "its blocks pad with zeros: the reference's ResnetGenerator has to get padding_type='zero'");
  if (o.net_g.starts_with("resnet_") && o.net_g != "resnet_9blocks" && o.net_g != "resnet_6blocks")
    notes.push_back(fmt::format(
        "the reference's define_G knows 6 and 9 blocks alone: {} has to be added there", o.net_g));
  return notes;
}

std::string option_line(const std::string& name, const std::string& value) {
  return fmt::format("{:>25}: {:<30}\n", name, value);
}

// The options of the model itself; the reference's names.
std::string model_lines(const WeightSet& set, const GeneratorOptions& g) {
  if (const NetworkInfo* features = find_features(set)) {
    const auto f = options_from_json<PatchFeatureOptions>(features->options, set.source);
    return option_line("model", "cut") + option_line("direction", "AtoB") +
           option_line("input_nc", std::to_string(g.in_channels)) +
           option_line("output_nc", std::to_string(g.out_channels)) + option_line("netF", "mlp_sample") +
           option_line("netF_nc", std::to_string(f.width)) + option_line("normG", reference_norm(g.norm)) +
           option_line("no_antialias", g.downsample == "blur" ? "False" : "True") +
           option_line("no_antialias_up", g.upsample == "blur" ? "False" : "True");
  }
  const NetworkInfo* const pairs = find_pair_discriminator(set);
  if (pairs == nullptr)
    return option_line("model", "cycle_gan") + option_line("direction", "AtoB") +
           option_line("input_nc", std::to_string(set.info.domain("a").channels)) +
           option_line("output_nc", std::to_string(set.info.domain("b").channels));
  return option_line("model", "pix2pix") + option_line("dataset_mode", "aligned") +
         option_line("direction", pairs->sees.front() == "a" ? "AtoB" : "BtoA") +
         option_line("input_nc", std::to_string(g.in_channels)) +
         option_line("output_nc", std::to_string(g.out_channels));
}

std::string options_text(const WeightSet& set, const GeneratorOptions& g,
                         const std::vector<Target>& targets) {
  const auto flag = [](bool on) { return std::string(on ? "True" : "False"); };
  std::string text = "----------------- Options ---------------\n";
  text += model_lines(set, g);
  text += option_line("netG", g.net_g) + option_line("ngf", std::to_string(g.ngf)) +
          option_line("norm", reference_norm(g.norm)) + option_line("no_dropout", flag(!g.dropout));
  for (const Target& target : targets) {
    if (target.network->kind != kDiscriminatorKind) continue;
    const auto d = options_from_json<DiscriminatorOptions>(target.network->options, set.source);
    text += option_line("netD", d.net_d) + option_line("ndf", std::to_string(d.ndf)) +
            option_line("n_layers_D", std::to_string(d.n_layers_d));
    break;  // one architecture for all
  }
  if (set.info.preprocessing.contains("preprocess")) {
    const auto t = options_from_json<TransformOptions>(set.info.preprocessing, set.source);
    text += option_line("preprocess", t.preprocess) + option_line("load_size", std::to_string(t.load_size)) +
            option_line("crop_size", std::to_string(t.crop_size)) + option_line("no_flip", flag(!t.flip));
  }
  return text + "----------------- End -------------------\n";
}

}  // namespace

ReferenceExport write_reference_generator(const WeightSet& set, const std::string& direction,
                                          const fs::path& path) {
  const NetworkInfo& network = generator_for(set, direction);
  const GeneratorOptions options = require_expressible(set, network);
  write_pth(path, weights_for_reference(set, network));
  return {{path}, use_of(options)};
}

ReferenceExport write_reference_folder(const WeightSet& set, const fs::path& folder, Existing existing) {
  const std::vector<Target> targets = targets_for(set);
  if (targets.empty()) {
    static_cast<void>(generator_for(set, ""));  // says so where there is none
    fail("{}: does not say in which direction its generator goes; export it as a file: OUT.pth", set.source);
  }
  const NetworkInfo& first =
      targets.front().network->kind == kGeneratorKind ? *targets.front().network : generator_for(set, "");
  const GeneratorOptions options = require_expressible(set, first);
  std::error_code ec;
  for (const auto& [network, file] : targets) {
    if (network->kind == kGeneratorKind)
      require_expressible(set, *network);
    else if (network->kind == kDiscriminatorKind)
      require_expressible_discriminator(set, *network, options);
    if (existing == Existing::keep && fs::exists(folder / file, ec))
      fail("{}: exists already; pass --overwrite to replace it, or choose another folder",
           (folder / file).string());
  }
  make_folder(folder);
  ReferenceExport out{{}, use_of(options)};
  for (const NetworkInfo& network : set.info.networks) {
    if (!network.labels.empty())
      out.notes.push_back(fmt::format(
          "{} is left out: it sees classes, which the reference's discriminators do not", network.name));
    if (sees_pairs(network) && find_pair_discriminator(set) == nullptr)
      out.notes.push_back(fmt::format(
          "{} is left out: it sees pairs of an image and its translation in both directions, for which the "
          "reference has no model",
          network.name));
  }
  for (const auto& [network, file] : targets) {
    out.files.push_back(folder / file);
    write_pth(out.files.back(), weights_for_reference(set, *network));
  }
  out.files.push_back(folder / "train_opt.txt");
  write_file_atomically(out.files.back(), options_text(set, options, targets));
  return out;
}

}  // namespace torsor
