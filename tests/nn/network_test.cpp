// What the networks are made of: names, shapes, counts, sizes they take.
#include <fmt/ranges.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "golden_folders.h"
#include "nn/latent.h"
#include "nn_test_support.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using testing::discriminator_options;
using testing::error_of;
using testing::generator_options;
using ::testing::HasSubstr;
using testing::initialised;
using testing::noise;
using ::testing::StartsWith;
using testing::tensor_names;

std::shared_ptr<Generator> reference_generator(const std::string& net, const std::string& norm,
                                               bool dropout = false) {
  GeneratorOptions options;
  options.net_g = net;
  options.norm = norm;
  options.dropout = dropout;
  return make_generator(options);
}

std::shared_ptr<Network> reference_discriminator(const std::string& net, const std::string& norm,
                                                 std::int64_t layers = 3) {
  DiscriminatorOptions options;
  options.net_d = net;
  options.norm = norm;
  options.n_layers_d = layers;
  return make_discriminator(options);
}

/// "name [2, 3] torch.float32" for every entry, as the specification lists them.
std::vector<std::string> described(const torch::nn::Module& module) {
  std::vector<std::string> out;
  for (const auto& [name, tensor] : state_dict(module))
    out.push_back(fmt::format("{} [{}] torch.{}", name, fmt::join(tensor.sizes().vec(), ", "),
                              tensor.scalar_type() == at::kLong ? "int64" : "float32"));
  return out;
}

struct Listed {
  std::string title;
  std::vector<std::string> entries;
};

std::filesystem::path key_list() { return testing::golden_folder() / ".." / "spec" / "state_dict_keys.txt"; }

std::vector<Listed> read_key_list() {
  std::vector<Listed> out;
  std::ifstream file(key_list());
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) out.push_back({line.substr(3), {}});
    if (line.starts_with("  ")) out.back().entries.push_back(line.substr(2));
  }
  return out;
}

/// The network of a title such as "n_layers norm=batch n_layers=5  params=11156289 tensors=34".
std::shared_ptr<Network> build(const std::string& title) {
  std::istringstream words(title);
  std::string net, norm = "instance";
  std::int64_t layers = 3;
  bool dropout = false;
  words >> net;
  for (std::string word; words >> word;) {
    if (word.starts_with("norm=")) norm = word.substr(5);
    if (word.starts_with("n_layers=")) layers = std::stoll(word.substr(9));
    if (word == "dropout") dropout = true;
  }
  if (net.starts_with("resnet") || net.starts_with("unet")) return reference_generator(net, norm, dropout);
  return reference_discriminator(net, norm, layers);
}

TEST(StateDictNames, AreTheReferencesInOrderWithShapesAndTypes) {
  const std::vector<Listed> list = read_key_list();
  if (list.empty()) GTEST_SKIP() << "no key list at " << key_list() << " (set TORSOR_GOLDEN)";
  EXPECT_GE(list.size(), 15u);
  for (const auto& [title, entries] : list) {
    SCOPED_TRACE(title);
    const auto network = build(title);
    EXPECT_EQ(described(*network), entries);
    EXPECT_THAT(title, HasSubstr(fmt::format("params={} ", parameter_count(*network))));
  }
}

// Without the list: the counts that the reference prints for its own networks (64 wide, 3 to 3 channels).
TEST(ParameterCounts, AreTheReferences) {
  const auto generator = [](const char* net, const char* norm) {
    return parameter_count(*reference_generator(net, norm));
  };
  EXPECT_EQ(generator("resnet_9blocks", "instance"), 11378179);
  EXPECT_EQ(generator("resnet_9blocks", "batch"), 11383427);
  EXPECT_EQ(generator("resnet_6blocks", "instance"), 7837699);
  EXPECT_EQ(generator("resnet_6blocks", "batch"), 7841411);
  EXPECT_EQ(generator("unet_128", "instance"), 41825667);
  EXPECT_EQ(generator("unet_128", "batch"), 41828995);
  EXPECT_EQ(generator("unet_256", "instance"), 54409603);
  EXPECT_EQ(generator("unet_256", "batch"), 54413955);
  EXPECT_EQ(parameter_count(*reference_discriminator("basic", "instance")), 2764737);
  EXPECT_EQ(parameter_count(*reference_discriminator("pixel", "instance")), 8705);
}

