// Contrastive loss between patches of two images (Park, Efros, Zhang, Zhu, "Contrastive Learning for Unpaired
// Image-to-Image Translation", ECCV 2020).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace torsor {

/// queries, keys [R,C]: features of R patches of the translation and of the same patches of its source. Rows
/// are compared within `groups` groups of R / groups that follow each other, usually one for each image: with
/// S = Q K^T in a group, query j costs -log of the share of exp(S_jj / T) among itself and all keys of the
/// group, whose own S_jj is -10 there, as in CUT's program: it counts for nothing unless T is large. Keys are
/// constants: no gradient goes through them. Returns [R], unweighted. T > 0. Throws std::logic_error for
/// shapes that differ or cannot be grouped.
at::Tensor patch_nce(const at::Tensor& queries, const at::Tensor& keys, std::int64_t groups,
                     double temperature);

}  // namespace torsor
