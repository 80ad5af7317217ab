#include "nn/init.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/types.h>

#include <cmath>

#include "core/registry.h"

namespace torsor {

namespace {

// Draws a float32 weight of this shape. Fans as torch computes them: dimension 1 is "in", 0 is "out", also
// for transposed convolutions.
using Initialiser = at::Tensor (*)(at::IntArrayRef shape, double gain, at::Generator generator);

// 1 for a fully connected layer's [out,in].
double receptive(at::IntArrayRef shape) {
  return shape.size() == 2 ? 1 : static_cast<double>(shape[2] * shape[3]);
}

at::Tensor normal(at::IntArrayRef shape, double deviation, at::Generator generator) {
  return at::empty(shape, at::kFloat).normal_(0, deviation, generator);
}

at::Tensor xavier(at::IntArrayRef shape, double gain, at::Generator generator) {
  const double fans = static_cast<double>(shape[0] + shape[1]) * receptive(shape);
  return normal(shape, gain * std::sqrt(2 / fans), generator);
}

at::Tensor kaiming(at::IntArrayRef shape, double, at::Generator generator) {
  return normal(shape, std::sqrt(2 / (static_cast<double>(shape[1]) * receptive(shape))), generator);
}

// QR of a normal matrix with the signs of R's diagonal moved into Q, so that Q is uniform (Saxe et al. 2014).
at::Tensor orthogonal(at::IntArrayRef shape, double gain, at::Generator generator) {
  const std::int64_t rows = shape[0], columns = c10::multiply_integers(shape.slice(1));
  at::Tensor flat = normal({rows, columns}, 1, generator);
  if (rows < columns) flat = flat.t();
  auto [q, r] = at::linalg_qr(flat);
  q = q * at::sign(at::diagonal(r));
  if (rows < columns) q = q.t();
  return (q * gain).reshape(shape).contiguous();
}

const Registry<Initialiser>& initialisers() {
  static const Registry<Initialiser> table = [] {
    Registry<Initialiser> r("init type");
    r.add("normal", normal);
    r.add("xavier", xavier);
    r.add("kaiming", kaiming);
    r.add("orthogonal", orthogonal);
    return r;
  }();
  return table;
}

}  // namespace

void InitOptions::describe(OptionSet& o) {
  o.add("init_type", init_type, "weight initialisation").choices(initialisers().names());
  o.add("init_gain", init_gain, "its scale (normal: standard deviation)").above(0);
}

void init_weights(torch::nn::Module& module, const InitOptions& options, std::uint64_t seed) {
  at::NoGradGuard no_grad;
  const Initialiser draw = initialisers().at(options.init_type);
  const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const auto init_layer = [&](at::Tensor& weight, at::Tensor& bias) {
    weight.copy_(draw(weight.sizes(), options.init_gain, generator));
    if (bias.defined()) bias.zero_();
  };
  // modules() walks in order of registration, so the draws are the same on every run.
  for (const auto& child : module.modules()) {
    if (auto* conv = dynamic_cast<Conv*>(child.get())) init_layer(conv->weight, conv->bias);
    if (auto* conv = dynamic_cast<ConvTranspose*>(child.get())) init_layer(conv->weight, conv->bias);
    if (auto* full = dynamic_cast<Linear*>(child.get())) init_layer(full->weight, full->bias);
    if (auto* norm = dynamic_cast<BatchNorm*>(child.get())) {
      norm->weight.copy_(
          at::empty(norm->weight.sizes(), at::kFloat).normal_(1, options.init_gain, generator));
      norm->bias.zero_();
    }
  }
}

}  // namespace torsor
