// What the probe says of the generators there are, and whether that is so of wide ones with other weights.
#include "model/block_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "test_support.h"

namespace torsor::testing {
namespace {

BlockKind kind_of(const std::string& net_g, const std::string& norm) {
  GeneratorOptions o;
  o.net_g = net_g;
  o.norm = norm;
  return probe_blocks(o);
}

TEST(BlockProbe, KnowsBlocksThatEndInANormWithoutParameters) {
  for (const char* net : {"resnet_9blocks", "resnet_1blocks", "residual_unet_3", "autoencoder_32"}) {
    EXPECT_EQ(kind_of(net, "instance"), BlockKind::normed) << net;
    for (const char* norm : {"instance_affine", "instance_affine_running", "batch", "none"})
      EXPECT_EQ(kind_of(net, norm), BlockKind::free) << net << " " << norm;
  }
}

TEST(BlockProbe, KnowsGeneratorsWithoutBlocks) {
  for (const char* net : {"unet_128", "unet_256"})
    EXPECT_EQ(kind_of(net, "instance"), BlockKind::none) << net;
}

TEST(BlockProbe, TakesTheChannelsAndOptionsThatThereAre) {
  GeneratorOptions o;
  o.net_g = "resnet_2blocks";
  o.in_channels = 1;
  o.out_channels = 4;
  o.ngf = 1;
  o.dropout = true;
  o.padding = "zero";
  o.upsample = "blur";
  EXPECT_EQ(probe_blocks(o), BlockKind::normed);
  o.net_g = "resnet_";
  EXPECT_THAT(error_of<UsageError>([&] { probe_blocks(o); }), ::testing::HasSubstr("resnet_"));
}

}  // namespace
}  // namespace torsor::testing
