// What a model is fed with: named tensors and the names of the items they came from.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

namespace torsor {

/// Named tensors whose first dimension is the batch (for a single sample: without it), of any rank.
struct Batch {
  std::map<std::string, at::Tensor> tensors;              // "real_a" -> [N,C,H,W]
  std::map<std::string, std::vector<std::string>> names;  // "real_a" -> N file names, for messages

  /// Throws std::logic_error when there is no such tensor.
  const at::Tensor& at(const std::string& name) const;
  std::int64_t size() const;  // of the first tensor's first dimension; 0 when empty
  /// Items begin to begin + count, or as many as there are; tensors share their memory with these.
  Batch part(std::int64_t begin, std::int64_t count) const;
};

/// Stacks samples (tensors without the batch dimension) of equal shapes. Throws Error naming both files when
/// shapes differ.
Batch collate(const std::vector<Batch>& samples);

/// An endless stream of batches; the trainer's loader, or a test's list.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  virtual Batch next() = 0;
};

}  // namespace torsor
