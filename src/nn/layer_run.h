// A list of layers, one after the other: through the fast kernels where the engine says so and they apply.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "nn/engine.h"
#include "nn/layers.h"

namespace torsor {

/// Throws std::logic_error for indices that are not 0 to count - 1, or do not ascend.
void check_ascending_layers(const std::vector<std::int64_t>& layers, std::int64_t count);

class LayerRun {
 public:
  explicit LayerRun(std::shared_ptr<LayerList> list);
  ~LayerRun();

  /// [N,C,H,W] -> what the list computes. Appends the residuals of its ResnetBlocks where asked for. Layers
  /// are looked at at the first call: until then the list may grow. Engine::check writes to the user's log.
  at::Tensor forward(const at::Tensor& x, HasEngine& user, std::vector<at::Tensor>* residuals = nullptr);

  /// [N,C,H,W] -> what these layers (ascending) put out; nothing behind the last of them is computed. Where a
  /// relu follows, and is computed, its output stands for that of the layer before it, since the reference's
  /// relus work in place. By the engine too: kernels for several layers at once are cut where a layer is
  /// looked at, so that they take other parts of the list than forward()'s. Throws std::logic_error for
  /// layers that there are not, or not in order.
  std::vector<at::Tensor> features(const at::Tensor& x, HasEngine& user,
                                   const std::vector<std::int64_t>& layers);

  struct Step;

 private:
  // Steps by their first layer; null where no kernel's begins.
  using Steps = std::vector<std::unique_ptr<Step>>;
  using Ends = std::set<std::size_t>;
  // Layer -> what it put out.
  using Outputs = std::map<std::size_t, at::Tensor>;

  const Steps& steps_for(const Ends& looked_at);
  Steps plan(const Ends& looked_at) const;
  std::size_t visible_at(std::size_t layer, std::size_t last) const;
  at::Tensor walk(const Steps& steps, const at::Tensor& x, HasEngine& user,
                  std::vector<at::Tensor>* residuals, Outputs& looked_at) const;
  at::Tensor by_libtorch(std::size_t first, std::size_t count, const at::Tensor& x,
                         std::vector<at::Tensor>* residuals) const;
  std::string names(std::size_t first, std::size_t count) const;

  std::shared_ptr<LayerList> list_;
  std::mutex planning_;
  std::map<Ends, Steps> plans_;  // by the layers looked at; of none for forward()
};

}  // namespace torsor
