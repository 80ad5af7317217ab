// A generator's architecture from the keys and shapes of its weights.
#include <fstream>
#include <sstream>

#include "core/text.h"
#include "infer/infer_test_support.h"
#include "interchange/reference_networks.h"
#include "interchange/reference_source.h"
#include "io/pth.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using testing::error_of;
using ::testing::HasSubstr;
using testing::small_options;

TensorMap weights_of(const torch::nn::Module& module) {
  TensorMap out;
  for (const auto& [name, tensor] : state_dict(module)) out.emplace_back(name, tensor);
  return out;
}

void drop(TensorMap& weights, const std::string& name) {
  std::erase_if(weights, [&](const auto& entry) { return entry.first == name; });
}

// Train_opt.txt as far as somebody wrote it.
NetworkHints recorded(std::map<std::string, std::string> values) {
  NetworkHints hints;
  hints.recorded = ReferenceOptions{std::move(values)};
  return hints;
}

NetworkHints chosen(const std::string& norm, const std::string& net_g = "", const std::string& dropout = "") {
  NetworkHints hints;
  hints.choice.norm = norm;
  hints.choice.net_g = net_g;
  hints.choice.dropout = dropout;
  return hints;
}

// Tensors without memory, for what is decided by keys and shapes.
TensorMap outline_of(const GeneratorOptions& options) {
  const ShapesOnly outline;
  return weights_of(*make_generator(options));
}

GeneratorOptions found(const GeneratorOptions& built, const NetworkHints& hints = {}) {
  return infer_generator(outline_of(built), "x.pth", hints).options;
}

std::vector<GeneratorOptions> layouts() {
  std::vector<GeneratorOptions> out;
  for (const char* net :
       {"resnet_1blocks", "resnet_6blocks", "resnet_9blocks", "resnet_12blocks", "unet_128", "unet_256"})
    for (const std::string& norm : norm_names())
      for (const char* bias : {"auto", "yes", "no"}) {
        const bool is_default = (inner_bias(norm, "auto") == Bias::yes) == (std::string(bias) == "yes");
        if (std::string(bias) != "auto" && is_default) continue;  // "auto" says so
        GeneratorOptions o = small_options(net, norm);
        o.conv_bias = bias;
        out.push_back(o);
      }
  for (const char* down : {"strided", "blur"})
    for (const char* up : {"transposed", "resize", "blur"})
      for (const std::int64_t halvings : {1, 2, 4})
        for (const bool zero : {false, true}) {
          GeneratorOptions o = small_options(halvings == 1 ? "resnet_0blocks" : "resnet_3blocks", "batch");
          o.downsample = down;
          o.upsample = up;
          o.n_downsampling = halvings;
          o.padding = zero && halvings > 1 ? "zero" : "reflect";
          o.dropout = halvings == 2;
          out.push_back(o);
        }
  return out;
}

TEST(InferGenerator, EveryKindIsFoundAgainFromItsWeights) {
  for (GeneratorOptions options : layouts()) {
    options.in_channels = 2;
    options.out_channels = 5;
    options.ngf = 3;
    const Json built = options_to_json(options);
    EXPECT_EQ(options_to_json(found(options, chosen(options.norm))), built);
  }
}

TEST(InferGenerator, WithoutAWordTheLikelierNormIsTakenAndADoubtThatMattersIsSaid) {
  const auto infer = [](const std::string& norm, const char* bias) {
    GeneratorOptions o = small_options("resnet_2blocks", norm);
    o.conv_bias = bias;
    return infer_generator(outline_of(o), "x.pth");
  };
  const auto warning = AllOf(HasSubstr("warning: x.pth"), HasSubstr("--norm none"));
  const auto silent = infer("instance", "no"), none = infer("none", "no");
  for (const auto& doubtful : {silent, none}) {
    EXPECT_EQ(doubtful.options.norm, "instance");
    EXPECT_EQ(doubtful.options.conv_bias, "no");
    EXPECT_THAT(doubtful.notes, ::testing::ElementsAre(warning));
  }
  for (const char* norm : {"instance", "batch", "instance_affine", "instance_affine_running"}) {
    const auto clear = infer(norm, "auto");
    EXPECT_EQ(clear.options.norm, norm);
    EXPECT_EQ(clear.options.conv_bias, "auto");
    if (std::string(norm) != "instance_affine_running") {
      EXPECT_TRUE(clear.notes.empty()) << norm;
    } else {
      EXPECT_THAT(clear.notes,
                  ::testing::ElementsAre(AllOf(HasSubstr("translate alike"), HasSubstr("--norm batch"))));
    }
  }
}

