#include "data/batch.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "core/error.h"

namespace torsor {

const at::Tensor& Batch::at(const std::string& name) const {
  const auto found = tensors.find(name);
  if (found == tensors.end()) throw std::logic_error("batch has no tensor " + name);
  return found->second;
}

std::int64_t Batch::size() const { return tensors.empty() ? 0 : tensors.begin()->second.size(0); }

Batch Batch::part(std::int64_t begin, std::int64_t count) const {
  const auto clipped = [&](std::int64_t size) {
    const std::int64_t first = std::min(begin, size);
    return std::pair{first, std::min(count, size - first)};
  };
  Batch out;
  for (const auto& [key, tensor] : tensors) {
    const auto [first, length] = clipped(tensor.size(0));
    out.tensors[key] = tensor.narrow(0, first, length);
  }
  for (const auto& [key, all] : names) {
    const auto [first, length] = clipped(static_cast<std::int64_t>(all.size()));
    out.names[key].assign(all.begin() + first, all.begin() + first + length);
  }
  return out;
}

namespace {

std::string first_name(const Batch& sample, const std::string& key) {
  const auto found = sample.names.find(key);
  return found == sample.names.end() || found->second.empty() ? key : found->second.front();
}

std::string size_text(const at::Tensor& t) {
  return t.dim() < 2 ? std::to_string(t.numel()) : fmt::format("{}x{}", t.size(-1), t.size(-2));
}

}  // namespace

Batch collate(const std::vector<Batch>& samples) {
  Batch out;
  for (const auto& [key, first] : samples.front().tensors) {
    std::vector<at::Tensor> stack;
    for (const Batch& sample : samples) {
      const at::Tensor& tensor = sample.at(key);
      if (tensor.sizes() != first.sizes())
        fail(
            "{} is {} and {} is {} after preprocessing, which do not fit in one batch; use --batch-size 1 or "
            "a preprocess mode that crops",
            first_name(samples.front(), key), size_text(first), first_name(sample, key), size_text(tensor));
      stack.push_back(tensor);
    }
    out.tensors[key] = at::stack(stack);
  }
  for (const Batch& sample : samples)
    for (const auto& [key, names] : sample.names)
      out.names[key].insert(out.names[key].end(), names.begin(), names.end());
  return out;
}

}  // namespace torsor
