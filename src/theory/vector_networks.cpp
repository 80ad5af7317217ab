#include "theory/vector_networks.h"

#include <ATen/ATen.h>

#include <cmath>
#include <stdexcept>

namespace torsor {

namespace {

using at::Tensor;

constexpr double kLeak = 0.2;

Tensor drawn_weight(std::int64_t runs, std::int64_t in, std::int64_t out, double deviation, Rng& rng) {
  Tensor w = at::empty({runs, in, out}, at::kFloat);
  float* value = w.data_ptr<float>();
  for (std::int64_t i = 0; i < w.numel(); ++i) value[i] = static_cast<float>(deviation * rng.normal());
  return w;
}

Tensor kaiming_weight(std::int64_t runs, std::int64_t in, std::int64_t out, Rng& rng) {
  return drawn_weight(runs, in, out, std::sqrt(2 / static_cast<double>(in)), rng);
}

void add_layer(VectorWeights& weights, const std::string& name, Tensor weight) {
  weights[name + "/bias"] = at::zeros({weight.size(0), 1, weight.size(2)}, at::kFloat);
  weights[name + "/weight"] = std::move(weight);
}

// [R,n,in] -> [R,n,out]
Tensor layer(const VectorWeights& weights, const std::string& name, const Tensor& x) {
  const Tensor& w = weights.at(name + "/weight");
  const Tensor input = x.size(0) == w.size(0) ? x : x.expand({w.size(0), -1, -1});
  return at::baddbmm(weights.at(name + "/bias"), input, w);
}

bool is_flow(const VectorNetwork& network) { return network.kind == "flow"; }

std::string block_name(const VectorNetwork& network, std::int64_t k) {
  return "block" + std::to_string(is_flow(network) ? 0 : k);
}

Tensor block(const VectorWeights& weights, const std::string& name, const Tensor& x) {
  return layer(weights, name + "/out", at::relu(layer(weights, name + "/in", x)));
}

}  // namespace

VectorWeights start_vector_network(const VectorNetwork& network, std::int64_t runs, double gain, Rng& rng) {
  if (network.kind != "residual" && network.kind != "plain" && !is_flow(network))
    throw std::logic_error("no vector network " + network.kind);
  VectorWeights out;
  const std::int64_t sees = network.dimension + (is_flow(network) ? 1 : 0);
  for (std::int64_t k = 0; k < (is_flow(network) ? 1 : network.blocks); ++k) {
    const std::string name = block_name(network, k);
    add_layer(out, name + "/in", kaiming_weight(runs, sees, network.width, rng));
    add_layer(out, name + "/out", drawn_weight(runs, network.width, network.dimension, gain, rng));
  }
  return out;
}

Tensor vector_velocity(const VectorNetwork& network, const VectorWeights& weights, const Tensor& x,
                       double t) {
  if (!is_flow(network)) throw std::logic_error("a network of the kind " + network.kind + " has no velocity");
  const Tensor time = at::full({x.size(0), x.size(1), 1}, t, x.options());
  return block(weights, block_name(network, 0), at::cat({x, time}, 2));
}

VectorPass vector_pass(const VectorNetwork& network, const VectorWeights& weights, const Tensor& x) {
  VectorPass pass{x, {}};
  for (std::int64_t k = 0; k < network.blocks; ++k) {
    if (network.kind == "plain") {
      pass.out = block(weights, block_name(network, k), pass.out);
      continue;
    }
    const double step = 1.0 / static_cast<double>(network.blocks);
    Tensor added = is_flow(network)
                       ? vector_velocity(network, weights, pass.out, step * static_cast<double>(k)) * step
                       : block(weights, block_name(network, k), pass.out);
    pass.out = pass.out + added;
    pass.residuals.push_back(std::move(added));
  }
  return pass;
}

VectorWeights start_vector_discriminator(std::int64_t dimension, std::int64_t width, std::int64_t runs,
                                         Rng& rng) {
  VectorWeights out;
  add_layer(out, "first", kaiming_weight(runs, dimension, width, rng));
  add_layer(out, "second", kaiming_weight(runs, width, width, rng));
  add_layer(out, "score", kaiming_weight(runs, width, 1, rng));
  return out;
}

Tensor vector_scores(const VectorWeights& weights, const Tensor& x) {
  const Tensor first = at::leaky_relu(layer(weights, "first", x), kLeak);
  return layer(weights, "score", at::leaky_relu(layer(weights, "second", first), kLeak));
}

}  // namespace torsor