std::vector<std::string> convolution_entries(const torch::nn::Module& module) {
  std::vector<std::string> out;
  for (const auto& item : module.named_modules())
    if (dynamic_cast<const Conv*>(item.value().get()) ||
        dynamic_cast<const ConvTranspose*>(item.value().get()))
      for (const auto& parameter : item.value()->named_parameters())
        out.push_back(item.key() + "." + parameter.key());
  return out;
}

// norm "none" keeps the places of the norms and, as with batch norm, inner convolutions have no bias.
TEST(Norms, NoneIsBatchNormWithoutItsTensors) {
  for (const char* net : {"resnet_2blocks", "unet_128"}) {
    const auto none = make_generator(generator_options(net, "none"));
    const auto batch = make_generator(generator_options(net, "batch"));
    EXPECT_EQ(tensor_names(*none), convolution_entries(*batch)) << net;
  }
  for (const char* net : {"basic", "pixel"}) {
    const auto none = make_discriminator(discriminator_options(net, "none"));
    const auto batch = make_discriminator(discriminator_options(net, "batch"));
    EXPECT_EQ(tensor_names(*none), convolution_entries(*batch)) << net;
  }
}

TEST(Norms, InstanceHasNoTensorsAndEveryConvolutionABias) {
  for (const char* net : {"resnet_2blocks", "unet_128"}) {
    const auto network = make_generator(generator_options(net));
    EXPECT_EQ(tensor_names(*network), convolution_entries(*network)) << net;
    std::size_t weights = 0, biases = 0;
    for (const auto& name : tensor_names(*network)) (name.ends_with(".bias") ? biases : weights) += 1;
    EXPECT_EQ(weights, biases) << net;
  }
}

TEST(Norms, AnUnknownOneIsAUsageError) {
  EXPECT_THAT(error_of<UsageError>([] { make_generator(generator_options("resnet_1blocks", "layer")); }),
              AllOf(HasSubstr("'layer'"), HasSubstr("instance, batch, none")));
}

TEST(NetworkNames, AnUnknownOneIsAUsageErrorThatSuggests) {
  const auto generator = [](const std::string& net) {
    return error_of<UsageError>([&] { make_generator(generator_options(net)); });
  };
  EXPECT_THAT(generator("unet_265"), AllOf(HasSubstr("'unet_265'"), HasSubstr("did you mean 'unet_256'?")));
  EXPECT_THAT(generator("resnet_9block"), HasSubstr("resnet_<n>blocks"));
  EXPECT_THAT(generator("resnet"), HasSubstr("one of resnet_<n>blocks, autoencoder_<n>, residual_unet_<n>, "
                                             "flow_<n>, latent_<n>, unet_128, unet_256"));
  EXPECT_THAT(generator("resnet_<n>blocks"), HasSubstr("resnet_9blocks"));
  EXPECT_THAT(generator("resnet_99999blocks"), HasSubstr("at most 1024"));
  EXPECT_THAT(error_of<UsageError>([] { make_discriminator(discriminator_options("pixle")); }),
              AllOf(HasSubstr("'pixle'"), HasSubstr("did you mean 'pixel'?")));
}

TEST(NetworkNames, AreCheckedWhereTheyAreGiven) {
  const auto refusal = [](const std::string& net) {
    return error_of<UsageError>([&] { check_generator_name(net, "--net-g"); });
  };
  EXPECT_THAT(refusal("resnet_9block"), AllOf(StartsWith("--net-g: "), HasSubstr("'resnet_9blocks'?")));
  EXPECT_THAT(refusal("unet_64"), StartsWith("--net-g: "));
  EXPECT_THAT(refusal("resnet_<n>blocks"), HasSubstr("resnet_9blocks"));
  for (const char* net : {"resnet_9blocks", "resnet_1blocks", "unet_128", "unet_256"})
    EXPECT_NO_THROW(check_generator_name(net, "--net-g")) << net;
}

TEST(GeneratorShapes, ChannelsMayDifferAndBeOne) {
  for (const auto& [in, out] : {std::pair{1, 1}, std::pair{1, 3}, std::pair{5, 2}})
    for (const auto& [net, side] : {std::pair{"resnet_1blocks", 16}, std::pair{"unet_128", 128}}) {
      GeneratorOptions options = generator_options(net);
      options.in_channels = in;
      options.out_channels = out;
      const at::Tensor y = initialised(make_generator(options))->forward(noise({2, in, side, side}, 1));
      EXPECT_EQ(y.sizes(), at::IntArrayRef({2, out, side, side})) << net;
    }
  DiscriminatorOptions options = discriminator_options("basic");
  options.in_channels = 1;
  EXPECT_EQ(initialised(make_discriminator(options))->forward(noise({2, 1, 32, 32}, 1)).size(1), 1);
}

