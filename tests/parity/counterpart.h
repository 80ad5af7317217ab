// What torsor has for a model of the reference, as far as comparing a recorded training needs it: one class
// for each model, listed in counterparts.h.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/model.h"
#include "nn/engine.h"
#include "parity/outcome.h"
#include "parity/trace_options.h"

namespace torsor::parity {

namespace fs = std::filesystem;

/// (the reference's name, ours), in the reference's order.
using Names = std::vector<std::pair<std::string, std::string>>;

inline constexpr double kStrictTolerance = 1e-9;     // float64: losses and weights, of max(1, |reference|)
inline constexpr double kFirstStepTolerance = 1e-5;  // float32: losses and images

/// How torsor goes through a trace; the recording is the same.
struct Way {
  std::string backward = "joint";  // where the model has a choice
  Engine engine = Engine::automatic;
};

/// Made anew for each way through a recording. Reading options.json is all that its constructor does.
class Counterpart {
 public:
  virtual ~Counterpart() = default;

  virtual const ReferenceOptions& options() const = 0;
  virtual Names network_names() const = 0;
  virtual Names loss_names() const = 0;
  /// Files that recordings of this model may hold beside those that all hold. It reads each of them.
  virtual std::set<std::string> files() const { return {}; }
  virtual std::vector<Way> ways() const {
    return {Way{}, Way{"grouped", Engine::fast}, Way{"grouped", Engine::torch}};
  }

  /// Biases of our network `ours`, by key, that have a true gradient although an instance norm stands behind
  /// their convolution.
  virtual std::set<std::string> learnt_biases(const std::string& ours) const { return {}; }

  /// A network like the model's of our name `ours`, its parameters zeros.
  virtual std::shared_ptr<Network> network(const std::string& ours) const = 0;
  /// The model, its random draws those that are recorded.
  virtual std::unique_ptr<Model> make(const Way& way, const Placement& placement) = 0;
  /// A step's batch of the data's A and B, whose channels are output_nc and input_nc where the direction is
  /// BtoA.
  virtual Batch batch(const at::Tensor& a, const at::Tensor& b) const {
    Batch out;
    out.tensors["real_a"] = options().swapped() ? b : a;
    out.tensors["real_b"] = options().swapped() ? a : b;
    return out;
  }

  /// Compares what else is recorded of the first step; `model` has the weights that it begins with, and keeps
  /// all its numbers.
  virtual void compare_start(const Model& model, const Batch& first, Comparison& comparison) const {}
  /// Throws Error when recorded draws were not made.
  virtual void check_all_used() const {}
};

inline std::shared_ptr<Network> network_of(const Model& model, const std::string& ours) {
  for (const auto& [name, network] : model.networks())
    if (name == ours) return network;
  throw std::logic_error("no network " + ours);
}

}  // namespace torsor::parity
