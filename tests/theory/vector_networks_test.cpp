// Small networks on vectors, many at a time.
#include "theory/vector_networks.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace torsor {
namespace {

VectorNetwork network_of(const std::string& kind) {
  VectorNetwork network;
  network.kind = kind;
  network.blocks = 3;
  network.width = 5;
  return network;
}

at::Tensor some_points() { return at::linspace(-1, 1, 14, at::kFloat).view({1, 7, 2}); }

// Of one run by plain matrices.
at::Tensor block_of(const VectorWeights& w, const std::string& name, std::int64_t run, const at::Tensor& x) {
  const auto at = [&](const std::string& key) { return w.at(name + "/" + key)[run]; };
  return at::matmul(at::relu(at::matmul(x, at("in/weight")) + at("in/bias")), at("out/weight")) +
         at("out/bias");
}

TEST(VectorNetworks, EachRunIsItsOwnNetwork) {
  Rng rng(3);
  for (const std::string kind : {"residual", "plain", "flow"}) {
    const VectorNetwork network = network_of(kind);
    const VectorWeights weights = start_vector_network(network, 4, 0.5, rng);
    const VectorPass all = vector_pass(network, weights, some_points());
    ASSERT_EQ(all.out.sizes(), at::IntArrayRef({4, 7, 2})) << kind;
    EXPECT_EQ(all.residuals.size(), kind == "plain" ? 0U : 3U);
    for (std::int64_t r = 0; r < 4; ++r) {
      at::Tensor x = some_points()[0];
      for (std::int64_t k = 0; k < 3; ++k) {
        if (kind == "plain") x = block_of(weights, "block" + std::to_string(k), r, x);
        if (kind == "residual") x = x + block_of(weights, "block" + std::to_string(k), r, x);
        if (kind == "flow")
          x = x + block_of(weights, "block0", r, at::cat({x, at::full({7, 1}, double(k) / 3)}, 1)) / 3;
      }
      EXPECT_LT((x - all.out[r]).abs().max().item<double>(), 1e-5) << kind << " " << r;
    }
    EXPECT_GT((all.out[0] - all.out[1]).abs().max().item<double>(), 1e-4) << "runs have weights of their own";
  }
}

TEST(VectorNetworks, ResidualsAddUpToWhatTheNetworkAdds) {
  Rng rng(4);
  for (const std::string kind : {"residual", "flow"}) {
    const VectorNetwork network = network_of(kind);
    const VectorPass pass = vector_pass(network, start_vector_network(network, 2, 0.5, rng), some_points());
    const at::Tensor sum = pass.residuals[0] + pass.residuals[1] + pass.residuals[2];
    EXPECT_LT((some_points() + sum - pass.out).abs().max().item<double>(), 1e-5) << kind;
  }
}

TEST(VectorNetworks, OnlyAFlowHasAVelocity) {
  Rng rng(6);
  const VectorNetwork flow = network_of("flow"), residual = network_of("residual");
  const VectorWeights weights = start_vector_network(flow, 2, 0.5, rng);
  const at::Tensor now = vector_velocity(flow, weights, some_points(), 0),
                   later = vector_velocity(flow, weights, some_points(), 1);
  EXPECT_EQ(now.sizes(), at::IntArrayRef({2, 7, 2}));
  EXPECT_GT((now - later).abs().max().item<double>(), 1e-4) << "it sees the time";
  EXPECT_THROW(vector_velocity(residual, start_vector_network(residual, 1, 1, rng), some_points(), 0),
               std::logic_error);
}

TEST(VectorNetworks, ADiscriminatorScoresEveryPoint) {
  Rng rng(5);
  const at::Tensor scores = vector_scores(start_vector_discriminator(2, 8, 3, rng), some_points());
  EXPECT_EQ(scores.sizes(), at::IntArrayRef({3, 7, 1}));
  EXPECT_THROW(start_vector_network(network_of("another"), 1, 1, rng), std::logic_error);
}

}  // namespace
}  // namespace torsor
