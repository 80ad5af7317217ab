// Blocks that several generators share.
#pragma once

#include <memory>
#include <mutex>

#include "nn/engine.h"
#include "nn/fast_trunk.h"
#include "nn/layers.h"
#include "nn/network.h"

namespace torsor {

/// x + f(x) with f = pad, conv, norm, relu, [dropout], pad, conv, norm; no activation after the sum. The
/// reference's ResnetBlock; at least 2x2 maps.
struct ResnetBlock : Layer {
  ResnetBlock(std::int64_t channels, const GeneratorOptions& options);
  at::Tensor residual(const at::Tensor& x) { return conv_block->forward(x); }
  /// Whether f is, as it is now, what FastTrunk computes: instance norms, and no dropout at work.
  bool suits_fast_trunk() const;
  /// Its two convolutions.
  std::vector<Conv*> convolutions() const;
  at::Tensor forward(const at::Tensor& x) override { return x + residual(x); }
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override;

  std::shared_ptr<LayerList> conv_block = std::make_shared<LayerList>();

 private:
  bool normalises_instances_, drops_;
};

/// Appends the convolution, the norm of the options, and a relu.
void append_conv_norm_relu(LayerList& list, LayerPtr conv, const GeneratorOptions& options,
                           std::int64_t channels);

/// A generator that is its list of layers, "model", one after the other; its residuals are those of the
/// list's ResnetBlocks. Blocks that follow each other go through the fast kernel where the engine says so.
struct SequentialGenerator : Generator {
  SequentialGenerator() { register_module("model", model); }
  at::Tensor forward(const at::Tensor& x) override { return run(x, nullptr); }
  at::Tensor forward_with_residuals(const at::Tensor& x, std::vector<at::Tensor>& residuals) override {
    return run(x, &residuals);
  }
  GraphValue describe(GraphSink& sink, const GraphValue& x) const override {
    return model->describe(sink, x);
  }

  Engine engine = Engine::automatic;

 protected:
  std::shared_ptr<LayerList> model = std::make_shared<LayerList>();

 private:
  // Blocks that follow each other.
  struct Stretch {
    std::size_t first = 0;
    std::vector<ResnetBlock*> blocks;
    std::unique_ptr<FastTrunk> trunk;
  };
  void find_stretches();
  at::Tensor run(const at::Tensor& x, std::vector<at::Tensor>* residuals);
  bool goes_fast(const Stretch& stretch, const at::Tensor& x) const;

  std::once_flag found_;  // at the first run: until then the list grows
  std::vector<Stretch> stretches_;
};

}  // namespace torsor
