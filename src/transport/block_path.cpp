#include "transport/block_path.h"

#include <ATen/ATen.h>
#include <torch/nn/module.h>

#include <algorithm>

#include "core/error.h"
#include "nn/blocks.h"
#include "nn/flow.h"

namespace torsor {

namespace {

struct BlockSpan {
  std::vector<LayerPtr> before, blocks, behind;
};

bool is_residual_block(const LayerPtr& layer) { return dynamic_cast<ResnetBlock*>(layer.get()) != nullptr; }

// The list of a SequentialGenerator by its name there, cut where its blocks begin and end.
BlockSpan span_of(const Generator& generator) {
  const auto children = generator.named_children();
  const auto* found = children.find("model");
  const auto list = found == nullptr ? nullptr : std::dynamic_pointer_cast<LayerList>(*found);
  if (list == nullptr || generator.layer_count() == 0)
    fail(
        "this generator is no list of layers: no path of its images can be shown; a resnet generator has "
        "one");
  const std::vector<LayerPtr>& all = list->layers();
  const auto first = std::find_if(all.begin(), all.end(), is_residual_block);
  const auto last = std::find_if(all.rbegin(), all.rend(), is_residual_block).base();
  if (first == all.end() || !std::all_of(first, last, is_residual_block))
    fail("this generator has no residual blocks that follow one another: no path of its images can be shown");
  return {{all.begin(), first}, {first, last}, {last, all.end()}};
}

std::vector<at::Tensor> states_of(Generator& flow, const at::Tensor& x) {
  std::vector<at::Tensor> residuals, out = {x};
  flow.forward_with_residuals(x, residuals);
  for (const at::Tensor& residual : residuals) out.push_back(out.back() + residual);
  return out;
}

at::Tensor through(const std::vector<LayerPtr>& layers, at::Tensor y) {
  for (const LayerPtr& layer : layers) y = layer->forward(y);
  return y;
}

}  // namespace

std::vector<at::Tensor> decoded_after_blocks(Generator& generator, const at::Tensor& x) {
  const at::NoGradGuard no_grad;
  if (dynamic_cast<const InvertibleGenerator*>(&generator) != nullptr) return states_of(generator, x);
  const BlockSpan span = span_of(generator);
  at::Tensor state = through(span.before, x);
  std::vector<at::Tensor> out = {through(span.behind, state)};
  for (const LayerPtr& block : span.blocks) {
    state = block->forward(state);
    out.push_back(through(span.behind, state));
  }
  return out;
}

}  // namespace torsor
