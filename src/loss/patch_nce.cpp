#include "loss/patch_nce.h"

#include <torch/types.h>

#include <stdexcept>

namespace torsor {

namespace {

constexpr double kOwnKey = -10;  // what stands for a patch's own key among the negatives

}  // namespace

at::Tensor patch_nce(const at::Tensor& queries, const at::Tensor& keys, std::int64_t groups,
                     double temperature) {
  if (queries.dim() != 2 || queries.sizes() != keys.sizes() || groups < 1 || queries.size(0) % groups != 0)
    throw std::logic_error("patches that cannot be compared");
  const std::int64_t patches = queries.size(0) / groups;
  const at::Tensor q = queries.view({groups, patches, -1}), k = keys.detach().view({groups, patches, -1});
  const at::Tensor positive = (q * k).sum(2, /*keepdim=*/true);  // [groups,patches,1]
  const at::Tensor own = at::eye(patches, q.options().dtype(at::kBool));
  const at::Tensor negative = at::bmm(q, k.transpose(1, 2)).masked_fill(own, kOwnKey);
  const at::Tensor logits = at::cat({positive, negative}, 2).view({groups * patches, patches + 1});
  const at::Tensor first = at::zeros({groups * patches}, q.options().dtype(at::kLong));
  return at::cross_entropy_loss(logits / temperature, first, {}, at::Reduction::None);
}

}  // namespace torsor
