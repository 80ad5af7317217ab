// Images as classifiers of labels see them.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <span>
#include <vector>

#include "audit/audit_images.h"

namespace torsor {

/// What turns values of a domain into samples: the range of its images, of images with a white of their own
/// (percentile_95) that with their mean white. Throws Error where there is no image.
ValueRange label_range(const AuditImages& images);

/// Calls `of` with batches of the 8-bit previews of values [N,C,H,W], and joins what it returns along
/// dimension 0. N may not be 0.
at::Tensor by_previews(const at::Tensor& values, const ValueRange& range,
                       const std::function<at::Tensor(std::span<const Image>)>& of);

}  // namespace torsor
