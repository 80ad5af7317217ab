// The ranks that train one model together, each with its own share of every batch.
//
// Random streams of a training on several ranks. Drawn alike on all of them, from the one seed: the weights'
// initialisation (init.*), the order of the images (shuffle), an image's partner, anchor, crop and flip (item,
// by epoch and index), and dropout masks. Drawn by each rank on its own, from rank_seed(): all that a model
// draws in a step from the trainer's RngStreams (image pool, patches, mixing weights of a gradient penalty,
// what a Jacobian is asked); rank 0 draws what a run on one rank would. The learning rate and its schedule draw nothing: they follow
// from scalars, which the trainer makes equal on all ranks.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/json.h"

namespace torsor {

/// This process's (or thread's) place among the ranks, and what they say to each other. All ranks make the
/// same calls in the same order; a call returns when all have made it. Throws Error when another rank has
/// ended with an error, so that none waits for ever.
class Context {
 public:
  virtual ~Context() = default;

  virtual std::int64_t rank() const = 0;  // 0 .. size() - 1
  virtual std::int64_t size() const = 0;  // 1 or more

  /// Replaces a tensor, of one shape and dtype on all ranks, by its sum over them: the same bits everywhere.
  virtual void all_reduce(const at::Tensor& sum) = 0;
  /// Replaces a tensor, of one shape and dtype on all ranks, by that of rank `root`.
  virtual void broadcast(const at::Tensor& value, std::int64_t root) = 0;
  virtual void barrier() = 0;

  /// The rank that writes: log, samples, checkpoints, the run directory.
  bool is_first() const { return rank() == 0; }
  bool is_alone() const { return size() == 1; }
};

/// One rank: nothing to add, to send or to wait for.
class SingleRank : public Context {
 public:
  std::int64_t rank() const override { return 0; }
  std::int64_t size() const override { return 1; }
  void all_reduce(const at::Tensor&) override {}
  void broadcast(const at::Tensor&, std::int64_t) override {}
  void barrier() override {}
};

/// The context of whoever has not been given one; it holds nothing.
Context& single_rank();

/// Rank 0's value on all ranks. Numbers that are not finite survive.
Json from_first(Context& context, const Json& value);

/// Whether it is so on one rank at least.
bool on_any_rank(Context& context, bool here);

/// The seed of a rank's own streams; rank 0's is `seed`.
std::uint64_t rank_seed(std::uint64_t seed, const Context& context);

}  // namespace torsor
