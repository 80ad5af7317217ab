// What the steps of several models have in common.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "model/model.h"
#include "model/placement.h"
#include "nn/init.h"

namespace torsor {

/// Losses of a step by name: scalars, on the placement's device.
using LossTensors = std::map<std::string, at::Tensor>;

/// All parameters of these networks, in this order: what one optimiser steps.
std::vector<at::Tensor> parameters_of(std::initializer_list<const torch::nn::Module*> networks);

/// The discriminators' options: with the rate lr_d where it is given.
OptimizerOptions discriminator_optimizer(OptimizerOptions options);

/// The generator of every dropout mask of a model, from (seed, "dropout").
at::Generator make_dropout_generator(std::uint64_t seed);

/// Prepares new networks for training: weights from (seed, "init." and the network's name), on the placement,
/// in training mode, their dropout drawing from `dropout`.
void prepare_networks(const std::vector<NamedNetwork>& networks, const InitOptions& init,
                      const Placement& placement, std::uint64_t seed, const at::Generator& dropout);

/// Turns the gradients of a network's parameters off (and on again), which saves their computation while
/// another network is trained through it.
void freeze(torch::nn::Module& network);
void unfreeze(torch::nn::Module& network);
/// The same of some of them.
void freeze(const std::vector<at::Tensor>& parameters);
void unfreeze(const std::vector<at::Tensor>& parameters);

/// The next batch, counted in `report`: its images are those of real_a.
Batch pull_batch(StepContext& context, StepReport& report);

/// The batch's tensor of this name where and as the model computes. Throws std::logic_error without one.
at::Tensor placed(const Batch& batch, const std::string& name, const Placement& placement);

/// network.forward(x) under the placement's autocast; the result has the placement's number format.
at::Tensor run_network(Network& network, const at::Tensor& x, const Placement& placement);

/// The same by generator.forward_with_residuals(x), the residuals of its blocks appended in that format too.
at::Tensor run_in_blocks(Generator& generator, const at::Tensor& x, const Placement& placement,
                         std::vector<at::Tensor>& residuals);

/// gradient_penalty() between real and fake [N,C,H,W], its N mixing weights drawn from
/// rng["gradient_penalty"].
at::Tensor drawn_gradient_penalty(Network& discriminator, const at::Tensor& real, const at::Tensor& fake,
                                  RngStreams& rng);

/// Of a batch's images under two generators, as sample() shows them: real_a, fake_b, rec_a and real_b,
/// fake_a, rec_b. The networks are in the mode that they are found in.
std::vector<std::vector<LabelledImages>> there_and_back_rows(const Batch& batch, Generator& a_to_b,
                                                             Generator& b_to_a, const Placement& placement);

/// Appends to `report` the value of each name, 0 where `losses` has none. One transfer for all values: each
/// would be a synchronisation on a GPU.
void report_losses(StepReport& report, const std::vector<std::string>& names, const LossTensors& losses);

/// Appends the batch's file names to `report`.
void report_items(StepReport& report, const Batch& batch);

}  // namespace torsor
