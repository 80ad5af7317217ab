#include "nn/init.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/types.h>

#include <cmath>

#include "core/registry.h"

namespace torsor {

namespace {

const std::string kAuto = "auto", kUsualType = "normal";
constexpr double kUsualGain = 0.02;  // both the reference's

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

OwnInit own_inits(torch::nn::Module& module, std::optional<double> gain) {
  OwnInit out;
  for (const auto& child : module.modules())
    if (const auto* own = dynamic_cast<const HasOwnInit*>(child.get())) out.merge(own->own_init(gain));
  return out;
}

}  // namespace

void InitOptions::describe(OptionSet& o) {
  std::vector<std::string> types = initialisers().names();
  types.insert(types.begin(), kAuto);
  o.add("init_type", init_type,
        "weight initialisation; auto: normal, but of a flow kaiming with a small last layer")
      .choices(types);
  o.add(
       "init_gain", init_gain,
       "its scale (normal: standard deviation; of a flow's auto that of the last layer) [0.02; a flow's 0.1]")
      .above(0);
}

void init_weights(torch::nn::Module& module, const InitOptions& options, std::uint64_t seed) {
  at::NoGradGuard no_grad;
  const double gain = options.init_gain.value_or(kUsualGain);
  const InitOptions usual = {options.init_type == kAuto ? kUsualType : options.init_type, gain};
  const OwnInit own = options.init_type == kAuto ? own_inits(module, options.init_gain) : OwnInit();
  const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const auto init_layer = [&](const torch::nn::Module* layer, at::Tensor& weight, at::Tensor& bias) {
    const auto found = own.find(layer);
    const InitOptions& init = found == own.end() ? usual : found->second;
    weight.copy_(
        initialisers().at(init.init_type)(weight.sizes(), init.init_gain.value_or(kUsualGain), generator));
    if (bias.defined()) bias.zero_();
  };
  // modules() walks in order of registration, so the draws are the same on every run.
  for (const auto& child : module.modules()) {
    if (auto* conv = dynamic_cast<Conv*>(child.get())) init_layer(conv, conv->weight, conv->bias);
    if (auto* conv = dynamic_cast<ConvTranspose*>(child.get())) init_layer(conv, conv->weight, conv->bias);
    if (auto* full = dynamic_cast<Linear*>(child.get())) init_layer(full, full->weight, full->bias);
    if (auto* norm = dynamic_cast<BatchNorm*>(child.get())) {
      norm->weight.copy_(at::empty(norm->weight.sizes(), at::kFloat).normal_(1, gain, generator));
      norm->bias.zero_();
    }
  }
}

}  // namespace torsor
