#include "model/step_support.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/types.h>

#include "loss/gan_loss.h"

namespace torsor {

using at::Tensor;

std::vector<Tensor> parameters_of(std::initializer_list<const torch::nn::Module*> networks) {
  std::vector<Tensor> out;
  for (const auto* network : networks)
    for (const Tensor& parameter : network->parameters()) out.push_back(parameter);
  return out;
}

OptimizerOptions discriminator_optimizer(OptimizerOptions options) {
  options.lr = options.lr_d.value_or(options.lr);
  return options;
}

at::Generator make_dropout_generator(std::uint64_t seed) {
  return at::make_generator<at::CPUGeneratorImpl>(derive_seed(seed, "dropout"));
}

void prepare_networks(const std::vector<NamedNetwork>& networks, const InitOptions& init,
                      const Placement& placement, std::uint64_t seed, const at::Generator& dropout) {
  for (const auto& [name, network] : networks) {
    init_weights(*network, init, derive_seed(seed, "init." + name));
    set_placement(*network, placement);
    network->train();
    set_dropout_generator(*network, dropout);
  }
}

void freeze(torch::nn::Module& network) { freeze(network.parameters()); }

void unfreeze(torch::nn::Module& network) { unfreeze(network.parameters()); }

void freeze(const std::vector<Tensor>& parameters) {
  for (const Tensor& parameter : parameters) parameter.requires_grad_(false);
}

void unfreeze(const std::vector<Tensor>& parameters) {
  for (const Tensor& parameter : parameters) parameter.requires_grad_(true);
}

Batch pull_batch(StepContext& context, StepReport& report) {
  Batch batch = context.batches.next();
  report.batches += 1;
  report.images += batch.at("real_a").size(0);
  return batch;
}

Tensor placed(const Batch& batch, const std::string& name, const Placement& placement) {
  return batch.at(name).to(placement.device, placement.dtype, /*non_blocking=*/true);
}

Tensor run_network(Network& network, const Tensor& x, const Placement& placement) {
  const AutocastScope autocast(placement);
  return network.forward(x).to(placement.dtype);
}

Tensor run_in_blocks(Generator& generator, const Tensor& x, const Placement& placement,
                     std::vector<Tensor>& residuals) {
  const AutocastScope autocast(placement);
  const Tensor made = generator.forward_with_residuals(x, residuals).to(placement.dtype);
  for (Tensor& residual : residuals) residual = residual.to(placement.dtype);
  return made;
}

Tensor drawn_gradient_penalty(Network& discriminator, const Tensor& real, const Tensor& fake,
                              RngStreams& rng) {
  std::vector<double> mix;
  for (std::int64_t i = 0; i < real.size(0); ++i) mix.push_back(rng["gradient_penalty"].uniform());
  const Tensor t = at::tensor(mix, at::kDouble).to(real.device(), real.scalar_type()).view({-1, 1, 1, 1});
  const auto scores = [&](const Tensor& x) { return discriminator.forward(x); };
  return gradient_penalty(scores, real, fake, t);
}

std::vector<std::vector<LabelledImages>> there_and_back_rows(const Batch& batch, Generator& a_to_b,
                                                             Generator& b_to_a, const Placement& placement) {
  const Tensor x = placed(batch, "real_a", placement), y = placed(batch, "real_b", placement);
  const Tensor fake_b = run_network(a_to_b, x, placement), fake_a = run_network(b_to_a, y, placement);
  return {{{"real_a", x}, {"fake_b", fake_b}, {"rec_a", run_network(b_to_a, fake_b, placement)}},
          {{"real_b", y}, {"fake_a", fake_a}, {"rec_b", run_network(a_to_b, fake_a, placement)}}};
}

void report_losses(StepReport& report, const std::vector<std::string>& names, const LossTensors& losses) {
  std::vector<Tensor> values;
  for (const auto& name : names) {
    const auto found = losses.find(name);
    values.push_back(found == losses.end() ? at::zeros({}, at::kDouble)
                                           : found->second.detach().to(at::kDouble));
  }
  const Tensor on_cpu = at::stack(values).cpu();
  for (std::size_t i = 0; i < names.size(); ++i)
    report.losses.emplace_back(names[i], on_cpu.data_ptr<double>()[i]);
}

void report_items(StepReport& report, const Batch& batch) {
  for (const auto& [domain, files] : batch.names)
    report.items.insert(report.items.end(), files.begin(), files.end());
}

}  // namespace torsor
