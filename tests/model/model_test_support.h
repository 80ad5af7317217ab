// Shared by the tests of the models: tiny networks, a list of batches, and a model with all that a step
// needs.
#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "core/error.h"
#include "model/cyclegan.h"
#include "nn/state_dict.h"
#include "test_support.h"

namespace torsor::testing {

inline constexpr std::int64_t kSide = 16;

/// Networks of a few hundred weights, of a scale that keeps signals alive in narrow layers.
inline CycleGanSpec tiny_spec() {
  CycleGanSpec spec;
  spec.g_a_to_b.net_g = spec.g_b_to_a.net_g = "resnet_1blocks";
  spec.g_a_to_b.ngf = spec.g_b_to_a.ngf = 4;
  spec.d_a.net_d = spec.d_b.net_d = "n_layers";
  spec.d_a.n_layers_d = spec.d_b.n_layers_d = 1;
  spec.d_a.ndf = spec.d_b.ndf = 4;
  spec.init = {"kaiming", 1};
  spec.cyclegan.pool_size = 0;
  return spec;
}

inline Placement cpu(c10::ScalarType dtype = c10::kFloat) {
  Placement placement;
  placement.dtype = dtype;
  return placement;
}

/// Uniform in [-1, 1), in double precision.
inline at::Tensor image_noise(at::IntArrayRef shape, std::uint64_t seed) {
  return at::empty(shape, at::kDouble).uniform_(-1, 1, at::make_generator<at::CPUGeneratorImpl>(seed));
}

/// Batch number i is always the same; starts at `next_index`.
class NoiseBatches : public BatchSource {
 public:
  std::int64_t batch_size = 1, channels_a = 3, channels_b = 3, next_index = 0;

  static constexpr std::int64_t kClasses = 2;
  static constexpr std::uint64_t kAnchors = 1 << 20;  // behind all other seeds

  Batch at_index(std::int64_t i) const {
    const auto seed = static_cast<std::uint64_t>(2 * i);
    Batch batch;
    batch.tensors["real_a"] = image_noise({batch_size, channels_a, kSide, kSide}, seed).to(at::kFloat);
    batch.tensors["real_b"] = image_noise({batch_size, channels_b, kSide, kSide}, seed + 1).to(at::kFloat);
    // Of those that ask for them, as many as there are images.
    batch.tensors["anchor_a"] =
        image_noise({batch_size, channels_a, kSide, kSide}, seed + kAnchors).to(at::kFloat);
    batch.tensors["anchor_b"] =
        image_noise({batch_size, channels_b, kSide, kSide}, seed + kAnchors + 1).to(at::kFloat);
    batch.tensors["label_a"] = (at::arange(batch_size, at::kLong) + i) % kClasses;
    batch.tensors["label_b"] = (at::arange(batch_size, at::kLong) + i + 1) % kClasses;
    batch.names["real_a"] = {"a" + std::to_string(i)};
    batch.names["real_b"] = {"b" + std::to_string(i)};
    return batch;
  }
  Batch next() override { return at_index(next_index++); }
};

/// A model with the batches and the random streams that its steps draw on.
template <class ModelType>
struct RigOf {
  template <class Spec>
  explicit RigOf(const Spec& spec, const Placement& placement = cpu(), std::uint64_t seed = 1)
      : model(spec, placement, seed), rng(seed) {
    at::set_num_threads(1);  // for so little work, threads mostly wait for each other
  }

  StepReport step() {
    GradientSync nothing;
    return step(nothing);
  }
  StepReport step(GradientSync& sync) {
    StepContext context{batches, rng, sync};
    return model.step(context);
  }