TEST(InferGenerator, TrainOptDecidesWhatKeysLeaveOpen) {
  GeneratorOptions o = small_options("resnet_2blocks", "none");
  for (const char* norm : {"instance", "none"}) {
    const auto settled = infer_generator(outline_of(o), "x.pth", recorded({{"norm", norm}}));
    EXPECT_EQ(settled.options.norm, norm);
    EXPECT_TRUE(settled.notes.empty());
    EXPECT_EQ(found(o, recorded({{"normG", norm}})).norm, norm) << "as CUT writes it";
  }
  // Somebody who gave the reference's instance norm parameters left its name; running statistics of biased
  // convolutions may be either's.
  EXPECT_EQ(found(small_options("resnet_2blocks", "instance_affine"), recorded({{"norm", "instance"}})).norm,
            "instance_affine");
  o = small_options("resnet_2blocks", "instance_affine_running");
  EXPECT_EQ(found(o, recorded({{"norm", "instance"}})).norm, "instance_affine_running");
  EXPECT_EQ(found(o, recorded({{"norm", "syncbatch"}})).norm, "batch");
  EXPECT_EQ(found(o, recorded({{"norm", "layer"}})).norm, "instance_affine_running")
      << "another program's word";
  for (const bool dropout : {false, true})
    EXPECT_EQ(
        found(small_options("unet_128"), recorded({{"no_dropout", dropout ? "False" : "True"}})).dropout,
        dropout);
}

TEST(InferGenerator, WhatTrainOptAndKeysContradictStops) {
  const auto refusal = [](const GeneratorOptions& built, std::map<std::string, std::string> values) {
    return error_of([&] { found(built, recorded(std::move(values))); });
  };
  const auto resnet = [](const char* norm) { return small_options("resnet_2blocks", norm); };
  EXPECT_THAT(refusal(resnet("instance"), {{"norm", "batch"}}),
              AllOf(HasSubstr("x.pth"), HasSubstr("train_opt.txt"), HasSubstr("norm batch"),
                    HasSubstr("instance or none"), HasSubstr("--norm")));
  EXPECT_THAT(refusal(resnet("instance"), {{"norm", "none"}}), HasSubstr("biased convolutions"));
  EXPECT_THAT(refusal(resnet("batch"), {{"norm", "instance"}}), HasSubstr("norm instance"));
  EXPECT_THAT(refusal(resnet("batch"), {{"norm", "none"}}), HasSubstr("norm none"));
  EXPECT_THAT(refusal(resnet("instance_affine"), {{"norm", "batch"}}), HasSubstr("instance_affine"));
  EXPECT_THAT(refusal(resnet("batch"), {{"netG", "resnet_9blocks"}}),
              AllOf(HasSubstr("resnet_9blocks"), HasSubstr("--net-g resnet_2blocks")));
  EXPECT_THAT(refusal(resnet("batch"), {{"ngf", "64"}}), AllOf(HasSubstr("ngf 64"), HasSubstr("4 wide")));
  EXPECT_THAT(refusal(resnet("batch"), {{"no_dropout", "False"}}), HasSubstr("--dropout off"));
  EXPECT_EQ(found(resnet("batch"), recorded({{"netG", "global"}, {"norm", "spectral"}})).net_g,
            "resnet_2blocks");
}

