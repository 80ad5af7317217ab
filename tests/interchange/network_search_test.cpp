#include "interchange/network_search.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "core/text.h"
#include "interchange/network_name.h"
#include "interchange/network_pick.h"
#include "nn/network.h"
#include "nn/state_dict.h"
#include "test_support.h"

namespace torsor {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

TensorMap prefixed(const std::string& prefix, const TensorMap& weights) {
  TensorMap out;
  for (const auto& [key, tensor] : weights) out.emplace_back(prefix + key, tensor);
  return out;
}

TensorMap joined(TensorMap one, const TensorMap& other) {
  one.insert(one.end(), other.begin(), other.end());
  return one;
}

TensorMap generator(const std::string& net_g = "resnet_1blocks") {
  return state_dict(*make_generator({net_g, 1, 1, 1}));
}
TensorMap discriminator() { return state_dict(*make_discriminator({"n_layers", 1, 1, 2})); }

void expect_one(const std::string& name, const TensorMap& given, const TensorMap& wanted) {
  const std::vector<FoundNetwork> found = split_networks(".", given);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].name, name);
  ASSERT_EQ(found[0].weights.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(found[0].weights[i].first, wanted[i].first);
}

TEST(NetworkSearch, WhatWrapsANetworkIsTakenOffInAnyNesting) {
  const std::pair<const char*, const char*> wrappings[] = {{"", "."},
                                                           {"module.", "."},
                                                           {"_orig_mod.", "."},
                                                           {"module._orig_mod.module.", "."},
                                                           {"netG.", "netG"},
                                                           {"model.", "model"},
                                                           {"generator.module._orig_mod.", "generator"},
                                                           {"module.model.netG_A.", "model.netG_A"}};
  for (const TensorMap& network : {generator(), generator("unet_128"), discriminator()})
    for (const auto& [prefix, name] : wrappings) expect_one(name, prefixed(prefix, network), network);
}

TEST(NetworkSearch, CountersBesideANetworkAreDropped) {
  const TensorMap counter = {{"n_averaged", at::ones({}, at::kLong)}};
  expect_one(".", joined(counter, prefixed("module.", generator())), generator());
  expect_one("ema", joined(prefixed("ema.", counter), prefixed("ema.module.", generator())), generator());
}

TEST(NetworkSearch, AFlatStateDictIsSplitIntoItsNetworks) {
  TensorMap flat =
      joined(prefixed("netG_A.", generator()), prefixed("netG_B.module.", generator("unet_128")));
  flat = joined(flat, joined(prefixed("netD_A.", discriminator()), {{"criterion.weight", at::ones({3})}}));
  const std::vector<FoundNetwork> found = split_networks("state_dict", flat);
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].name, "state_dict.netG_A");
  EXPECT_EQ(found[1].name, "state_dict.netG_B");
  EXPECT_EQ(found[1].likeness, NetworkKind::generator);
  EXPECT_EQ(found[2].likeness, NetworkKind::discriminator);
  EXPECT_EQ(found[3].name, "state_dict.criterion");
  EXPECT_EQ(found[3].likeness, NetworkKind::unknown);
}

TEST(NetworkSearch, AnUnknownNetworkStaysWhole) {
  const TensorMap unknown = {{"encoder.0.weight", at::ones({2, 2, 3, 3})},
                             {"decoder.0.weight", at::ones({2})}};
  expect_one(".", unknown, unknown);
  expect_one(".", prefixed("module.", unknown), unknown);
  const auto two = split_networks(".", joined(prefixed("genA2B.", unknown), prefixed("genB2A.", unknown)));
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two[0].name, "genA2B");
}

TEST(NetworkSearch, NamesWithoutEndAndWithManyDotsAreNoTrap) {
  TensorMap many;
  for (int i = 0; i < 3000; ++i) many.emplace_back(std::to_string(i) + std::string(500, '.'), at::ones({1}));
  EXPECT_EQ(split_networks(".", many).size(), 1u);
}

TEST(NetworkNames, SayDirections) {
  for (const char* name : {"genA2B", "gen_A2B", "netG_A2B", "G_AB", "GAB", "netG_AtoB", "g_a_to_b",
                           "A2B_generator", "generator_xy", "G_XtoY", "G_S2T", "generatorAB", "model_a2b"})
    EXPECT_EQ(generator_name_says(name), NameSays::a_to_b) << name;
  for (const char* name : {"genB2A", "G_BA", "netG_BtoA", "g_b_to_a", "ba_gen", "G_YX"})
    EXPECT_EQ(generator_name_says(name), NameSays::b_to_a) << name;
  for (const char* name : {"netG_A", "G_A", "gen_a", "generatorA"})
    EXPECT_EQ(generator_name_says(name), NameSays::letter_a) << name;
  for (const char* name : {"G", "netG", "generator", "gen"})
    EXPECT_EQ(generator_name_says(name), NameSays::g) << name;
  for (const char* name : {"F", "netF", "gen_f"}) EXPECT_EQ(generator_name_says(name), NameSays::f) << name;
  for (const char* name :
       {"model", "ema", "net", "state_dict", "latest", "best", "test", "net_12", "photo2monet", ""})
    EXPECT_EQ(generator_name_says(name), NameSays::nothing) << name;
  EXPECT_EQ(discriminator_name_says("netD_A"), NameSays::letter_a);
  EXPECT_EQ(discriminator_name_says("disB"), NameSays::letter_b);
  EXPECT_EQ(discriminator_name_says("D_Y"), NameSays::letter_b);
  EXPECT_EQ(discriminator_name_says("disGA"), NameSays::nothing);
}

