// Optimisers over the parameters of one or more networks, saveable by name.
#pragma once

#include <torch/optim/optimizer.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/options.h"
#include "io/archive.h"

namespace torsor {

struct OptimizerOptions {
  std::string optimizer = "adam";
  double lr = 0.0002;
  std::optional<double> lr_d;  // of the discriminators, where a model has some
  double beta1 = 0.5;
  double beta2 = 0.999;
  double momentum = 0.9;
  double ema = 0;

  void describe(OptionSet& o);
};

/// Adam (eps 1e-8, no weight decay) or SGD with momentum, over `parameters` in that order.
class Optimizer {
 public:
  Optimizer(std::string name, const OptimizerOptions& options, std::vector<at::Tensor> parameters);

  const std::string& name() const { return name_; }
  double base_lr() const { return base_lr_; }
  const std::vector<at::Tensor>& parameters() const { return parameters_; }
  double lr() const;
  /// Sets the rate to base_lr * factor.
  void set_lr_factor(double factor);
  void zero_grad();
  void step();

  /// Moments under "<name>/<parameter index>/..."; a parameter that never had a gradient has none.
  void save(Archive& archive) const;
  void load(const Archive& archive);

 private:
  std::string name_;
  double base_lr_;
  std::vector<at::Tensor> parameters_;
  std::unique_ptr<torch::optim::Optimizer> inner_;
};

}  // namespace torsor
