#include "train/ranks.h"

#include <ATen/ATen.h>

#include <vector>

#include "nn/state_dict.h"

namespace torsor {

// All gradients as one: a call for each would be a round of messages for each.
void GradientMean::sync(Optimizer& optimizer) {
  if (context_.is_alone()) return;
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients, flat;
  for (const at::Tensor& parameter : optimizer.parameters())
    if (parameter.grad().defined()) {
      gradients.push_back(parameter.grad());
      flat.push_back(parameter.grad().reshape({-1}));
    }
  if (flat.empty()) return;
  const at::Tensor all = at::cat(flat);
  context_.all_reduce(all);
  all.div_(static_cast<double>(context_.size()));
  std::int64_t begin = 0;
  for (at::Tensor& gradient : gradients) {
    gradient.copy_(all.slice(0, begin, begin + gradient.numel()).view(gradient.sizes()));
    begin += gradient.numel();
  }
}

void share_weights(const Model& model, Context& context) {
  if (context.is_alone()) return;
  for (const auto& [name, network] : model.networks())
    for (const auto& [key, tensor] : state_dict(*network)) context.broadcast(tensor, 0);
}

void share_report(StepReport& report, Context& context) {
  if (context.is_alone()) return;
  std::vector<double> values;
  for (const auto& [name, value] : report.losses) values.push_back(value);
  values.push_back(static_cast<double>(report.images));
  const at::Tensor sums = at::tensor(values, at::kDouble);
  context.all_reduce(sums);
  const auto* sum = sums.const_data_ptr<double>();
  for (auto& [name, value] : report.losses) value = *sum++ / static_cast<double>(context.size());
  report.images = static_cast<std::int64_t>(*sum);
}

void share_scalars(StepScalars& scalars, Context& context) {
  if (context.is_alone()) return;
  Json said = Json::array();
  for (const auto& [name, value] : scalars.published()) said.push_back({name, value});
  said = from_first(context, said);
  if (context.is_first()) return;
  scalars.keep_losses();
  for (const Json& scalar : said) scalars.publish(scalar.at(0), scalar.at(1));
}

}  // namespace torsor