std::vector<FoundNetwork> networks(const std::vector<std::string>& generators,
                                   const std::vector<std::string>& discriminators = {}) {
  std::vector<FoundNetwork> out;
  for (const std::string& name : generators) out.push_back({name, NetworkKind::generator, generator(), ""});
  for (const std::string& name : discriminators)
    out.push_back({name, NetworkKind::discriminator, discriminator(), ""});
  return out;
}

std::vector<std::string> picked(const std::vector<FoundNetwork>& found, const std::string& role = "") {
  std::vector<std::string> out;
  for (const PickedNetwork& network : pick_networks(found, role, "x.pth").networks)
    out.push_back(network.found.name + "=" + network.name);
  return out;
}

TEST(NetworkPick, PairsAreTakenInBothDirections) {
  using ::testing::ElementsAre;
  EXPECT_THAT(picked(networks({"genA2B", "genB2A"}, {"disA", "disB"})),
              ElementsAre("genA2B=g_a_to_b", "genB2A=g_b_to_a", "disA=d_a", "disB=d_b"));
  // The reference's D_A is the discriminator of its G_A's output.
  EXPECT_THAT(picked(networks({"m.netG_A", "m.netG_B"}, {"m.netD_A", "m.netD_B"})),
              ElementsAre("m.netG_A=g_a_to_b", "m.netG_B=g_b_to_a", "m.netD_A=d_b", "m.netD_B=d_a"));
  EXPECT_THAT(picked(networks({"F", "G"}, {"D_X", "D_Y"})),
              ElementsAre("F=g_b_to_a", "G=g_a_to_b", "D_X=d_a", "D_Y=d_b"));
  EXPECT_THAT(picked(networks({"G_BA", "G_AB"}, {"disGA", "disLA"})),
              ElementsAre("G_BA=g_b_to_a", "G_AB=g_a_to_b"));
  EXPECT_THAT(pick_networks(networks({"G_BA", "G_AB"}, {"disGA", "disLA"}), "", "x.pth").notes,
              ElementsAre(HasSubstr("disGA, disLA")));
}

TEST(NetworkPick, ALoneNetworkGoesTheWayThatSomethingSays) {
  using ::testing::ElementsAre;
  EXPECT_THAT(picked(networks({"state_dict"})), ElementsAre("state_dict=g"));
  EXPECT_THAT(picked(networks({"state_dict"}), "G_B"), ElementsAre("state_dict=g_b_to_a"));
  EXPECT_THAT(picked(networks({"genB2A"}), "G_A"), ElementsAre("genB2A=g_b_to_a"));
  EXPECT_THAT(picked(networks({"netG"}, {"netD"})), ElementsAre("netG=g"));
  EXPECT_THAT(picked(networks({}, {"."}), "D_A"), ElementsAre(".=d_b"));
  EXPECT_THAT(picked(networks({}, {"."})), ElementsAre(".=d"));
}

TEST(NetworkPick, OthersHaveToBeNamed) {
  for (const auto& names : std::vector<std::vector<std::string>>{
           {"model", "ema"}, {"genA2B", "genB2A", "ema.genA2B"}, {"G_A", "G_A2B"}, {"G", "G_ema"}})
    EXPECT_THAT(error_of([&] { pick_networks(networks(names), "", "x.pth"); }),
                HasSubstr("x.pth: holds " + std::to_string(names.size()) + " generators (" + names[0]));
  const auto named = [&](const std::string& wanted) {
    std::vector<std::string> out;
    for (const FoundNetwork& one : networks_named(
             wanted, networks({"model", "ema.genA2B", "ema.genB2A", "now.G", "now.G.inner"}), "x.pth"))
      out.push_back(one.name);
    return join(out);
  };
  EXPECT_EQ(named("model"), "model");
  EXPECT_EQ(named("ema"), "ema.genA2B, ema.genB2A");
  EXPECT_EQ(named("genB2A"), "ema.genB2A");
  EXPECT_EQ(named("now.G"), "now.G");
  EXPECT_THAT(
      error_of([&] { named("modle"); }),
      HasSubstr(
          "--network modle: x.pth has no such network; did you mean 'model'? (it has model, ema.genA2B"));
}

}  // namespace
}  // namespace torsor