TEST(ShapesOnly, HaveNoMemoryUntilTheyEnd) {
  GeneratorOptions huge;
  huge.ngf = 4096;  // some 100 GB
  huge.norm = "batch";
  EXPECT_EQ(size_rule_of(huge).multiple, 4);
  {
    const ShapesOnly outline;
    const auto network = make_generator(huge);
    for (const auto& [name, tensor] : state_dict(*network)) EXPECT_TRUE(tensor.is_meta()) << name;
    EXPECT_THAT(error_of([&] {
                  check_state_dict(*network, state_dict(*reference_generator("resnet_9blocks", "batch")),
                                   "x.pth");
                }),
                AllOf(StartsWith("x.pth: "),
                      HasSubstr("other shape: model.1.weight is [64,3,7,7], expected [4096,3,7,7]")));
  }
  for (const auto& [name, tensor] : state_dict(*reference_generator("resnet_9blocks", "batch")))
    EXPECT_TRUE(tensor.is_cpu()) << name;
}

TEST(GeneratorShapes, TheSizeRuleIsTheReferences) {
  const auto rule = [](const char* net) { return make_generator(generator_options(net))->size_rule(); };
  EXPECT_EQ(rule("resnet_9blocks").multiple, 4);
  EXPECT_EQ(rule("resnet_9blocks").minimum, 8);
  EXPECT_EQ(rule("unet_128").multiple, 128);
  EXPECT_EQ(rule("unet_256").multiple, 256);
}

TEST(GeneratorShapes, SidesThatFollowTheRuleAreKept) {
  for (const char* net : {"resnet_1blocks", "unet_128", "unet_256"})
    for (const char* norm : {"instance", "batch", "none"}) {
      const auto network = initialised(make_generator(generator_options(net, norm)));
      const SizeRule rule = network->size_rule();
      const std::int64_t h = rule.minimum, w = rule.minimum + rule.multiple;
      EXPECT_EQ(network->forward(noise({1, 3, h, w}, 1)).sizes(), at::IntArrayRef({1, 3, h, w}))
          << net << norm;
    }
}

TEST(GeneratorShapes, AUnetRefusesOtherSidesInOneClearLine) {
  const auto network = initialised(make_generator(generator_options("unet_128")));
  for (const auto& [h, w] : {std::pair{192, 128}, std::pair{128, 320}, std::pair{64, 64}})
    EXPECT_THAT(error_of([&] {
                  network->forward(noise({1, 3, h, w}, 1));
                }),
                AllOf(HasSubstr(fmt::format("{}x{}", w, h)), HasSubstr("multiples of 128")));
}

TEST(GeneratorShapes, AResnetRoundsOtherSidesUpAndNeedsMapsOfTwo) {
  const auto network = initialised(make_generator(generator_options("resnet_1blocks")));
  EXPECT_EQ(network->forward(noise({1, 3, 10, 13}, 1)).sizes(), at::IntArrayRef({1, 3, 12, 16}));
  EXPECT_THAT(error_of([&] { network->forward(noise({1, 3, 4, 4}, 1)); }), HasSubstr("1x1"));
}

TEST(DiscriminatorShapes, ScoreMapsOf256AreTheReferences) {
  for (const auto& [layers, side] : {std::pair{1, 126}, {2, 62}, {3, 30}, {4, 14}, {5, 6}}) {
    const auto network =
        initialised(make_discriminator(discriminator_options("n_layers", "instance", layers)));
    EXPECT_EQ(network->forward(noise({1, 3, 256, 256}, 1)).sizes(), at::IntArrayRef({1, 1, side, side}));
  }
  const auto pixel = initialised(make_discriminator(discriminator_options("pixel")));
  EXPECT_EQ(pixel->forward(noise({1, 3, 16, 20}, 1)).sizes(), at::IntArrayRef({1, 1, 16, 20}));
}

TEST(DiscriminatorShapes, BasicIsThreeLayersWhateverTheOptionSays) {
  const auto names_of = [](const char* net, std::int64_t layers) {
    return described(*make_discriminator(discriminator_options(net, "batch", layers)));
  };
  EXPECT_EQ(names_of("basic", 5), names_of("n_layers", 3));
  EXPECT_NE(names_of("n_layers", 5), names_of("n_layers", 3));
}

