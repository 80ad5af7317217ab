#include "model/image_pool.h"

#include <ATen/ATen.h>

#include "io/raw_tensor.h"

namespace torsor {

at::Tensor ImagePool::query(const at::Tensor& images, PoolDraws& draws) {
  const at::Tensor batch = images.detach();
  if (capacity_ == 0) return batch;
  std::vector<at::Tensor> out;
  for (const at::Tensor& view : batch.unbind(0)) {
    if (static_cast<std::int64_t>(stored_.size()) < capacity_) {
      stored_.push_back(view.clone());
      out.push_back(view);
    } else if (draws.uniform() > 0.5) {
      at::Tensor& slot = stored_[static_cast<std::size_t>(draws.index(capacity_))];
      out.push_back(slot);
      slot = view.clone();
    } else {
      out.push_back(view);
    }
  }
  return at::stack(out);
}

void ImagePool::save(Archive& archive, const std::string& prefix) const {
  archive.put(prefix + "/size", Json(stored_.size()));
  if (!stored_.empty()) archive.put(prefix + "/images", at::stack(stored_));
}

void ImagePool::load(const Archive& archive, const std::string& prefix, std::int64_t channels,
                     const at::TensorOptions& placement) {
  stored_.clear();
  std::int64_t size = 0;
  archive.take(prefix + "/size", [&](const Json& saved) { size = json_count(saved); });
  if (size == 0) return;
  const at::Tensor images = archive.tensor(prefix + "/images");  // [N,C,H,W]
  if (images.dim() != 4 || images.size(0) != size || size > capacity_ || images.size(1) != channels)
    archive.refuse(prefix + "/images",
                   fmt::format("{} where {} of at most {} images of {} channels were expected",
                               shape_text(images.sizes().vec()), size, capacity_, channels));
  for (const at::Tensor& image : images.to(placement).unbind(0)) stored_.push_back(image.clone());
}

}  // namespace torsor
