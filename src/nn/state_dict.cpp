#include "nn/state_dict.h"

#include <fmt/ranges.h>
#include <torch/types.h>

#include <map>

#include "core/error.h"
#include "core/text.h"

namespace torsor {

namespace {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

void collect(const torch::nn::Module& module, const std::string& prefix, NamedTensors& out) {
  for (const auto& item : module.named_parameters(/*recurse=*/false))
    out.emplace_back(prefix + item.key(), item.value());
  for (const auto& item : module.named_buffers(/*recurse=*/false))
    out.emplace_back(prefix + item.key(), item.value());
  for (const auto& child : module.named_children()) collect(*child.value(), prefix + child.key() + ".", out);
}

bool is_norm_leftover(const std::string& key) {
  return key.ends_with(".running_mean") || key.ends_with(".running_var") ||
         key.ends_with(".num_batches_tracked");
}

// The first three names, and how many more there are.
std::string some_of(const std::vector<std::string>& names) {
  const std::vector<std::string> first(names.begin(), names.begin() + std::min<std::size_t>(3, names.size()));
  return join(first) + (names.size() > 3 ? fmt::format(" and {} more", names.size() - 3) : "");
}

std::string shape_text(const at::Tensor& t) {
  return fmt::format("[{}]", fmt::join(t.sizes().begin(), t.sizes().end(), ","));
}

}  // namespace

NamedTensors state_dict(const torch::nn::Module& module) {
  NamedTensors out;
  collect(module, "", out);
  return out;
}

void check_state_dict(const torch::nn::Module& module, const NamedTensors& values,
                      const std::string& source) {
  std::map<std::string, at::Tensor> given(values.begin(), values.end());
  const NamedTensors wanted = state_dict(module);
  std::vector<std::string> missing, misshapen;
  for (const auto& [name, target] : wanted) {
    const auto found = given.find(name);
    if (found == given.end())
      missing.push_back(name);
    else if (found->second.sizes() != target.sizes())
      misshapen.push_back(
          fmt::format("{} is {}, expected {}", name, shape_text(found->second), shape_text(target)));
  }
  for (const auto& [name, unused] : wanted) given.erase(name);
  std::vector<std::string> unexpected;
  for (const auto& [name, unused] : given)
    if (!is_norm_leftover(name)) unexpected.push_back(printable(name));

  std::vector<std::string> differences;
  if (!missing.empty()) differences.push_back("missing: " + some_of(missing));
  if (!unexpected.empty()) differences.push_back("unexpected: " + some_of(unexpected));
  if (!misshapen.empty()) differences.push_back("other shape: " + some_of(misshapen));
  if (!differences.empty())
    fail("{}: the weights are for another network; {}", source, join(differences, "; "));
}

void load_state_dict(torch::nn::Module& module, const NamedTensors& values, const std::string& source) {
  check_state_dict(module, values, source);
  const std::map<std::string, at::Tensor> by_name(values.begin(), values.end());
  at::NoGradGuard no_grad;
  for (const auto& [name, target] : state_dict(module)) at::Tensor(target).copy_(by_name.at(name));
}

TakenWeights take_matching(torch::nn::Module& module, const NamedTensors& values) {
  const std::map<std::string, at::Tensor> given(values.begin(), values.end());
  TakenWeights out;
  at::NoGradGuard no_grad;
  for (const auto& [name, target] : state_dict(module)) {
    ++out.wanted;
    const auto found = given.find(name);
    if (found == given.end()) {
      out.not_taken.push_back(name + " is missing");
    } else if (found->second.sizes() != target.sizes()) {
      out.not_taken.push_back(
          fmt::format("{} is {}, here {}", name, shape_text(found->second), shape_text(target)));
    } else {
      at::Tensor(target).copy_(found->second);
      ++out.taken;
    }
  }
  return out;
}

}  // namespace torsor
