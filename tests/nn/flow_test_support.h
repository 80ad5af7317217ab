// Small flows with velocities that move images visibly.
#pragma once

#include <memory>
#include <string>

#include "nn/flow.h"
#include "nn/velocity.h"
#include "nn_test_support.h"

namespace torsor::testing::flows {

inline GeneratorOptions flow_options(const std::string& solver = "midpoint", std::int64_t steps = 4,
                                     std::int64_t width = 8) {
  GeneratorOptions o;
  o.net_g = "flow_2";
  o.ngf = width;
  o.flow_solver = solver;
  o.flow_steps = steps;
  return o;
}

/// With velocities that move images visibly.
inline std::shared_ptr<Generator> flow_of(const GeneratorOptions& options, std::uint64_t seed = 1) {
  auto out = make_generator(options);
  init_weights(*out, {"auto", 0.5}, seed);
  return out;
}

inline at::Tensor picture(at::IntArrayRef shape, std::uint64_t seed = 1) {
  return at::tanh(noise(shape, seed));
}

inline at::Tensor inverse_at(Generator& flow, const at::Tensor& y) {
  return dynamic_cast<InvertibleGenerator&>(flow).inverse(y);
}

inline std::shared_ptr<Velocity> velocity_of(const Generator& flow, const std::string& name = "velocity") {
  return std::dynamic_pointer_cast<Velocity>(flow.named_children()[name]);
}

inline at::Tensor find_parameter(const Generator& flow, const std::string& key) {
  for (const auto& [name, tensor] : state_dict(flow))
    if (name == key) return tensor.detach();
  throw std::logic_error("no tensor " + key);
}

inline double largest(const at::Tensor& x) { return x.abs().max().item<double>(); }

}  // namespace torsor::testing::flows