// The pixels that a score in the middle depends on, found by its gradient.
TEST(DiscriminatorShapes, ReceptiveFieldsAreTheReferences) {
  for (const auto& [layers, field] : {std::pair{1, 16}, {2, 34}, {3, 70}, {4, 142}, {5, 286}}) {
    const auto network = initialised(make_discriminator(discriminator_options("n_layers", "none", layers)));
    network->to(at::kDouble);
    const at::Tensor x = noise({1, 3, 512, 512}, 2).to(at::kDouble).requires_grad_(true);
    const at::Tensor y = network->forward(x);
    y[0][0][y.size(2) / 2][y.size(3) / 2].backward();
    const at::Tensor rows = x.grad().abs().sum(at::IntArrayRef({0, 1, 3})).nonzero();
    EXPECT_EQ((rows.max() - rows.min()).item<std::int64_t>() + 1, field) << layers << " layers";
  }
}

TEST(DiscriminatorShapes, TheMinimumIsTheSmallestSideThatWorks) {
  for (std::int64_t layers = 1; layers <= 4; ++layers) {
    const auto network =
        initialised(make_discriminator(discriminator_options("n_layers", "instance", layers)));
    const std::int64_t side = network->size_rule().minimum;
    EXPECT_EQ(network->forward(noise({1, 3, side, side}, 1)).numel(), 1) << layers;
    EXPECT_THROW(network->forward(noise({1, 3, side - 1, side - 1}, 1)), std::exception) << layers;
  }
}

TEST(Autoencoder, KeepsTheSidesOfItsImagesAndOfLargerOnes) {
  const auto g = initialised(make_generator(generator_options("autoencoder_32", "batch")));
  EXPECT_EQ(g->forward(noise({2, 3, 32, 32}, 1)).sizes(), (std::vector<std::int64_t>{2, 3, 32, 32}));
  EXPECT_EQ(g->forward(noise({1, 3, 48, 36}, 1)).sizes(), (std::vector<std::int64_t>{1, 3, 48, 36}));
  EXPECT_EQ(g->size_rule().minimum, 32);
  std::vector<at::Tensor> residuals;
  g->forward_with_residuals(noise({1, 3, 32, 32}, 1), residuals);
  EXPECT_EQ(residuals.size(), 2u);
}

TEST(ResidualUnet, KeepsTheSidesDownToItsLeast) {
  for (const char* norm : {"instance", "batch"}) {
    const auto g = initialised(make_generator(generator_options("residual_unet_3", norm)));
    EXPECT_EQ(g->size_rule().multiple, 8);
    EXPECT_EQ(g->size_rule().minimum, 16);
    EXPECT_EQ(g->forward(noise({2, 3, 16, 40}, 1)).sizes(), (std::vector<std::int64_t>{2, 3, 16, 40}));
    EXPECT_THAT(error_of([&] { g->forward(noise({1, 3, 20, 16}, 1)); }), HasSubstr("multiples of 8"));
  }
}

TEST(ResidualUnet, ReportsItsResidualsAndIsTheSameWithThem) {
  const auto g = initialised(make_generator(generator_options("residual_unet_2")));
  const at::NoGradGuard no_grad;
  const at::Tensor x = noise({1, 3, 16, 16}, 1);
  std::vector<at::Tensor> residuals;
  EXPECT_TRUE(at::equal(g->forward_with_residuals(x, residuals), g->forward(x)));
  ASSERT_EQ(residuals.size(), 5u) << "two levels down, the bottom, two levels up";
  EXPECT_EQ(residuals[0].size(2), 16);
  EXPECT_EQ(residuals[2].size(2), 4);
  EXPECT_EQ(residuals[4].size(2), 16);
}

TEST(LatentGenerators, AreAnEncoderToAVectorAndADecoderOfIt) {
  const auto g = initialised(make_generator(generator_options("latent_32", "batch")));
  auto& latent = dynamic_cast<LatentGenerator&>(*g);
  latent.eval();
  const at::NoGradGuard no_grad;
  const at::Tensor x = noise({2, 3, 32, 32}, 1);
  const at::Tensor z = latent.encode(x);
  EXPECT_EQ(z.sizes(), (std::vector<std::int64_t>{2, 100, 1, 1}));
  EXPECT_LE(z.abs().max().item<double>(), 1);
  EXPECT_EQ(latent.decode(z).sizes(), x.sizes());
  EXPECT_TRUE(at::allclose(g->forward(x), latent.decode(z)));
  EXPECT_EQ(g->forward(noise({1, 3, 48, 40}, 1)).sizes(), (std::vector<std::int64_t>{1, 3, 48, 40}));
  EXPECT_EQ(g->size_rule().minimum, 32);
  EXPECT_EQ(g->size_rule().multiple, 8);
  EXPECT_EQ(latent.encoder_parameters().size() + latent.decoder_parameters().size(), g->parameters().size());
}