TEST(InferGenerator, TheUsersWordStandsAboveTrainOptButNotAboveKeys) {
  NetworkHints hints = chosen("none", "resnet_2blocks", "off");
  hints.recorded = ReferenceOptions{{{"norm", "batch"}, {"netG", "resnet_9blocks"}, {"no_dropout", "False"}}};
  const GeneratorOptions built = small_options("resnet_2blocks", "none");
  EXPECT_EQ(options_to_json(found(built, hints)), options_to_json(built));
  EXPECT_EQ(found(small_options("resnet_2blocks"), chosen("none")).conv_bias, "yes");
  EXPECT_EQ(found(small_options("resnet_2blocks", "instance_affine_running"), chosen("instance_affine")).norm,
            "instance_affine_running");
  EXPECT_TRUE(found(small_options("unet_128"), chosen("", "", "on")).dropout);
  for (const auto& [wrong, said] : {std::pair{chosen("batch"), "--norm batch"},
                                    {chosen("instance_affine"), "--norm instance_affine"},
                                    {chosen("", "unet_128"), "--net-g unet_128"},
                                    {chosen("", "", "on"), "--dropout on"}})
    EXPECT_THAT(error_of([&] { found(small_options("resnet_2blocks"), wrong); }),
                AllOf(HasSubstr(said), HasSubstr("x.pth")));
}

TEST(InferGenerator, BatchNormNeedsNoCounters) {
  TensorMap weights = weights_of(*make_generator(small_options("resnet_2blocks", "batch")));
  std::erase_if(weights, [](const auto& entry) { return entry.first.ends_with("num_batches_tracked"); });
  const auto out = infer_generator(weights, "x.pth");
  load_state_dict(*make_generator(out.options), out.weights, "x.pth");
}

TEST(InferGenerator, PyTorchGansKeysAreTheReferencesUnderAnotherName) {
  GeneratorOptions o = small_options("resnet_2blocks");
  o.upsample = "resize";
  TensorMap weights = weights_of(*make_generator(o));
  for (auto& [key, tensor] : weights)
    if (const auto at = key.find(".conv_block."); at != std::string::npos) key.replace(at, 12, ".block.");
  const auto out = infer_generator(weights, "generator.pth");
  EXPECT_EQ(options_to_json(out.options), options_to_json(o));
  EXPECT_THAT(out.notes, ::testing::Contains(HasSubstr("PyTorch-GAN")));
  load_state_dict(*make_generator(out.options), out.weights, "generator.pth");
  for (auto& [key, tensor] : weights)
    if (key == "model.1.weight") tensor = at::zeros({4, 1, 7, 7});
  EXPECT_THAT(error_of([&] { infer_generator(weights, "generator.pth"); }),
              AllOf(HasSubstr("generator.pth"), HasSubstr("PyTorch-GAN"), HasSubstr("three channels")));
}

TEST(InferGenerator, NetworksOfOtherProjectsAreRefusedByName) {
  for (const auto& [key, project] : {std::pair{"UpBlock1_1.conv1.weight", "U-GAT-IT"},
                                     {"enc_content.model.0.conv.weight", "MUNIT"},
                                     {"main.0.weight", "StarGAN"},
                                     {"down1.model.0.weight", "PyTorch-GAN"},
                                     {"initial.0.weight", "aladdinpersson"},
                                     {"model.0.conv.weight", "mmagic"},
                                     {"mlp_0.0.weight", "net_F"}})
    EXPECT_THAT(error_of([&, key = key] {
                  infer_generator({{key, at::zeros({4, 3, 7, 7})}}, "x.pth");
                }),
                AllOf(HasSubstr("x.pth"), HasSubstr(project), HasSubstr("torsor train")));
}

TEST(InferGenerator, AnEnhancerAroundAGeneratorIsNotTakenForIt) {
  TensorMap weights = weights_of(*make_generator(small_options("resnet_2blocks")));
  weights.emplace_back("model1_1.1.weight", at::zeros({2, 3, 7, 7}));
  EXPECT_THAT(error_of([&] { infer_generator(weights, "x.pth"); }), HasSubstr("pix2pixHD"));
}

TEST(InferDiscriminator, BlursNormsAndBiasesShow) {
  for (const char* down : {"strided", "blur"}) {
    for (const std::string& norm : norm_names()) {
      for (const std::int64_t layers : {1, 3}) {
        DiscriminatorOptions o;
        o.net_d = layers == 3 ? "basic" : "n_layers";
        o.n_layers_d = layers;
        o.ndf = 2;
        o.norm = norm;
        o.downsample = down;
        const auto out = infer_discriminator(weights_of(*make_discriminator(o)), "x.pth", chosen(norm));
        EXPECT_EQ(options_to_json(out.options), options_to_json(o));
      }
    }
  }
}

