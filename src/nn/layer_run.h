// A list of layers, one after the other: through the fast kernels where the engine says so and they apply.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "nn/engine.h"
#include "nn/layers.h"

namespace torsor {

class LayerRun {
 public:
  explicit LayerRun(std::shared_ptr<LayerList> list);
  ~LayerRun();

  /// [N,C,H,W] -> what the list computes. Appends the residuals of its ResnetBlocks where asked for. Layers
  /// are looked at at the first call: until then the list may grow. Engine::check writes to the user's log.
  at::Tensor forward(const at::Tensor& x, HasEngine& user, std::vector<at::Tensor>* residuals = nullptr);

  struct Step;

 private:
  void plan();
  const Step* fast_step(std::size_t first, const at::Tensor& x, Engine engine) const;
  at::Tensor by_libtorch(std::size_t first, std::size_t count, const at::Tensor& x,
                         std::vector<at::Tensor>* residuals) const;
  std::string names(std::size_t first, std::size_t count) const;

  std::shared_ptr<LayerList> list_;
  std::once_flag planned_;
  std::vector<std::unique_ptr<Step>> steps_;  // by their first layer; null where no kernel's begins
};

}  // namespace torsor
