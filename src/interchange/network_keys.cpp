#include "interchange/network_keys.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <charconv>

#include "core/text.h"

namespace torsor {

bool has_key(const TensorMap& weights, const std::string& key) { return find_tensor(weights, key).defined(); }

std::int64_t kernel_side(const TensorMap& weights, const std::string& key, std::int64_t side) {
  const at::Tensor tensor = find_tensor(weights, key);
  return tensor.defined() && tensor.dim() == 4 ? tensor.size(side) : 0;
}

std::optional<std::int64_t> index_after(const std::string& key, const std::string& prefix) {
  if (!key.starts_with(prefix)) return std::nullopt;
  std::int64_t value = 0;
  const char* first = key.data() + prefix.size();
  const auto [end, status] = std::from_chars(first, key.data() + key.size(), value);
  return status == std::errc() && end != first && value < (std::int64_t{1} << 32) ? std::optional(value)
                                                                                  : std::nullopt;
}

std::string some_keys(const TensorMap& weights) {
  std::vector<std::string> first;
  for (const auto& [key, tensor] : weights)
    if (first.size() < 3) first.push_back(printable(key));
  return first.empty() ? "none" : join(first);
}

NormKeys norm_keys(const TensorMap& weights, const std::string& conv, const std::string& norm) {
  return {has_key(weights, norm + ".weight"), has_key(weights, norm + ".running_mean"),
          has_key(weights, conv + ".bias")};
}

std::int64_t ResnetKeys::halvings() const {
  const auto inner = static_cast<std::int64_t>(convolutions.size()) - 2;
  if (blocks.empty()) return std::max<std::int64_t>(inner, 0) / 2;
  return std::count_if(convolutions.begin(), convolutions.end(),
                       [&](std::int64_t i) { return i < *blocks.begin(); }) -
         1;
}

std::int64_t ResnetKeys::first_doubling() const {
  if (!blocks.empty()) return *blocks.rbegin() + 1;
  const std::int64_t last = convolutions.at(static_cast<std::size_t>(halvings()));
  constexpr std::int64_t kConvNormRelu = 3;
  return last + kConvNormRelu + (blurs_down ? 1 : 0);
}

ResnetKeys resnet_keys(const TensorMap& weights) {
  const std::string prefix = "model.";
  ResnetKeys found;
  for (const auto& [key, tensor] : weights) {
    const auto index = index_after(key, prefix);
    if (!index) continue;
    const std::string name = key.substr(prefix.size() + std::to_string(*index).size());
    if (name.starts_with(".conv_block.")) found.blocks.insert(*index);
    if (name == ".weight" && tensor.dim() == 4) found.convolutions.push_back(*index);
    if (name == ".filt" && tensor.dim() == 4)
      (tensor.size(3) % 2 == 1 ? found.blurs_down : found.blurs_up) = true;
  }
  std::sort(found.convolutions.begin(), found.convolutions.end());
  return found;
}

}  // namespace torsor