TEST(InferGenerator, DropoutShowsInTheIndexOfTheSecondConvolution) {
  for (const char* norm : {"instance", "batch", "none"}) {
    GeneratorOptions options = small_options("resnet_3blocks", norm);
    options.dropout = true;
    EXPECT_TRUE(infer_generator(weights_of(*make_generator(options)), "x.pth").options.dropout) << norm;
    options.dropout = false;
    EXPECT_FALSE(infer_generator(weights_of(*make_generator(options)), "x.pth").options.dropout) << norm;
  }
}

TEST(InferGenerator, LeftoverBuffersOfInstanceNormChangeNothing) {
  const GeneratorOptions options = small_options();
  TensorMap weights = weights_of(*make_generator(options));
  for (const char* name : {"running_mean", "running_var", "num_batches_tracked"})
    weights.emplace_back(std::string("model.2.") + name, at::zeros({4}));
  const GeneratorOptions inferred = infer_generator(weights, "x.pth").options;
  EXPECT_EQ(options_to_json(inferred), options_to_json(options));
  load_state_dict(*make_generator(inferred), weights, "x.pth");
}

TEST(InferGenerator, ADiscriminatorIsRefusedByName) {
  for (const char* net : {"basic", "n_layers", "pixel"}) {
    for (const char* norm : {"instance", "batch", "none"}) {
      DiscriminatorOptions options;
      options.net_d = net;
      options.norm = norm;
      options.ndf = 2;
      options.n_layers_d = 1;
      const TensorMap weights = weights_of(*make_discriminator(options));
      EXPECT_THAT(
          error_of([&] { infer_generator(weights, "latest_net_D_A.pth"); }),
          AllOf(HasSubstr("latest_net_D_A.pth"), HasSubstr("discriminator"), HasSubstr("_net_G_A.pth")));
    }
  }
}

TEST(InferGenerator, AnotherNetworkIsRefusedWithWhatWasFound) {
  const TensorMap classifier = {{"conv1.weight", at::zeros({8, 3, 7, 7})}, {"fc.weight", at::zeros({10, 8})}};
  EXPECT_THAT(error_of([&] { infer_generator(classifier, "resnet18.pth"); }),
              AllOf(HasSubstr("resnet18.pth"), HasSubstr("conv1.weight"), HasSubstr("model.1.weight")));
  EXPECT_THAT(error_of([&] { infer_generator({}, "empty.pth"); }), HasSubstr("empty.pth"));
}

TEST(InferGenerator, AUnetOfAnotherDepthIsRefused) {
  TensorMap weights = weights_of(*make_generator(small_options("unet_128")));
  const std::string innermost = "model.model.1.model.3.model.3.model.3.model.3.model.3.model.1.weight";
  ASSERT_TRUE(find_tensor(weights, innermost).defined());
  drop(weights, innermost);
  EXPECT_THAT(error_of([&] { infer_generator(weights, "x.pth"); }),
              AllOf(HasSubstr("x.pth"), HasSubstr("6 downsamplings"), HasSubstr("unet_128 (7)")));
}

TEST(InferGenerator, WhatDoesNotFitIsNamedOnLoading) {
  const GeneratorOptions options = small_options("resnet_3blocks");
  const auto load = [&](const TensorMap& weights) {
    return error_of([&] {
      load_state_dict(*make_generator(infer_generator(weights, "x.pth").options), weights, "x.pth");
    });
  };
  TensorMap weights = weights_of(*make_generator(options));
  drop(weights, "model.11.conv_block.5.weight");
  EXPECT_THAT(load(weights), AllOf(HasSubstr("x.pth"), HasSubstr("missing: model.11.conv_block.5.weight")));
  weights.emplace_back("model.11.conv_block.5.weight", at::zeros({16, 16, 5, 5}));
  EXPECT_THAT(load(weights), AllOf(HasSubstr("model.11.conv_block.5.weight"), HasSubstr("[16,16,5,5]"),
                                   HasSubstr("[16,16,3,3]")));
  weights = weights_of(*make_generator(options));
  weights.emplace_back("model.4.attention.weight", at::zeros({1}));
  EXPECT_THAT(load(weights), HasSubstr("unexpected: model.4.attention.weight"));
}