// With everything below the first level silenced the image still comes through.
TEST(ResidualUnet, SkipsJoinEveryLevel) {
  const auto g = initialised(make_generator(generator_options("residual_unet_2")));
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : state_dict(*g))
    if (name.starts_with("level_0.up") || name.starts_with("level_0.down")) tensor.zero_();
  const at::Tensor x = noise({1, 3, 16, 16}, 1), y = noise({1, 3, 16, 16}, 2);
  EXPECT_GT((g->forward(x) - g->forward(y)).abs().max().item<double>(), 0.01);
  for (const auto& [name, tensor] : state_dict(*g))
    if (name.starts_with("level_0.join")) tensor.zero_();
  EXPECT_EQ((g->forward(x) - g->forward(y)).abs().max().item<double>(), 0);
}

TEST(Autoencoder, NothingPassesByItsBottleneck) {
  const auto g = initialised(make_generator(generator_options("autoencoder_16", "instance")));
  const at::NoGradGuard no_grad;
  const at::Tensor x = noise({1, 3, 16, 16}, 1), y = noise({1, 3, 16, 16}, 2);
  EXPECT_GT((g->forward(x) - g->forward(y)).abs().max().item<double>(), 0.01);
  // The fully connected layer: 8 ngf numbers from 4 x 4 maps.
  bool found = false;
  for (const auto& [name, tensor] : state_dict(*g))
    if (tensor.dim() == 4 && tensor.size(0) == 16 && tensor.size(2) == 4 && tensor.size(1) == 4 && !found) {
      tensor.zero_();
      found = true;
    }
  ASSERT_TRUE(found);
  EXPECT_EQ((g->forward(x) - g->forward(y)).abs().max().item<double>(), 0);
}

TEST(FullImageDiscriminator, GivesOneScoreAnImage) {
  for (const char* norm : {"none", "batch", "instance"}) {
    const auto d = initialised(make_discriminator(discriminator_options("full_32", norm)));
    EXPECT_EQ(d->forward(noise({5, 3, 32, 32}, 1)).sizes(), (std::vector<std::int64_t>{5, 1, 1, 1}));
    // Every pixel counts.
    at::Tensor x = noise({1, 3, 32, 32}, 2).requires_grad_();
    d->forward(x).sum().backward();
    EXPECT_GT((x.grad() != 0).to(at::kDouble).mean().item<double>(), 0.99) << norm;
  }
}

TEST(NetworkNames, FamiliesSayWhichNumbersTheyTake) {
  const auto generator = [](const char* net) {
    return error_of<UsageError>([&] { make_generator(generator_options(net)); });
  };
  EXPECT_THAT(generator("autoencoder_30"), HasSubstr("multiple of 4"));
  EXPECT_THAT(generator("latent_48"), HasSubstr("power of two"));
  EXPECT_THAT(generator("latent_4"), HasSubstr("at least 8"));
  EXPECT_THAT(generator("autoencoder_4"), HasSubstr("at least 8"));
  EXPECT_THAT(generator("autoencoder_99999"), HasSubstr("at most 1024"));
  EXPECT_THAT(generator("residual_unet_9"), HasSubstr("from 1 to 8"));
  EXPECT_THAT(generator("residual_unet_0"), HasSubstr("from 1 to 8"));
  EXPECT_THAT(error_of<UsageError>([] { make_discriminator(discriminator_options("full_24")); }),
              HasSubstr("power of two"));
  EXPECT_THAT(error_of<UsageError>([] { make_discriminator(discriminator_options("full_<n>")); }),
              HasSubstr("full_32"));
  EXPECT_THAT(error_of<UsageError>([] { check_discriminator_name("ful_32", "--net-d"); }),
              AllOf(HasSubstr("--net-d"), HasSubstr("did you mean 'full_32'?")));
}

}  // namespace
}  // namespace torsor
