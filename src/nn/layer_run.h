// A list of layers in sequence, by the fast kernels where the engine chooses them and they are supported.
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

  /// [N,C,H,W] -> the output of the list. Appends the residuals of its ResnetBlocks unless `residuals` is
  /// null. Layers are planned at the first call: until then the list may grow. Engine::check writes to the
  /// user's log.
  at::Tensor forward(const at::Tensor& x, HasEngine& user, std::vector<at::Tensor>* residuals = nullptr);

  /// [N,C,H,W] -> the outputs of these layers (ascending); layers after the last of them are not computed.
  /// Where a ReLU follows, and is computed, its output replaces that of the layer before it, since the
  /// reference's ReLUs work in place. The engine is used here too: fused groups end at requested layers, so
  /// that they differ from those of forward(). Throws std::logic_error for layers that do not exist, or out
  /// of order.
  std::vector<at::Tensor> features(const at::Tensor& x, HasEngine& user,
                                   const std::vector<std::int64_t>& layers);

  struct Step;

 private:
  // Fused groups by their first layer; null where none begins.
  using Steps = std::vector<std::unique_ptr<Step>>;
  using Ends = std::set<std::size_t>;
  // Layer -> its output.
  using Outputs = std::map<std::size_t, at::Tensor>;

  const Steps& steps_for(const Ends& requested);
  Steps plan(const Ends& requested) const;
  std::size_t visible_at(std::size_t layer, std::size_t last) const;
  at::Tensor walk(const Steps& steps, const at::Tensor& x, HasEngine& user,
                  std::vector<at::Tensor>* residuals, Outputs& requested) const;
  at::Tensor by_libtorch(std::size_t first, std::size_t count, const at::Tensor& x,
                         std::vector<at::Tensor>* residuals) const;
  std::string names(std::size_t first, std::size_t count) const;

  std::shared_ptr<LayerList> list_;
  std::mutex planning_;
  std::map<Ends, Steps> plans_;  // by the requested layers; none for forward()
};

}  // namespace torsor
