#include "audit/label_images.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"
#include "metric/feature_extractor.h"

namespace torsor {

ValueRange label_range(const AuditImages& images) {
  if (images.ranges.empty()) fail("domain {}: no images to take labels of", images.domain);
  ValueRange out = images.ranges.front();
  double white = 0;
  for (const ValueRange& range : images.ranges) white += range.white;
  out.white = white / static_cast<double>(images.ranges.size());
  return out;
}

at::Tensor by_previews(const at::Tensor& values, const ValueRange& range,
                       const std::function<at::Tensor(std::span<const Image>)>& of) {
  constexpr auto kBatch = static_cast<std::int64_t>(kExtractorBatch);
  std::vector<at::Tensor> parts;
  for (std::int64_t begin = 0; begin < values.size(0); begin += kBatch) {
    std::vector<Image> batch;
    for (std::int64_t i = begin; i < std::min(values.size(0), begin + kBatch); ++i)
      batch.push_back(preview_of(values[i], range));
    parts.push_back(of(batch));
  }
  return at::cat(parts);
}

}  // namespace torsor
