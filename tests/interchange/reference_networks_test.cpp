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

TEST(InferGenerator, EveryKindIsFoundAgainFromItsWeights) {
  for (const char* net :
       {"resnet_1blocks", "resnet_6blocks", "resnet_9blocks", "resnet_12blocks", "unet_128", "unet_256"}) {
    for (const char* norm : {"instance", "batch", "none"}) {
      GeneratorOptions options = small_options(net, norm);
      options.in_channels = 2;
      options.out_channels = 5;
      options.ngf = 3;
      const auto network = make_generator(options);
      EXPECT_EQ(options_to_json(infer_generator(weights_of(*network), "x.pth")), options_to_json(options));
    }
  }
}

TEST(InferGenerator, DropoutShowsInTheIndexOfTheSecondConvolution) {
  for (const char* norm : {"instance", "batch", "none"}) {
    GeneratorOptions options = small_options("resnet_3blocks", norm);
    options.dropout = true;
    EXPECT_TRUE(infer_generator(weights_of(*make_generator(options)), "x.pth").dropout) << norm;
    options.dropout = false;
    EXPECT_FALSE(infer_generator(weights_of(*make_generator(options)), "x.pth").dropout) << norm;
  }
}

TEST(InferGenerator, LeftoverBuffersOfInstanceNormChangeNothing) {
  const GeneratorOptions options = small_options();
  TensorMap weights = weights_of(*make_generator(options));
  for (const char* name : {"running_mean", "running_var", "num_batches_tracked"})
    weights.emplace_back(std::string("model.2.") + name, at::zeros({4}));
  const GeneratorOptions found = infer_generator(weights, "x.pth");
  EXPECT_EQ(options_to_json(found), options_to_json(options));
  load_state_dict(*make_generator(found), weights, "x.pth");
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
    return error_of(
        [&] { load_state_dict(*make_generator(infer_generator(weights, "x.pth")), weights, "x.pth"); });
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
    const GeneratorOptions found = infer_generator(listed.weights, "x.pth");
    EXPECT_EQ(found.net_g, listed.net);
    EXPECT_EQ(found.norm, listed.norm);
    EXPECT_EQ(found.dropout, listed.dropout);
    EXPECT_EQ(found.ngf, 64);
    EXPECT_EQ(found.in_channels, 3);
    EXPECT_EQ(found.out_channels, 3);
    const auto network = state_dict(*make_generator(found));
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