  ModelType model;
  RngStreams rng;
  NoiseBatches batches;
};

struct Rig : RigOf<CycleGan> {
  explicit Rig(const CycleGanSpec& spec, const Placement& placement = cpu(), std::uint64_t seed = 1)
      : RigOf(spec, placement, seed) {
    batches.channels_a = spec.g_a_to_b.in_channels;
    batches.channels_b = spec.g_b_to_a.in_channels;
  }
};

inline std::shared_ptr<Network> network(const Model& model, const std::string& name) {
  for (const auto& [known, network] : model.networks())
    if (known == name) return network;
  throw std::logic_error("no network " + name);
}

using Weights = std::map<std::string, at::Tensor>;

/// Copies of all parameters and buffers, as "g_a_to_b model.1.weight".
inline Weights weights_of(const Model& model) {
  Weights out;
  for (const auto& [name, network] : model.networks())
    for (const auto& [key, tensor] : state_dict(*network)) out[name + " " + key] = tensor.detach().clone();
  return out;
}

/// The first weight of `network` ("" = of any) whose bits differ, or "".
inline std::string first_difference(const Weights& x, const Weights& y, const std::string& network = "") {
  if (x.size() != y.size()) return "the number of weights";
  for (const auto& [name, tensor] : x)
    if (name.starts_with(network) && !at::equal(tensor, y.at(name))) return name;
  return "";
}

/// Looks at the gradients when an optimiser is about to step, and keeps the order of the updates.
class Spy : public GradientSync {
 public:
  explicit Spy(const Model& model) : model_(model) {}
  void sync(Optimizer& optimizer) override {
    order.push_back(optimizer.name());
    auto& now = gradients[optimizer.name()];
    now.clear();
    for (const auto& [name, network] : model_.networks())
      for (const auto& parameter : network->named_parameters())
        if (parameter.value().grad().defined())
          now[name + " " + parameter.key()] = parameter.value().grad().clone();
  }
  std::vector<std::string> order;
  std::map<std::string, Weights> gradients;  // at each optimiser's last step

 private:
  const Model& model_;
};

/// Two steps, a file and two steps are four: `whole` does two, `rest`, of another seed, continues from what
/// was written of it, and both do two more.
template <class R>
void expect_continues_from_a_file(R& whole, R& rest) {
  const TestFolder folder;
  whole.step();
  whole.step();
  Archive saved;
  whole.model.save(saved);
  saved.put("rng", whole.rng.save());
  saved.write(folder.path / "two.safetensors", {});

  const Archive read = Archive::read(folder.path / "two.safetensors");
  rest.model.load(read);
  rest.rng.load(read.value("rng"));
  rest.batches = whole.batches;
  for (int step = 2; step < 4; ++step) {
    const StepReport expected = whole.step(), continued = rest.step();
    EXPECT_EQ(continued.losses, expected.losses) << "step " << step;
  }
  EXPECT_EQ(first_difference(weights_of(whole.model), weights_of(rest.model)), "");
  EXPECT_EQ(whole.rng.save(), rest.rng.save());
}

/// Those of `all` whose names begin with `prefix`.
inline Weights only(const Weights& all, const std::string& prefix) {
  Weights out;
  for (const auto& [name, tensor] : all)
    if (name.starts_with(prefix)) out[name] = tensor;
  return out;
}

inline constexpr double kTolerance = 1e-11;  // double precision, sums in another order

inline double square(double x) { return x * x; }

/// The mean of f(x, y) over all elements, one by one.
inline double mean_of(const at::Tensor& x, const at::Tensor& y, double (*f)(double, double)) {
  const at::Tensor a = x.detach().to(at::kDouble).contiguous(), b = y.detach().to(at::kDouble).contiguous();
  EXPECT_EQ(a.sizes(), b.sizes());
  double sum = 0;
  for (std::int64_t i = 0; i < a.numel(); ++i)
    sum += f(a.const_data_ptr<double>()[i], b.const_data_ptr<double>()[i]);
  return sum / static_cast<double>(a.numel());
}
inline double mean_absolute(const at::Tensor& x, const at::Tensor& y) {
  return mean_of(x, y, [](double a, double b) { return std::abs(a - b); });
}
inline double mean_square(const at::Tensor& x, const at::Tensor& y) {
  return mean_of(x, y, [](double a, double b) { return square(a - b); });
}
inline double mean_square(const at::Tensor& x, double y) { return mean_square(x, at::full_like(x, y)); }

}  // namespace torsor::testing