// "resnet_9blocks norm=batch no_dropout  params=..." and the lines below it, as the specification lists them.
struct Listed {
  std::string net, norm;
  bool dropout = false;
  TensorMap weights;  // of the right shapes; the values take no memory
};

std::vector<Listed> listed_networks(const std::filesystem::path& path) {
  std::vector<Listed> out;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string first, word;
    words >> first;
    if (first == "##") {
      Listed next;
      words >> next.net >> word;
      next.norm = word.substr(word.find('=') + 1);
      next.dropout = (words >> word) && word == "dropout";
      out.push_back(next);
    } else if (!first.empty() && !out.empty()) {
      const std::string shape = line.substr(line.find('[') + 1, line.find(']') - line.find('[') - 1);
      std::vector<std::int64_t> sizes;
      std::istringstream numbers(shape);
      for (std::string n; std::getline(numbers, n, ',');) sizes.push_back(std::stoll(n));
      out.back().weights.emplace_back(first, at::zeros({}).expand(sizes));
    }
  }
  return out;
}

TEST(InferGenerator, TheReferencesNetworksByTheirListedKeys) {
  const auto path = testing::golden_folder().parent_path() / "spec" / "state_dict_keys.txt";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no list of keys at " << path;
  int generators = 0, discriminators = 0;
  for (const Listed& listed : listed_networks(path)) {
    SCOPED_TRACE(listed.net + " " + listed.norm);
    ASSERT_FALSE(listed.weights.empty());
    if (listed.net.find("net_") == std::string::npos) {
      EXPECT_THAT(error_of([&] { infer_generator(listed.weights, "x.pth"); }), HasSubstr("discriminator"));
      ++discriminators;
      continue;
    }
    const GeneratorOptions inferred =
        infer_generator(listed.weights, "x.pth", recorded({{"norm", listed.norm}})).options;
    EXPECT_EQ(inferred.net_g, listed.net);
    EXPECT_EQ(inferred.norm, listed.norm);
    EXPECT_EQ(inferred.dropout, listed.dropout);
    EXPECT_EQ(inferred.ngf, 64);
    EXPECT_EQ(inferred.in_channels, 3);
    EXPECT_EQ(inferred.out_channels, 3);
    const auto network = state_dict(*make_generator(inferred));
    ASSERT_EQ(network.size(), listed.weights.size());
    for (std::size_t i = 0; i < network.size(); ++i) {
      EXPECT_EQ(network[i].first, listed.weights[i].first);
      EXPECT_EQ(network[i].second.sizes(), listed.weights[i].second.sizes()) << network[i].first;
    }
    ++generators;
  }
  EXPECT_GT(generators, 0);
  EXPECT_GT(discriminators, 0);
}

TEST(ReadReference, RecordedFilesOpenReadyToRunOrAreRefused) {
  if (!std::filesystem::is_directory(testing::golden_folder())) GTEST_SKIP() << "no recorded files";
  int generators = 0, discriminators = 0;
  for (const auto& entry : std::filesystem::directory_iterator(testing::golden_folder())) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".pth") continue;
    if (name.starts_with("D_")) {
      EXPECT_THAT(error_of([&] { load_generator(read_reference(entry.path()), ""); }),
                  AllOf(HasSubstr(name), HasSubstr("discriminator")));
      ++discriminators;
      continue;
    }
    if (!name.starts_with("G_")) continue;
    const LoadedGenerator loaded = load_generator(read_reference(entry.path()), "");
    EXPECT_THAT(name, HasSubstr(loaded.options.net_g + "_" + loaded.options.norm));
    EXPECT_THAT(loaded.notes, ::testing::Contains(AllOf(HasSubstr(name), HasSubstr(loaded.options.net_g))));
    EXPECT_FALSE(loaded.generator->is_training());
    ++generators;
  }
  if (generators + discriminators == 0)
    GTEST_SKIP() << testing::golden_folder() << " holds no G_*.pth and no D_*.pth";
  EXPECT_GT(generators, 0);
  EXPECT_GT(discriminators, 0);
}

}  // namespace
}  // namespace torsor
